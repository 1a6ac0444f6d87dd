/**
 * Front door of the devices: card channels and the terminal's side of ISO/IEC 7816-3.
 * @packageDocumentation
 */
export { DeviceError, DEVICE_ERROR_CODES, isDeviceError, type DeviceErrorCode, type DeviceErrorFacts } from './errors.js';
export type { CardChannel, CardMark, CardSession, Protocol, Reply } from './channel/types.js';
export type {
  ApduEvent, BlockEvent, BlockKind, CharacterEvent, ChannelObserver, Moment,
} from './channel/observer.js';
export {
  RESET_LINE, type BytePort, type Character, type Convention, type Direction, type LineSettings, type PortClock, type PortFeatures,
  type SendOptions, type SendOutcome, type Ticks,
} from './channel/port.js';
export { ContactChannel, type ContactOptions, type ContactState } from './channel/contact.js';
export type { Settled, SettleOptions } from './channel/settle.js';
export { RawAccess, type RawSend } from './channel/raw.js';
export { DisturbedPort, type DisturbedState, type FiredFault, type LinkFault, type LinkFaultAction } from './channel/fault.js';
export { answerLine, commandLine, DEFAULT_SECRETS, failureLine, type SecretRule } from './channel/log.js';
export type { Eventually } from './channel/steps.js';
export { commandFields, encodeCommand, parseCommand, type Command, type CommandFields, type ResponseApdu } from './iso7816/apdu.js';
export { parseAtr, type Atr, type T0Parameters, type T1Parameters } from './iso7816/atr.js';
export { checkAtr, EMV_ATR_RULES, ISO_ATR_RULES, type AtrRule } from './iso7816/atr-rules.js';
export type { Finding, FindingCode } from './iso7816/findings.js';
export { toHex } from './iso7816/hex.js';
export { decodeBlock, describeBlock, encodeBlock, type BlockFault, type SFunction, type T1Block } from './iso7816/t1-block.js';
export type { T1Config, T1State } from './iso7816/t1.js';
export { emulatedCard, EmulatedCard, emulatedPort, type CardSnapshot, type EmulatedCardOptions } from './emulated/card.js';
export { EmulatedPort, type EmulatedPortState, type LostCharacter, type NextSession } from './emulated/port.js';
export { TapePlayer, TapeRecorder, type LinkTape, type TapeAction, type TapePosition, type TimedAction } from './emulated/tape.js';
export { EmulatedBinding, EmulatedBindingPort } from './emulated/binding.js';
export { StreamPort, type StreamPortOptions, type StreamWiring } from './serial/stream-port.js';
export { wallClock, HOST_TIME, type StreamClock, type WallTime } from './serial/clock.js';
export { listSerialPorts, serialBoard, type SerialBoard, type SerialBoardOptions, type SerialPortDescription } from './serial/board.js';
