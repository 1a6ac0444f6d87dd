import type { Fault, ObjectName, Place } from './faults.js';

/** One bit of an element of an object that crosses is another. */
export const flip = (at: Place, object: ObjectName, element: string, bit = 0): Fault => ({ fault: 'alter', at, object, element, how: { how: 'flip', bit } });
/** Cold reset behind a step. */
export const cold = (after: Place): Fault => ({ fault: 'reset', after, kind: 'cold' });
/** A command never arrives at the card, or its answer does not come back. */
export const lost = (at: Place, how: 'lost-command' | 'lost-answer' = 'lost-answer'): Fault => ({ fault: 'link', at, how });
/** The safe cannot be reached. */
export const unreachable = (at: Place): Fault => ({ fault: 'safe', at, how: 'unreachable' });
