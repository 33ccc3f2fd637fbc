import type { PocVerdict } from '@sealpool/poc'
import type { IngestRefusal } from '../state/contribution-state.js'

/** What ends a run by a clock; the first is a refusal of the proof's own. */
const byTheClock: readonly string[] = ['POC_TIMEOUT', 'REFINER_TIMEOUT' satisfies IngestRefusal]

/** @returns whether a clock ended the run of the proof or of the refiner: on another machine it may have come to an end */
export function endedByClock({ refusal }: Pick<PocVerdict, 'refusal'>): boolean {
  return refusal !== null && byTheClock.includes(refusal.code)
}
