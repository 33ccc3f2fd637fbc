import type { Check } from '@sealpool/attest'
import type { Hex } from '@sealpool/crypto'

/** What a public log says of a measurement. `not-checked` (the log did not answer) counts as a no. */
export type LogAnswer = Pick<Check, 'result' | 'detail'>

/**
 * Asks a public log whether a measurement stands in it.
 *
 * @param measurement what the node is registered with, 32 bytes
 * @param at the moment of the question
 * @returns the answer; never throws for what the log says or does
 */
export type MeasurementLog = (measurement: Hex, at: Date) => Promise<LogAnswer>
