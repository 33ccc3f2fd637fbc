/**
 * The node's signed word on one job, released or refused.
 * @module
 */
import {
  type BudgetView,
  type DestroyedKey,
  type ReceiptBody,
  type ReceiptPool,
  type RecipientView,
  receiptBodySchema,
} from '@sealpool/attest'
import {
  type Address,
  type Digest,
  digestToHex,
  type Hex,
  type JsonObject,
  type SignedStatement,
  statementDigest,
} from '@sealpool/crypto'
import { type BudgetState, type Charge, type ChargeReceipt, fromUnits, toUnits } from '@sealpool/privacy'
import type { EvidenceSource } from '../evidence/node-evidence.js'
import type { GivenRefusal } from '../federation/refusal-statement.js'
import type { HandOffFacts } from '../hand-off/hand-off-statements.js'
import type { DealtShard } from '../hand-off/kept-hand-off.js'
import type { ServedPool } from '../ingest/served-pool.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import type { JobApproval } from '../state/job-table.js'
import type { PoolInputs } from './job-inputs.js'

/** What a receipt says of a pool of this node. */
export interface PoolFacts {
  readonly pool: ServedPool
  readonly epoch: number
  readonly inputs: PoolInputs
  readonly booked: { readonly receipt: ChargeReceipt; readonly charge: Charge } | null
}

/** What a receipt is made from. */
export interface ReceiptFacts {
  /** Id on the chain, or null for a plan that was never proposed. */
  readonly job: string | null
  readonly kind: 'query' | 'compute'
  readonly manifest: Digest
  readonly consumer: Address
  readonly refusal: { readonly code: string; readonly message: string } | null
  /** In the job's order; those of other homes as they signed for them. */
  readonly pools: readonly (PoolFacts | ReceiptPool)[]
  /** The other homes of the job's pools. */
  readonly homes?: NonNullable<ReceiptBody['homes']>
  /** Pools of other homes that gave no share of a job that was refused after its charge. */
  readonly unanswered?: readonly Address[]
  /** The other home that refused the job. */
  readonly refusedBy?: GivenRefusal
  readonly code: Digest | null
  readonly plan: Digest | null
  readonly approvals: readonly JobApproval[]
  readonly result: {
    readonly digest: Digest
    readonly sealed: Digest
    readonly mediaType: string
    /** Who got which view; absent: the consumer got the whole. */
    readonly views?: readonly RecipientView[]
  } | null
  /** The node that ran the job, when that was not this one. */
  readonly handOff?: HandOffFacts | null
  /** The nodes to which the job was dealt, in the order of their shards. */
  readonly shards?: readonly (DealtShard & Partial<Pick<HandOffFacts, 'isolation'>>)[]
  /** Keys that were made for the job alone and are destroyed by now; those of the result's sealed copies not among them. */
  readonly destroyedKeys: readonly DestroyedKey[]
  /** Unix seconds, chain time. */
  readonly issuedAt: number
}

/** What signs receipts. */
export interface ReceiptSigner {
  readonly sign: NodeSigner
  readonly keys: NodeKeyRing
  readonly evidence: EvidenceSource
  readonly isolation: string
}

/** A signed receipt and its digest, as the chain records it. */
export interface SignedReceipt {
  readonly receipt: SignedStatement
  readonly digest: Digest
}

/** Signs a receipt. */
export function signReceipt(signer: ReceiptSigner, facts: ReceiptFacts): SignedReceipt {
  const body: ReceiptBody = receiptBodySchema.parse({
    job: { id: facts.job ?? 'plan', kind: facts.kind, manifest: facts.manifest, consumer: facts.consumer },
    outcome: facts.refusal === null ? 'released' : 'refused',
    refusal: facts.refusal,
    pools: facts.pools.map((one) => ('booked' in one ? receiptPool(one) : one)),
    code: facts.code,
    plan: facts.plan,
    approvals: facts.approvals,
    result: facts.result,
    keySet: signer.keys.keySetDigest,
    quote: signer.evidence.quoteDigest,
    isolation: facts.handOff?.isolation ?? isolationOf(facts.shards ?? [], signer),
    ...(facts.handOff == null ? {} : { handOff: handOffView(facts.handOff) }),
    ...(facts.shards === undefined ? {} : { shards: facts.shards.map(shardView) }),
    ...(facts.homes === undefined || facts.homes.length === 0 ? {} : { homes: facts.homes }),
    ...(facts.unanswered === undefined || facts.unanswered.length === 0
      ? {}
      : { unanswered: facts.unanswered }),
    ...(facts.refusedBy === undefined ? {} : { refusedBy: refusedView(facts.refusedBy) }),
    destroyedKeys: [...facts.destroyedKeys, ...resultKeys(facts.result)],
    simulated: signer.evidence.simulated,
    issuedAt: new Date(facts.issuedAt * 1000).toISOString(),
  })
  const [first] = facts.pools
  const receipt = signer.sign({
    type: 'sealpool/receipt',
    body: body as unknown as JsonObject,
    pool: first === undefined ? zeroAddress : 'booked' in first ? first.pool.address : first.pool,
    subject: subjectOfReceipt(facts),
    nonce: '0',
  })
  return { receipt, digest: statementDigest(receipt.statement) }
}

