import type { ThresholdKey } from './session.js'

/**
 * One member's share of a threshold key. Secret: keep it where the member's other keys are, never in a log. After a
 * resharing or a refresh the old share must be destroyed; otherwise old shares add up to the key as before.
 */
export interface ThresholdShare {
  /** The member's place in `key.members`, from 1. */
  readonly index: number
  /** 32 secret bytes. */
  readonly secret: Uint8Array
  readonly key: ThresholdKey
}
