/**
 * Has the pool's refiner say whether it takes a file that the proof accepts: what gives no row is of no use to anybody, and is not paid.
 * @module
 */
import { checkContribution } from '@sealpool/refine'
import type { JobRuntime, Limits } from '@sealpool/sandbox'
import type { IngestRefusal } from '../state/contribution-state.js'
import type { ServedPool } from './served-pool.js'

/** Why a refiner does not take a file. */
export interface RefinerRefusal {
  readonly code: Extract<IngestRefusal, 'REFINER_REFUSED' | 'REFINER_TIMEOUT'>
  /** `refiner.` and one of the codes of `@sealpool/refine`, or `NO_ROWS`: no position in the file, which only its contributor needs and finds with a preflight. */
  readonly place: string
}

/**
 * Refines a file and forgets its rows. They are made again, many files together, once the verdict stands on the chain: kept until then, they would lie
 * in memory in the clear, without a bound, and every stop would lose them anyway.
 * @returns undefined when it gives rows
 * @throws what is the pool's or the machine's fault; an error of the language itself as it is, see `judgeOpened`
 */
export async function refineToJudge(
  { refiner }: Pick<ServedPool, 'refiner'>,
  { bytes, mediaType }: { readonly bytes: Uint8Array; readonly mediaType: string },
  { runtime, limits }: { readonly runtime: JobRuntime; readonly limits: Limits },
): Promise<RefinerRefusal | undefined> {
  const check = await checkContribution({ refiner, runtime, limits, contribution: { bytes, mediaType } })
  if (check.ok) return check.rows > 0 ? undefined : { code: 'REFINER_REFUSED', place: 'refiner.NO_ROWS' }
  return { code: check.byClock ? 'REFINER_TIMEOUT' : 'REFINER_REFUSED', place: `refiner.${check.code}` }
}
