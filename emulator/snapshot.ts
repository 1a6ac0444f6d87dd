import type { Violation } from './types.js';
import type { Core } from './cpu/core.js';

/** The fields of the core that a snapshot copies by value. */
export const SCALARS = [
  'n',
  'z',
  'c',
  'v',
  'i',
  'lost',
  'thumb',
  'otherSp',
  'primask',
  'control',
  'ipsr',
  'eventRegister',
  'sleeping',
  'lockedUp',
  'left',
  'end',
  'instructions',
  'fault',
  'ready',
  'sysPending',
  'sysActive',
  'irqLines',
  'irqPending',
  'irqEnabled',
  'irqActive',
  'activePriority',
  'scr',
  'vtor',
  'resetRequested',
  'exitCode',
  'tickControl',
  'tickReload',
  'tickFlag',
  'tickValue',
  'tickSince',
  'tickEvent',
  'spWatch',
  'stackLow',
  'stackLimit',
  'limitLow',
] as const;

/** Those fields with their types. */
export type CoreScalars = Pick<Core, (typeof SCALARS)[number]>;

/** State of a machine: core, RAM and devices. Structured-clonable; the image is not part of it. */
export interface MachineSnapshot {
  readonly scalars: CoreScalars;
  readonly inRam: boolean;
  readonly r: Int32Array;
  readonly priority: Uint8Array;
  readonly ram: Uint8Array;
  readonly devices: readonly unknown[];
  readonly violations: readonly Violation[];
  readonly violationCount: number;
}
