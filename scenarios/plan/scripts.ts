import type { Embodiment, HashAlgorithm, Variant } from '../ports.js';
import type { ItemRef, ObjectRef, Ref, ScriptCommand } from './script.js';

/** What differs between the embodiments in direct commands. */
export const variantOf = (embodiment: Embodiment): Variant => (embodiment === 1 ? 'plain' : 'public-key');

/** REGISTER BEGIN of an item by the embodiment's first variant. */
export const begin = (
  embodiment: Embodiment, item: ItemRef, save: Ref, expect = '9000', hash: HashAlgorithm = 'SHA-256',
): ScriptCommand => ({ do: 'register-begin', embodiment, variant: variantOf(embodiment), item, hash, expect, save });

/** REGISTER END of a value. */
export const finish = (embodiment: Embodiment, certificate: ObjectRef, expect: string | readonly string[] = '9000'): ScriptCommand =>
  ({ do: 'register-end', embodiment, what: 'value', certificate, expect });

/** The whole registration of an item by commands; its certificate is saved. */
export const registered = (embodiment: Embodiment, item: Ref, save: Ref): readonly ScriptCommand[] => [
  begin(embodiment, item, '$request'),
  { do: 'safe-register', request: '$request', expect: '200', save },
  finish(embodiment, save),
];

/** RECOVER BEGIN of an item's certificate, which is saved. */
export const recoverBegin = (embodiment: Embodiment, item: ItemRef, save: Ref, expect = '9000'): ScriptCommand =>
  ({ do: 'recover-begin', embodiment, what: 'value', item, expect, save });

/** RECOVER END with a saved object. */
export const recoverEnd = (embodiment: Embodiment, item: ItemRef, object: ObjectRef, expect = '9000'): ScriptCommand =>
  ({ do: 'recover-end', embodiment, item, object, expect });

/** The whole recovery of an item by commands; certificate and object are saved. */
export const recovered = (embodiment: Embodiment, item: Ref, certificate: Ref, object: Ref): readonly ScriptCommand[] => [
  recoverBegin(embodiment, `${item}.certificate`, certificate),
  { do: 'safe-retrieve', certificate, expect: '200', save: object },
  recoverEnd(embodiment, `${item}.certificate`, object),
];

/** A load object for a sample. */
export const load = (sample: string, number: number, save: Ref, expect = '9000'): ScriptCommand =>
  ({ do: 'load', object: { make: 'load', sample, number }, expect, save });
