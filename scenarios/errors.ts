/** Every code a {@link ScenarioError} can carry. */
export type ScenarioErrorCode =
  | 'CATALOGUE_FORMAT'
  | 'CATALOGUE_UNKNOWN'
  | 'SCENARIO_UNKNOWN'
  | 'SCENARIO_OPTIONS'
  | 'SCENARIO_RESUME'
  | 'PLAN_UNKNOWN'
  | 'PLAN_INVALID';

/** An error with a stable code; the message says what happened and, after it, what is still true or to do next. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly code: ScenarioErrorCode;

  /**
   * @param code the stable code
   * @param what what happened, with the value found and the value expected
   * @param next what is still true and what to do next
   */
  constructor(code: ScenarioErrorCode, what: string, next: string) {
    super(`${code}: ${what}. ${next}.`);
    this.code = code;
  }
}
