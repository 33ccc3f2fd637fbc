import type { JobRuntime } from '@sealpool/sandbox'
import { RefineError } from '../errors.js'

/**
 * Refuses a runtime in which the same refiner may give other rows on another machine: native programs. Rows are audited by refining again.
 *
 * @param runtime - where a refiner is to run
 * @throws RefineError with `ARGUMENT_INVALID`
 */
export function requireRepeatable(runtime: Pick<JobRuntime, 'repeatable'>): void {
  if (runtime.repeatable !== false) return
  const remedy = 'The runtime does not give the same rows on every machine: use QuickJS'
  throw new RefineError('ARGUMENT_INVALID', 'runtime', remedy)
}
