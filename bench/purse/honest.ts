import { purseDefinitions, runDefinition } from '../../scenarios/index.js';
import type {
  PurseOptions, PursePorts, PurseProgress, ResumeAt, ScenarioDefinition, ScenarioId, ScenarioListener, ScenarioOutput,
} from '../../scenarios/index.js';
import { fromHex } from '../codec/index.js';
import { BenchError } from '../world/errors.js';
import { challengeIds, paymentsKept, purse } from './commands.js';
import { equalBytes } from '../codec/index.js';
import type { PurseWorld } from './world.js';

/** Output of a transfer. */
export type TransferOutput = ScenarioOutput<PurseProgress>;

/** The machine of a transfer. Throws BenchError BENCH_USAGE. */
export function transferDefinition(scenario: ScenarioId): ScenarioDefinition<PursePorts, PurseOptions, PurseProgress> {
  const found = purseDefinitions.find(({ frame }) => frame.id === scenario);
  if (found) return found;
  throw new BenchError('BENCH_USAGE', `${scenario} is no transfer`);
}

/** Runs a transfer, from its start or where another run stopped. */
export function runTransfer(
  scenario: ScenarioId, ports: PursePorts, options: PurseOptions,
  { resume, listener }: { readonly resume?: ResumeAt<PurseProgress>; readonly listener?: ScenarioListener<PurseProgress> } = {},
): Promise<TransferOutput> {
  return runDefinition(transferDefinition(scenario), { ports, options, ...resume && { resume }, ...listener && { listener } });
}

/** Drops open challenges that no payer has paid and that the terminal does not know: their answers were lost. */
async function dropLost(world: PurseWorld, known: string | undefined): Promise<void> {
  const { line: payee } = world.bench.slot('payee');
  const { line: payer } = world.bench.slot('payer');
  const open = challengeIds((await payee.transmit(purse.getData('open'))).data);
  const paid = paymentsKept((await payer.transmit(purse.getData('paid'))).data);
  for (const id of open) {
    if (known !== undefined && equalBytes(id, fromHex(known))) continue;
    if (!paid.some(({ challengeId }) => equalBytes(challengeId, id))) await payee.transmit(purse.drop(id));
  }
}

/**
 * Goes on after a run that did not come to its end, as an honest terminal does: at the exchange that failed, with what
 * was obtained before. What the payee prepared is lost with its power, so embodiment 2 begins again at P-3.
 */
export async function resumeTransfer(
  world: PurseWorld, options: PurseOptions, { scenario, resume }: TransferOutput, listener?: ScenarioListener<PurseProgress>,
): Promise<TransferOutput> {
  await dropLost(world, resume.challenge?.challengeId);
  const at = scenario === 'purse/2/transfer' && (resume.at === 'P-3a' || resume.at === 'P-3b') ? 'P-3' : resume.at;
  return runTransfer(scenario, world.ports, options, { resume: { ...resume, at }, ...listener && { listener } });
}
