/**
 * Front door of the emulator: an ARMv6-M chip as a value. Pure: bytes in, values out; files and wall time are
 * the caller's.
 * @packageDocumentation
 */
export type { AccessSize, Cycles, Device, DeviceHost, InterruptLines, ResetKind, Violation } from './types.js';
export { EmulatorError, type EmulatorErrorCode } from './errors.js';
export { createMachine, Machine, type MachineConfig, type MachineHost, type Registers, type RunOptions, type RunResult } from './machine.js';
export type { MachineSnapshot } from './snapshot.js';
export type { MemoryRegion } from './cpu/core.js';
export { RAM_BASE } from './cpu/core.js';
export type { StopReason } from './cpu/run.js';
export { CORTEX_M0_CYCLES, CORTEX_M0PLUS_CYCLES, type CycleClass, type CycleTable } from './cpu/cycles.js';
export { INSTRUCTIONS, findInstruction, type Instruction } from './cpu/table.js';
export { disassemble } from './cpu/disassemble.js';
export { loadElf } from './image/elf.js';
export { loadHex } from './image/hex.js';
export { loadBinary, loadImage } from './image/load.js';
export { SymbolTable, type Image, type ImageLine, type ImageSegment, type ImageSymbol } from './image/image.js';
export { createChip, Chip, CHIP_MAP, type ChipConfig, type ChipRun, type ChipSnapshot, type ChipStop, type ChipUsage, type CutKind } from './chip.js';
export { ContactLink, type CardCharacter, type LinkEvent, type LinkState } from './devices/link.js';
export { makeEtu, halfEtus, type Etu } from './devices/etu.js';
export { encodeFrame, decodeFrame, frameEdges, type Decoded, type LineEdge } from './devices/frame.js';
export { CryptoCache } from './devices/crypto-cache.js';
export { ChipError, type ChipErrorCode } from './devices/errors.js';
export type { StepMark, TraceEvent } from './devices/trace.js';
export { EepromArray, type EepromConfig, type EepromState } from './eeprom/array.js';
export { CellModel, type PageCells, type PageOperation } from './eeprom/cells.js';
export { countWeak } from './eeprom/policy.js';
export { NvmHash, nvmDigest } from './eeprom/digest.js';
export type { WatchEvent, WatchListener } from './eeprom/watch.js';
export { endurance } from './eeprom/wear.js';
export type { NvmState, WeakPage, WeakPolicy, WriteRecord } from './eeprom/types.js';
export { parseProfile, nearestName } from './profiles/parse.js';
export { loadProfile, readProfileText, profileFolder, PROFILE_NAMES } from './profiles/files.js';
export { profileSchema, profileJsonSchema, type CellProfile, type ChipProfile, type CryptoProfile, type WearProfile } from './profiles/schema.js';
