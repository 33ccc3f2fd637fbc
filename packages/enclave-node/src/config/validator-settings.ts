/**
 * Settings of contributions that several nodes judge: whom the home of a pool asks, and for whom a node judges.
 * @module
 */
import { type Address, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { consentsSchema, measuredConsents } from './consent-settings.js'
import { digestSchema } from './digest-schema.js'
import { judgingRules, measuredJudging } from './judging-rules.js'
import { refinerFileSchema } from './refiner-file-schema.js'
import { measuredEarlier, rescoredForOthersSchema } from './rescoring-settings.js'

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected 0x and 40 hex digits')
  .transform((text): Address => text.toLowerCase() as Address)
const nodeUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''))

/**
 * Who judges a pool's contributions besides its home, and how many of all of them, the home included, must say the same before a
 * verdict counts; null: the home alone.
 */
export const validatorsSchema = z
  .strictObject({
    threshold: z.int().min(2).max(16),
    /** The other nodes by statement key, and where they are asked. Each is attested before anything is said to it. */
    nodes: z
      .array(z.strictObject({ address, url: nodeUrl }))
      .min(1)
      .max(15),
  })
  .superRefine(({ threshold, nodes }, context) => {
    const all = nodes.length + 1
    if (threshold * 2 <= all || threshold > all) {
      context.addIssue({
        code: 'custom',
        path: ['threshold'],
        message: 'expected more than half of all validators, this node included, and not more than all',
      })
    }
    if (new Set(nodes.map((node) => node.address)).size !== nodes.length)
      context.addIssue({ code: 'custom', path: ['nodes'], message: 'a validator is listed twice' })
  })
  .nullable()
  .default(null)

/** Who judges a pool's contributions besides its home. */
export type PoolValidators = NonNullable<z.output<typeof validatorsSchema>>

/** @returns what is measured of them: whose word counts, and not where they are asked */
export function measuredValidators({ threshold, nodes }: PoolValidators): JsonObject {
  return { threshold, nodes: nodes.map((node) => node.address).sort() }
}

/** For which pools of other homes a node judges contributions; null: for none. */
export const validatesSchema = z
  .strictObject({
    /** Base addresses of the pools' homes. Each is attested before anything of its pool is judged. */
    nodes: z.array(nodeUrl).min(1).max(50),
    /** Policy, proof and refiner must be those on the chain; which refiner, the policy says, and it is measured. */
    pools: z
      .array(
        z.strictObject({
          address,
          policy: z.record(z.string(), z.json()),
          poc: z.looseObject({ code: z.string().min(1), digest: digestSchema }),
          refiner: refinerFileSchema,
          ...judgingRules,
          /** Texts that count, as the home has them. */
          consents: consentsSchema,
          /** Older policies, as the home has them. */
          rescoring: rescoredForOthersSchema,
        }),
      )
      .min(1)
      .max(100),
  })
  .nullable()
  .default(null)

/** For which pools of other homes a node judges. */
export type ValidatesSettings = z.output<typeof validatesSchema>

/** @throws NodeError `CONFIG_INVALID` when a pool is judged for another home twice, or is served here as well */
export function requireOthersPools({
  pools,
  validates,
}: {
  readonly pools: readonly { readonly address: Address }[]
  readonly validates: ValidatesSettings
}): void {
  const seen = new Set(pools.map((pool) => pool.address))
  for (const pool of validates?.pools ?? []) {
    if (seen.has(pool.address)) {
      const why =
        'a pool is judged for another home once, and not where it is served; take it out of one list'
      throw new NodeError('CONFIG_INVALID', `validates.pools ${pool.address}`, why)
    }
    seen.add(pool.address)
  }
}

/** @returns what is measured of them; nothing where there is none, so that it changes no other node's keys */
export function measuredValidates(validates: ValidatesSettings): JsonObject {
  if (validates === null) return {}
  const pools = validates.pools
    .map((pool) => ({
      address: pool.address,
      policy: digestOf(pool.policy as JsonValue),
      poc: pool.poc.digest,
      ...measuredJudging(pool),
      ...(pool.consents === null ? {} : { consents: measuredConsents(pool.consents) }),
      ...(pool.rescoring === null ? {} : { rescoring: measuredEarlier(pool.rescoring) }),
    }))
    .sort((a, b) => (a.address < b.address ? -1 : 1))
  return { validates: { pools } }
}
