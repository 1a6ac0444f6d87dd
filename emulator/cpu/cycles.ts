/** What decides the cost of an instruction. */
export type CycleClass =
  | 'alu'
  | 'multiply'
  | 'pc-write'
  | 'load'
  | 'store'
  | 'multiple'
  | 'pop'
  | 'branch'
  | 'conditional'
  | 'call'
  | 'exchange'
  | 'call-exchange'
  | 'system'
  | 'barrier'
  | 'wait'
  | 'exception';

/** Cycle counts of one core with zero-wait-state memory. Every number is in core clock cycles. */
export interface CycleTable {
  readonly core: 'cortex-m0' | 'cortex-m0plus';
  readonly source: string;
  /** CPUID as the core reports it (implementer, part, revision). */
  readonly cpuid: number;
  readonly alu: number;
  /** ADD or MOV with the PC as destination. */
  readonly pcWrite: number;
  readonly load: number;
  readonly store: number;
  /** LDM, STM, PUSH, POP: this plus N registers. */
  readonly multipleBase: number;
  /** POP with the PC: this plus N registers, N counting the PC. */
  readonly popPcBase: number;
  readonly branch: number;
  readonly conditionalNotTaken: number;
  readonly conditionalTaken: number;
  readonly call: number;
  readonly exchange: number;
  readonly callExchange: number;
  readonly system: number;
  readonly barrier: number;
  readonly wait: number;
  /** SVC, BKPT and UDF themselves; the exception entry is charged on top. */
  readonly exception: number;
  /** From the end of the interrupted instruction to the first instruction of the handler. */
  readonly exceptionEntry: number;
  /** Unstacking after the returning BX or POP. */
  readonly exceptionExit: number;
  /** From the returning BX or POP to the first instruction of the next handler. */
  readonly tailChain: number;
}

/**
 * Cortex-M0, ARM DDI 0432C, table 3-1; interrupt latency 16 from 3.1.
 * The manual gives no figure for exit and tail-chaining: exit is taken as the eight words popped plus two
 * refill cycles, tail-chaining as 6 (model decisions, not measurements).
 */
export const CORTEX_M0_CYCLES: CycleTable = {
  core: 'cortex-m0',
  source: 'ARM DDI 0432C, table 3-1',
  cpuid: 0x410cc200,
  alu: 1,
  pcWrite: 3,
  load: 2,
  store: 2,
  multipleBase: 1,
  popPcBase: 4,
  branch: 3,
  conditionalNotTaken: 1,
  conditionalTaken: 3,
  call: 4,
  exchange: 3,
  callExchange: 3,
  system: 4,
  barrier: 4,
  wait: 2,
  exception: 1,
  exceptionEntry: 16,
  exceptionExit: 10,
  tailChain: 6,
};

/** Cortex-M0+, ARM DDI 0484C, table 3-1; interrupt latency 15. Exit and tail-chaining as for the M0. */
export const CORTEX_M0PLUS_CYCLES: CycleTable = {
  core: 'cortex-m0plus',
  source: 'ARM DDI 0484C, table 3-1',
  cpuid: 0x410cc601,
  alu: 1,
  pcWrite: 2,
  load: 2,
  store: 2,
  multipleBase: 1,
  popPcBase: 3,
  branch: 2,
  conditionalNotTaken: 1,
  conditionalTaken: 2,
  call: 3,
  exchange: 2,
  callExchange: 2,
  system: 3,
  barrier: 3,
  wait: 2,
  exception: 1,
  exceptionEntry: 15,
  exceptionExit: 10,
  tailChain: 6,
};

/** The fixed part of a class's cost; `multiple` and `pop` take the number of registers, `pop` whether the PC is among them. */
export function classCycles(table: CycleTable, cls: CycleClass, registers: number, withPc: boolean, multiplier: number): number {
  switch (cls) {
    case 'alu':
      return table.alu;
    case 'multiply':
      return multiplier;
    case 'pc-write':
      return withPc ? table.pcWrite : table.alu;
    case 'load':
      return table.load;
    case 'store':
      return table.store;
    case 'multiple':
      return table.multipleBase + registers;
    case 'pop':
      return (withPc ? table.popPcBase : table.multipleBase) + registers;
    case 'branch':
      return table.branch;
    case 'conditional':
      return table.conditionalNotTaken;
    case 'call':
      return table.call;
    case 'exchange':
      return table.exchange;
    case 'call-exchange':
      return table.callExchange;
    case 'system':
      return table.system;
    case 'barrier':
      return table.barrier;
    case 'wait':
      return table.wait;
    case 'exception':
      return table.exception;
  }
}
