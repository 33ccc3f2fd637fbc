import type { JsonObject, JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { AttestError } from '../errors.js'
import type { BudgetRules } from './budget.js'
import type { ReceiptBody } from './receipt.js'

/** The rules of a pool's policy that a receipt is held against. The policy's own package checks the rest of it. */
export interface PoolRules {
  readonly name: string
  /** An attestation policy, not read yet. */
  readonly attestation: JsonObject
  /** Computations that the pool allows: names or digests of code. */
  readonly computations: readonly string[]
  readonly privacy: BudgetRules
}

const amount = z.number().min(0)
const poolRules = z.looseObject({
  format: z.literal('sealpool/pool-policy'),
  version: z.literal(1),
  name: z.string(),
  attestation: z.record(z.string(), z.json()),
  code: z.looseObject({ computations: z.array(z.string()) }),
  privacy: z.looseObject({
    accounting: z.enum(['basic', 'zcdp']),
    epsilon: amount,
    delta: amount,
    perJob: z.looseObject({ epsilon: amount, delta: amount }),
  }),
})

/**
 * Reads the rules out of a pool's policy.
 *
 * @param policy JSON whose digest the receipt names
 * @param name the pool's name in the receipt
 * @throws AttestError `BAD_RECEIPT` when it is no pool policy or the policy of a pool with another name
 */
export function parsePoolRules(policy: JsonValue | undefined, name: string): PoolRules {
  const result = poolRules.safeParse(policy)
  if (!result.success) {
    const place = ['policy', ...(result.error.issues[0]?.path.map(String) ?? [])].join('.')
    throw new AttestError('BAD_RECEIPT', place, `The policy of pool ${name} is no pool policy`)
  }
  const { attestation, code, privacy } = result.data
  if (result.data.name !== name) {
    throw new AttestError(
      'BAD_RECEIPT',
      'policy.name',
      `The receipt calls the pool ${name}, its policy does not`,
    )
  }
  return { name, attestation: attestation as JsonObject, computations: code.computations, privacy }
}

const manifestSchema = z.looseObject({
  kind: z.enum(['query', 'compute']),
  pools: z.array(z.looseObject({ address: z.string() })),
  consumer: z.looseObject({ address: z.string() }),
})

/**
 * Whether a manifest says the same about the job as the receipt. The manifest of a refused job may be malformed: that may be
 * why it was refused.
 *
 * @param manifest JSON whose digest the receipt names
 * @returns undefined when they agree, else what differs
 */
export function manifestProblem(manifest: JsonValue, receipt: ReceiptBody): string | undefined {
  const result = manifestSchema.safeParse(manifest)
  if (!result.success) return receipt.outcome === 'refused' ? undefined : 'it is no job manifest'
  const { kind, consumer, pools } = result.data
  if (kind !== receipt.job.kind) return `the manifest is of a ${kind} job, the receipt of another`
  if (consumer.address.toLowerCase() !== receipt.job.consumer.toLowerCase()) {
    return 'the manifest names another consumer'
  }
  if (receipt.outcome === 'refused') return undefined
  const asked = pools.map(({ address }) => address.toLowerCase()).sort()
  const touched = receipt.pools.map(({ pool }) => pool.toLowerCase()).sort()
  return asked.join() === touched.join() ? undefined : 'the receipt is about other pools than the manifest'
}
