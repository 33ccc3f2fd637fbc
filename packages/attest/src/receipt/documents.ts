import { type Digest, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import {
  amount,
  digestText,
  either,
  integer,
  list,
  oneOf,
  optional,
  type Reader,
  record,
  ShapeError,
  schema,
  text,
} from '../shape/shape.js'
import type { BudgetRules } from './budget.js'
import { gpusProblem } from './gpus.js'
import type { ReceiptBody } from './receipt.js'
import { type ViewRules, viewRules } from './view-rules.js'

/** The rules of a pool's policy that a receipt is held against. The policy's own package checks the rest of it. */
export interface PoolRules {
  readonly name: string
  /** An attestation policy, not read yet. */
  readonly attestation: JsonObject
  /** Computations that the pool allows: names or digests of code. */
  readonly computations: readonly string[]
  /** Programs that the computation `program` may be: those that are voted for, or those of a list; undefined: none. */
  readonly programs: Programs | undefined
  /** Digest of its access rules; undefined when it has none. */
  readonly access: Digest | undefined
  /** The most that recipients may get; undefined when it says nothing of that. */
  readonly views: ViewRules | undefined
  readonly privacy: BudgetRules
}

type Programs = 'voted' | Digest[]

interface PolicyPart {
  format: 'sealpool/pool-policy'
  version: 1
  name: string
  attestation: JsonObject
  code: { computations: string[]; programs?: Programs }
  access?: JsonObject
  views?: ViewRules
  privacy: BudgetRules
}

const anyObject: Reader<JsonObject> = (value, place) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ShapeError(place, 'expected an object')
  }
  return value as JsonObject
}
const spending = { epsilon: amount, delta: amount }
const poolRules = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'policy',
    'Not a pool policy',
    /* @__PURE__ */ record<PolicyPart>(
      {
        format: /* @__PURE__ */ oneOf(['sealpool/pool-policy']),
        version: /* @__PURE__ */ oneOf([1]),
        name: /* @__PURE__ */ text(),
        attestation: anyObject,
        code: /* @__PURE__ */ record<PolicyPart['code']>(
          {
            computations: /* @__PURE__ */ list(/* @__PURE__ */ text(), { max: 10_000 }),
            programs: /* @__PURE__ */ optional(
              /* @__PURE__ */ either(
                /* @__PURE__ */ oneOf(['voted']),
                /* @__PURE__ */ list(digestText, { max: 100 }),
              ),
            ),
          },
          'drop',
        ),
        access: /* @__PURE__ */ optional(anyObject),
        views: /* @__PURE__ */ optional(viewRules),
        privacy: /* @__PURE__ */ record<BudgetRules>(
          {
            accounting: /* @__PURE__ */ oneOf(['basic', 'zcdp']),
            ...spending,
            perJob: /* @__PURE__ */ record<BudgetRules['perJob']>(spending, 'drop'),
          },
          'drop',
        ),
      },
      'drop',
    ),
  ))()

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
    throw new AttestError('BAD_RECEIPT', result.error.place, `The policy of pool ${name} is no pool policy`)
  }
  const { attestation, code, privacy, access, views } = result.data
  if (result.data.name !== name) {
    throw new AttestError(
      'BAD_RECEIPT',
      'policy.name',
      `The receipt calls the pool ${name}, its policy does not`,
    )
  }
  const rules = access === undefined ? undefined : digestOf(access)
  const { computations, programs } = code
  return { name, attestation, computations, programs, access: rules, views, privacy }
}

type GpuDemand = { minimumDevices: number }

interface ManifestPart {
  kind: 'query' | 'compute'
  pools: { address: string }[]
  consumer: { address: string }
  handOff?: { fallback?: string; shards?: number; gpu?: GpuDemand }
}

const addressed = /* @__PURE__ */ record<{ address: string }>({ address: /* @__PURE__ */ text() }, 'drop')
const manifestSchema = /* @__PURE__ */ schema(
  'BAD_RECEIPT',
  'manifest',
  'Not a job manifest',
  /* @__PURE__ */ record<ManifestPart>(
    {
      kind: /* @__PURE__ */ oneOf(['query', 'compute']),
      pools: /* @__PURE__ */ list(addressed, { max: 10_000 }),
      consumer: addressed,
      handOff: /* @__PURE__ */ optional(
        /* @__PURE__ */ record<NonNullable<ManifestPart['handOff']>>(
          {
            fallback: /* @__PURE__ */ optional(/* @__PURE__ */ text()),
            shards: /* @__PURE__ */ optional(/* @__PURE__ */ integer(2)),
            gpu: /* @__PURE__ */ optional(
              /* @__PURE__ */ record<GpuDemand>({ minimumDevices: /* @__PURE__ */ integer(1) }),
            ),
          },
          'drop',
        ),
      ),
    },
    'drop',
  ),
)

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
  const { kind, consumer, pools, handOff } = result.data
  if (kind !== receipt.job.kind) return `the manifest is of a ${kind} job, the receipt of another`
  if (consumer.address.toLowerCase() !== receipt.job.consumer.toLowerCase()) {
    return 'the manifest names another consumer'
  }
  if (receipt.outcome === 'refused') return undefined
  const asked = pools.map(({ address }) => address.toLowerCase()).sort()
  const touched = receipt.pools.map(({ pool }) => pool.toLowerCase()).sort()
  if (asked.join() !== touched.join()) return 'the receipt is about other pools than the manifest'
  if (receipt.handOff !== undefined && handOff === undefined)
    return 'the manifest lets no other node run the job'
  const [wanted, dealt] = [handOff?.shards ?? 0, receipt.shards?.length ?? 0]
  if (wanted !== dealt) return `the manifest deals the job to ${wanted} nodes, the receipt names ${dealt}`
  if (handOff?.fallback === 'none' && receipt.handOff === undefined && receipt.shards === undefined)
    return 'the manifest wants the job run by another node, and the receipt names none'
  return gpusProblem(handOff, receipt)
}
