import { exchangeOf, exchanges, frameOf } from '../catalogue/registry.js';
import { ScenarioError } from '../errors.js';
import type { ScenarioId, StepId } from '../ports.js';
import type { Stop } from './judge.js';
import type { Run } from './operations.js';
import type { Boundary, ClaimState, EndCause, Progress, ScenarioInput, ScenarioListener, ScenarioOutput, StepEvidence } from './types.js';

/** Milliseconds a call may take when the options do not say. */
export const DEFAULT_PATIENCE = 60_000;

/** What a machine carries from state to state. */
export interface Context extends Run {
  readonly listener?: ScenarioListener;
  /** Evidence of the exchange under way, not yet reached. */
  readonly ahead: readonly StepEvidence[];
  readonly evidence: readonly StepEvidence[];
  readonly stop?: Stop;
  readonly already: boolean;
  /** The place to go on from. */
  readonly at: Boundary;
}

/** The claim states a scenario has: the backup phases delete by claim 25, the value recoveries by claim 26. */
export const claimsOf = (scenario: ScenarioId): readonly ClaimState[] => frameOf(scenario).claims.map(({ state }) => state);

/**
 * Every place where a scenario can be taken up: the first steps of its exchanges, then its claim states.
 * @throws ScenarioError `SCENARIO_UNKNOWN`
 */
export function boundaries(scenario: ScenarioId): readonly Boundary[] {
  return [...exchanges(scenario).map(([first]) => first), ...claimsOf(scenario)];
}

/** What must be known to go on at each boundary. */
function needsAt(scenario: ScenarioId, at: Boundary): readonly (keyof Progress)[] {
  const { exchanges: numbered, claims } = frameOf(scenario);
  return (claims.find(({ state }) => state === at) ?? numbered.find(({ steps }) => steps[0] === at))?.needs ?? [];
}

/** The boundary at or before a step. */
function boundaryOf(scenario: ScenarioId, at: string): Boundary {
  const claim = claimsOf(scenario).find((state) => state === at);
  try {
    return claim ?? exchangeOf(scenario, at)[0];
  } catch {
    throw new ScenarioError('SCENARIO_RESUME', `${scenario} cannot begin at ${at}`,
      `Nothing was sent; it can begin at ${boundaries(scenario).join(', ')}`);
  }
}

/** Scenarios in which what is divided may be a seed. */
const dividing = /^6\/key-/;

/** Options and ports a scenario cannot be started with. */
function checkInput(scenario: ScenarioId, { ports, options = {} }: ScenarioInput): void {
  const { without = [], ports: roles } = frameOf(scenario);
  const strange = without.find((name) => options[name] !== undefined);
  if (strange !== undefined)
    throw new ScenarioError('SCENARIO_OPTIONS', `${scenario} has no ${strange}, ${JSON.stringify(options[strange])} was asked for`, 'Nothing was sent; leave it out');
  if (options.keyKind === 'seed' && !dividing.test(scenario))
    throw new ScenarioError('SCENARIO_OPTIONS', `${scenario} divides no seed`, 'Nothing was sent; ask for another keyKind');
  if (options.patience !== undefined && !(options.patience > 0))
    throw new ScenarioError('SCENARIO_OPTIONS', `patience is ${options.patience} ms`, 'Nothing was sent; give a number above 0');
  const absent = roles.filter((role) => !(role in ports));
  if (absent.length > 0)
    throw new ScenarioError('SCENARIO_OPTIONS', `${scenario} was given no ${absent.join(' and no ')}`, `Nothing was sent; it needs the ports ${roles.join(', ')}`);
}

/**
 * The first context of a machine.
 * @throws ScenarioError `SCENARIO_OPTIONS` for options the scenario does not have, `SCENARIO_RESUME` for a resume point
 * that is no place of the scenario or lacks what is needed there
 */
export function contextOf(scenario: ScenarioId, input: ScenarioInput): Context {
  const { ports, options = {}, resume, listener } = input;
  checkInput(scenario, input);
  const base = { scenario, ports, options, ahead: [], evidence: [], already: false, ...listener && { listener } };
  if (!resume) return { ...base, progress: {}, at: exchanges(scenario)[0][0] };
  const { at: asked, ...progress } = resume;
  const at = boundaryOf(scenario, asked);
  const lacking = needsAt(scenario, at).filter((name) => progress[name] === undefined);
  if (lacking.length > 0)
    throw new ScenarioError('SCENARIO_RESUME', `${scenario} cannot begin at ${at} without ${lacking.join(' and ')}`,
      'Nothing was sent; begin earlier or give them');
  return { ...base, progress, at, resumedAt: at };
}

function flagsOf(context: Context): readonly string[] {
  if (frameOf(context.scenario).system !== 'backup') return [];
  const used = context.options.hash ?? 'SHA-256';
  return used === 'SHA-256' || context.scenario.endsWith('recover') ? certificateFlags(context) : [`legacy-hash ${used}`];
}

function certificateFlags(context: Context): readonly string[] {
  const used = context.progress.certificate?.hashAlgorithm ?? 'SHA-256';
  return used === 'SHA-256' ? [] : [`legacy-hash ${used}`];
}

const verdicts: Record<EndCause, ScenarioOutput['verdict']> = {
  done: 'pass', refused: 'fail', late: 'fail', link: 'fail', unexpected: 'fail', aborted: 'aborted',
};

/** The output of a machine in one of its end states. */
export function outputOf(context: Context): ScenarioOutput {
  const { stop } = context;
  const cause = stop?.cause ?? 'done';
  const last = context.evidence.at(-1)?.step ?? (context.at);
  return {
    scenario: context.scenario, verdict: verdicts[cause], cause, step: stop?.step ?? last,
    ...stop?.sw !== undefined && { sw: stop.sw },
    ...stop?.safeCode !== undefined && { safeCode: stop.safeCode },
    text: stop?.text ?? (context.already ? 'the goal had been reached before' : 'done'),
    already: context.already, evidence: context.evidence, flags: flagsOf(context),
    resume: { at: context.at, ...context.progress },
  };
}

/** True for a step of the catalogue, false for a claim state. */
export const isStep = (at: Boundary): at is StepId => !at.startsWith('claim-');
