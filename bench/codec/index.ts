/** The codec: docs/protocol.md sections 1 and 2 as typed objects and plain data. */
export * from './answers.js';
export * from './bytes.js';
export * as commands from './commands.js';
export { applicationId, commandName, commandTable, dataTags } from './commands.js';
export type {
  CardCommand, CardSettings, CommandName, Embodiment, GeneratedKey, ListFilter, ReadableData,
} from './commands.js';
export * from './conditions.js';
export * from './elements.js';
export * from './errors.js';
export * from './hash.js';
export { heldSigner } from './held-signer.js';
export * from './hpke.js';
export * from './objects.js';
export * from './ops.js';
export * from './path.js';
export * from './pieces.js';
export * from './samples.js';
export type { ObjectCodec, Part } from './schema.js';
export * from './seal.js';
export * from './sign.js';
export * from './talk.js';
export * from './status.js';
export { TlvReader, tagName, writeTlv } from './tlv.js';
export type { Tlv } from './tlv.js';
