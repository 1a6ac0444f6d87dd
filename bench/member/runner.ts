import type { PointRelatedEvent } from '../../reports/index.js';
import { memberPlan } from '../../scenarios/index.js';
import type { MemberPoint } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { pointEvent, verdictEvent } from '../certify/point-runner.js';
import type { PointRunner } from '../certify/point-runner.js';
import { toHex } from '../codec/index.js';
import { SlotWatch } from '../world/slot-watch.js';
import type { Shown } from '../world/slot-watch.js';
import { memberCutPhases, runMemberCuts } from './cuts.js';
import { emulatedMemberCard, MemberFactory } from './factory.js';
import { runMemberPoint } from './point.js';
import type { MemberListening } from './point.js';

const factories = new WeakMap<WorldFactory, MemberFactory>();

function factoryOf(factory: WorldFactory): MemberFactory {
  const known = factories.get(factory) ?? new MemberFactory(factory.setup.seed, factory.ops, () => emulatedMemberCard(factory.setup, factory));
  factories.set(factory, known);
  return known;
}

/** What happens in a point as record events, and what the card shows beside its answers. */
function listening(point: MemberPoint, factory: MemberFactory, events: PointRelatedEvent[]): MemberListening & { readonly shown: () => Shown } {
  let watch: SlotWatch | undefined;
  factory.hooks = {
    exchanged: (_, { protocol, command, answer, startedAt, endedAt, secret }) => events.push({
      type: 'apdu', point: point.id, cycle: startedAt, cycles: endedAt - startedAt, protocol, command: `${toHex(command)}${secret ? '..' : ''}`, answer: toHex(answer),
    }),
    finding: (...told) => { watch?.hooks.finding(...told); },
    ending: (...told) => { watch?.hooks.ending(...told); },
  };
  return {
    began: ({ bench }) => { watch = new SlotWatch(point.id, bench); },
    shown: () => watch?.end() ?? { events: [], problems: [] },
    listener: (event) => {
      if (event.type !== 'step') return;
      const { step, kinds, outcome, cycle } = event.evidence;
      const phase = point.scenario.split('/')[2];
      events.push({ type: 'step', point: point.id, system: 'member', embodiment: 1, phase, step, evidence: kinds, outcome, ...cycle !== undefined && { cycle } });
    },
  };
}

/** Points of the member system on one card and the settlement centre. */
export const memberRunner: PointRunner = {
  system: 'member',
  plan: memberPlan.id,
  points: () => memberPlan.points,
  async run(id, { factory, replay }) {
    const point = memberPlan.points.find((one) => one.id === id);
    if (!point) throw new Error(`the plan of the member system has no point ${id}`);
    const members = factoryOf(factory);
    const events: PointRelatedEvent[] = [pointEvent(point)];
    const listens = listening(point, members, events);
    const { verdict, reasons, findings, step } = await runMemberPoint(point, members, listens);
    const shown = listens.shown();
    const departed = verdict === 'pass' && shown.problems.length > 0;
    events.push(...shown.events, ...shown.usage ? [shown.usage] : []);
    for (const { invariant, text } of findings) events.push({ type: 'finding', point: id, invariant, text });
    events.push(verdictEvent(
      point, { verdict: departed ? 'fail' : verdict, reasons: [...reasons, ...shown.problems], ...step !== undefined && { step } },
      { cycle: shown.usage?.cycles ?? 0, replay: replay(id) },
    ));
    return events;
  },
};

/** Power cuts at random moments of registration and trade. */
export const memberCutRunner: PointRunner = {
  system: 'member',
  plan: memberPlan.id,
  points: ({ cuts }) => (cuts > 0 ? memberCutPhases.map(({ id, title, phase }) => ({
    id, title, scenario: `member/1/${phase}`, clause: { steps: [], claims: [], rules: ['member 3-14'] }, needs: ['member', 'power-control'], flags: [],
  })) : []),
  async run(id, { factory, options, replay }) {
    const phase = memberCutPhases.find((one) => one.id === id);
    const point = memberCutRunner.points(options).find((one) => one.id === id);
    if (!phase || !point) throw new Error(`the plan of the member system has no point ${id}`);
    const cuts = await runMemberCuts(factoryOf(factory), phase, options.cuts, options.seed);
    const reasons = cuts.flatMap(({ tick, problems }) => problems.map((text) => `cut at tick ${tick}: ${text}`));
    const fired = cuts.filter((cut) => cut.fired).length;
    const verdict = reasons.length > 0 ? 'fail' : fired === 0 ? 'invalid' : 'pass';
    return [
      pointEvent(point), { type: 'fault', point: id, fault: 'power-cut', applied: fired > 0, text: `${fired} of ${cuts.length} cuts before the end of the phase`, cycle: 0 },
      verdictEvent(point, { verdict, reasons: verdict === 'invalid' ? ['no cut fired'] : reasons }, { replay: `${replay(id)} --cuts ${options.cuts}` }),
    ];
  },
};