/** @returns what a receipt says of a pool of this node */
export function receiptPool({ pool, epoch, inputs, booked }: PoolFacts): ReceiptPool {
  return {
    pool: pool.address,
    name: pool.name,
    policy: pool.policyDigest,
    epoch,
    inputs: { root: inputs.root, count: inputs.count },
    verdicts: inputs.verdictsRoot,
    ...(pool.access === undefined ? {} : { access: pool.access }),
    ...(inputs.leftOut === undefined ? {} : { live: { leftOut: inputs.leftOut } }),
    ...(inputs.withheld === undefined ? {} : { consent: { withheld: inputs.withheld } }),
    budget:
      booked === null
        ? null
        : {
            before: budgetView(booked.receipt.before),
            after: budgetView(booked.receipt.after),
            charged: {
              epsilon: fromUnits(toUnits(booked.charge.epsilon, 'epsilon', 'up'), 'epsilon'),
              delta: fromUnits(toUnits(booked.charge.delta, 'delta', 'up'), 'delta'),
            },
          },
  }
}

/** The key of each sealed copy, which `sealBytes` drew for it alone and has overwritten; the copy's digest names it. */
function resultKeys(result: ReceiptFacts['result']): readonly DestroyedKey[] {
  if (result === null) return []
  const { sealed, views } = result
  const copies = views === undefined ? [sealed] : views.flatMap((view) => view.sealed ?? [])
  return copies.map((id) => ({ use: 'result', id }))
}

const zeroAddress: Address = `0x${'0'.repeat(40)}`

/** A job on the chain is named by its id, a plan by its manifest. */
function subjectOfReceipt({ job, manifest }: ReceiptFacts): Hex {
  return job === null ? digestToHex(manifest) : subjectOf(job)
}

function handOffView({ node, keySet, work, gpu }: HandOffFacts): NonNullable<ReceiptBody['handOff']> {
  return { node, keySet, work: statementDigest(work.statement), ...(gpu === undefined ? {} : { gpu }) }
}

function shardView({ node, keySet, work, gpu }: DealtShard): NonNullable<ReceiptBody['shards']>[number] {
  const digest = work === null ? null : statementDigest(work.statement)
  return { node, keySet, work: digest, ...(gpu === undefined ? {} : { gpu }) }
}

/** Most characters that a receipt has for it. */
const longestIsolation = 4_000

/** As the nodes that ran the shards say of themselves, each way once. */
function isolationOf(shards: NonNullable<ReceiptFacts['shards']>, signer: ReceiptSigner): string {
  const said = new Set(shards.flatMap(({ isolation }) => isolation ?? []))
  if (said.size === 0) return signer.isolation
  const all = [...said].sort().join('; ')
  return all.length > longestIsolation ? 'as each node to which the job was dealt has signed' : all
}

function refusedView({ body, statement }: GivenRefusal): NonNullable<ReceiptBody['refusedBy']> {
  const { keySet, quote, reason, charged } = body
  return {
    node: statement.signer,
    keySet,
    quote,
    reason,
    charged,
    refusal: statementDigest(statement.statement),
  }
}

function budgetView({
  epsilonSpent,
  epsilonTotal,
  deltaSpent,
  deltaTotal,
  version,
  head,
}: BudgetState): BudgetView {
  return { epsilonSpent, epsilonTotal, deltaSpent, deltaTotal, version, head }
}
