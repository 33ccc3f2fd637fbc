import type { Job, JsonValue } from '@sealpool/sandbox'
import { RefineError } from '../errors.js'
import type { FunctionHost } from './direct-rows.js'

/** Where a run failed that a clock ended. */
const endOfTime = 'sandbox TIMEOUT'

/**
 * Runs an entry of a refiner, once more where the child was lost: that may have been the machine's fault; a second loss decides.
 *
 * @param host - code and sandbox
 * @param job - the entry and what it is given
 * @param subject - what is said not to have finished
 * @returns what it gave
 * @throws RefineError with `MAP_FAILED`
 */
export async function runEntry(
  host: FunctionHost,
  job: Pick<Job, 'entry' | 'input' | 'attachments'>,
  subject = 'The mapping',
): Promise<{ readonly output: JsonValue; readonly attachments?: readonly string[] }> {
  const whole = { code: host.code, limits: host.limits, ...job }
  let run = await host.runtime.run(whole)
  if (!run.ok && run.code === 'RUNTIME_LOST') run = await host.runtime.run(whole)
  // The run's message and logs stay here: they come from code that has seen the data.
  if (!run.ok) throw new RefineError('MAP_FAILED', `sandbox ${run.code}`, `${subject} did not finish`)
  return run
}

/**
 * Whether it was a clock that ended a run of a refiner: on another machine it may have come to an end.
 *
 * @param error - for which a contribution is refused
 * @returns true where it says nothing of the contribution by itself
 */
export function endedByClock({ code, place }: Pick<RefineError, 'code' | 'place'>): boolean {
  return code === 'MAP_FAILED' && place === endOfTime
}
