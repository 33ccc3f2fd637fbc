/**
 * Sealed files that contributors keep in stores of their own, as settings.
 * @module
 */
import { digestOf, type JsonObject } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { PoolFacts } from './facts-settings.js'

/**
 * What a pool's node keeps of accepted contributions: their sealed copies and encrypted rows (`escrow`), or neither (`live`), so that each job
 * uses what the owners' own stores give for it.
 */
export const keepSchema = z.enum(['escrow', 'live']).default('escrow')

/** What a pool's node keeps. */
export type Keep = z.output<typeof keepSchema>

/** How the owners' own stores are asked. */
export const ownCopiesSchema = z
  .strictObject({
    /** Seconds in which one store must have given one file whole; else the contribution is not live. */
    patienceSeconds: z.int().min(1).max(600).default(20),
    /** Seconds after which a job asks no further store; what was not asked by then is not live. */
    jobSeconds: z.int().min(1).max(3_600).default(300),
    /** Files that are fetched at the same time. */
    atOnce: z.int().min(1).max(64).default(8),
    /** Asks addresses of private networks and this machine as well, without TLS too: for tests alone. An owner names the address. */
    privateNetworks: z.boolean().default(false),
  })
  .prefault({})

/** How the owners' own stores are asked. */
export type OwnCopiesSettings = z.output<typeof ownCopiesSchema>

const usual = ownCopiesSchema.parse(undefined)

/** @returns the measured part; absent where it is the usual, so that older settings have the digests that they always had */
export function measuredOwnCopies(settings: OwnCopiesSettings): JsonObject {
  return digestOf({ ...settings }) === digestOf({ ...usual }) ? {} : { ownCopies: { ...settings } }
}

/**
 * A live pool goes with nothing that would hold its rows besides.
 * @throws NodeError `CONFIG_INVALID`
 */
export function requireLiveAlone(config: {
  readonly pools: readonly {
    readonly keep: Keep
    readonly facts: PoolFacts | null
    readonly validators: unknown
  }[]
  readonly handOff: unknown
  readonly federation: unknown
}): void {
  config.pools.forEach(({ keep, facts, validators }, index) => {
    if (keep === 'escrow') return
    const refuse = (place: string, why: string) =>
      new NodeError('CONFIG_INVALID', `pools.${index}.${place}`, why)
    if (facts !== null)
      throw refuse(
        'facts',
        'facts are counted over kept rows, and a live pool keeps none: set facts to null or keep to escrow',
      )
    if (validators !== null)
      throw refuse(
        'validators',
        'a validator cannot tell whether an owner’s store is silent to it alone: set validators to null or keep to escrow',
      )
    if (config.handOff !== null)
      throw refuse(
        'keep',
        'a runner would be given a live pool’s whole tables: leave handOff out or set keep to escrow',
      )
    if (config.federation !== null)
      throw refuse(
        'keep',
        'a home keeps its share of a job, and a live pool’s node keeps nothing: leave federation out or set keep to escrow',
      )
  })
}
