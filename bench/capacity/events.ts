import type { RecordEvent } from '../../reports/index.js';
import { scenarioParts } from '../../scenarios/index.js';
import { replayCutLine } from '../certify/options.js';
import type { CapacityOptions, CapacityPart, CapacityRow } from './types.js';

/** What a row did to the card, as the record names it. */
const faults: Readonly<Record<CapacityPart, string>> = {
  levels: 'memory', claims: 'memory', wear: 'wear', ram: 'ram', cuts: 'power-cut',
};

const needs: Readonly<Record<CapacityPart, readonly string[]>> = {
  levels: ['memory-fill'], claims: ['memory-fill'], wear: ['power-control'], ram: ['power-control'], cuts: ['memory-fill', 'power-control'],
};

function stepEvents({ point, scenario, steps = [] }: CapacityRow): RecordEvent[] {
  const { embodiment, phase } = scenarioParts(scenario);
  return steps.map(({ step, kinds, outcome, cycle }) => (
    { type: 'step', point, embodiment, phase, step, evidence: kinds, outcome, ...cycle !== undefined && { cycle } }
  ));
}

function shortageEvent(row: CapacityRow): RecordEvent[] {
  const { point, told, sw, at, holders = [], did, conserved } = row;
  if (told === undefined || sw !== '6A84') return [];
  return [{
    type: 'shortage', point, needed: told.needed, free: told.free, holders, sw, did, lost: conserved === false, ...at !== undefined && { step: at },
  }];
}

function levelEvent(row: CapacityRow): RecordEvent {
  const { point, part, before, condition, outcome, at, sw, need, room, told, holders = [], did, conserved, digest } = row;
  return {
    type: 'level', point, part, before, condition, outcome, holders, did, digest, case: row.case,
    ...at !== undefined && { step: at }, ...sw !== undefined && { sw }, ...need && { need }, ...room && { room }, ...told && { told },
    ...conserved !== undefined && { conserved },
  };
}

/** The events of one row for a record. */
export function rowEvents(options: CapacityOptions, row: CapacityRow): readonly RecordEvent[] {
  const { point, scenario, part, title, clause, applied, condition, findings, verdict, reasons, at, sw, cycle } = row;
  return [
    { type: 'point', point, scenario, title, clause, needs: needs[part], cycle: 0 },
    { type: 'fault', point, fault: faults[part], applied, text: condition },
    ...stepEvents(row), ...shortageEvent(row), levelEvent(row),
    ...findings.map(({ invariant, text, step }): RecordEvent => ({ type: 'finding', point, invariant, text, ...step !== undefined && { step } })),
    {
      type: 'verdict', point, verdict, cycle, clause, reasons, flags: [], replay: replayCutLine(options, row.case),
      ...at !== undefined && { step: at }, ...sw !== undefined && { sw },
    },
  ];
}

/** The events of a unit that has no result: its point does not pass. */
export function missingEvents(unit: string): readonly RecordEvent[] {
  const point = unit.replaceAll(':', '-');
  const scenario = `${unit.slice(0, 1)}/${unit.slice(2).split(':')[0]}`;
  return [
    { type: 'point', point, scenario, title: unit, clause: '', needs: [], cycle: 0 },
    { type: 'verdict', point, verdict: 'aborted', cycle: 0, clause: '', reasons: ['not run'], flags: [], replay: '' },
  ];
}
