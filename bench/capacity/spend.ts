import type { Finding, ScenarioOutput } from '../../scenarios/index.js';
import { runHonestly } from '../certify/prepare.js';
import { orBrick } from '../tear/rest.js';
import { endSession, goOn, holdersOf, plenty, spendAll, Watch } from './look.js';
import { makeRoom, roomOf } from './room.js';
import { ended, named, plain, reasonsOf } from './rows.js';
import type { Stages } from './stage.js';
import { placesOf } from './subject.js';
import type { CapacityRow } from './types.js';

const strangeEnd = ({ cause, step, sw, text }: ScenarioOutput): string[] =>
  (cause === 'done' || sw === '6A84' ? [] : [`ended in ${cause} at ${step} (${text}), expected done or 6A84`]);

/**
 * The scenario on a memory without a free page; then room is made, the scenario goes on, and every value of worth there
 * is, those that fill the memory included, is spent whole and tried once more.
 */
export async function runSpend(stages: Stages): Promise<CapacityRow> {
  const { run } = stages.subject;
  const watch = new Watch();
  const world = stages.fork(await stages.full('pages'), watch.hooks);
  await world.open();
  const [room, holders] = [roomOf(world), holdersOf(world)];
  const end = await runHonestly(run, world);
  const cycle = world.line.now();
  const findings: Finding[] = [];
  if (end.cause !== 'done') await orBrick(findings, 'going on', async () => {
    await makeRoom(world, plenty.pages, plenty.entries);
    const last = await goOn(stages, world);
    if (last.cause !== 'done') findings.push({ invariant: 'I11', text: `with room again the scenario ended at ${last.step}: ${last.text}` });
  });
  watch.collect(world);
  const { rest, digest } = await endSession(world);
  const worth = new Set([...rest.knows.ledger.values()].filter(({ quantity }) => quantity > 0).map(({ issueId }) => issueId));
  const all = [...findings, ...watch.findings, ...await spendAll(stages, rest, worth)];
  const reasons = [...strangeEnd(end), ...reasonsOf(all)];
  return {
    ...named(stages, {
      part: 'levels', title: 'everything on a full memory is spent', before: placesOf(stages.subject)[0], condition: 'spend-everything', what: ['spend'],
    }),
    applied: room.free === 0, outcome: end.cause === 'done' ? 'done' : end.cause === 'refused' ? 'refused' : 'broke', ...ended(end), room, holders,
    did: `${worth.size} values spent after it`, conserved: all.length === 0, findings: plain(all), verdict: reasons.length > 0 ? 'fail' : 'pass',
    reasons, cycle, digest,
  };
}
