import { type ReceiptBody, verdictsRoot } from '@sealpool/attest'
import type { Deployment } from '@sealpool/contracts'
import {
  type Address,
  asJson,
  canonicalBytes,
  type Digest,
  decodeBase64Url,
  digestOf,
  type JsonObject,
  keySetDigest,
  type SignedStatement,
  sha256Digest,
  signStatement,
  statementDigest,
} from '@sealpool/crypto'
import type { ReceiptBundleAnswer } from '../node-api/messages.js'
import { at, deployment, node, nonce, policy, pool } from './simulated-pool.js'

/** The opened and the sealed result of the job. */
export const result = canonicalBytes({ rows: [[9.02]] })
export const sealedResult = Uint8Array.of(1, 2, 3)

const consumer = '0x00000000000000000000000000000000000000cc'

/** A released job over one pool, as far as its receipt speaks of it. */
export interface ReleasedJob {
  readonly deployment: Deployment
  readonly pool: Address
  readonly policy: JsonObject
  readonly node: Pick<typeof node, 'keys' | 'keySet'>
  readonly evidence: JsonObject
  readonly jobId: bigint
  readonly consumer: Address
  readonly manifest: JsonObject
  /** Default: one that charges the pool. */
  readonly plan?: JsonObject
  /** Digests of the verdicts of the contributions that it worked on. */
  readonly verdicts: readonly Digest[]
  /** Root of these contributions; default: some digest. */
  readonly inputs?: Digest
  readonly result: Uint8Array
  readonly sealedResult: Uint8Array
  readonly issuedAt: Date
}

/** A job over the pool of all fixtures. */
export const usualJob = (): ReleasedJob => ({
  deployment,
  pool,
  policy,
  node,
  evidence: node.evidence(nonce),
  jobId: 7n,
  consumer,
  manifest: {
    format: 'sealpool/job-manifest',
    version: 1,
    kind: 'query',
    pools: [{ address: pool.toLowerCase(), name: 'pay' }],
    query: { sql: 'select 1' },
    compute: null,
    consumer: { address: consumer },
  },
  verdicts: [digestOf('verdict 1'), digestOf('verdict 2')],
  result,
  sealedResult,
  issuedAt: new Date(at.getTime() - 60_000),
})

/** What a job (job 7 when none is given) leaves behind, as a node hands it out; `change` edits the receipt before it is signed. */
export function receiptBundle(
  change: (body: ReceiptBody) => ReceiptBody = (body) => body,
  released: ReleasedJob = usualJob(),
): {
  readonly bundle: ReceiptBundleAnswer
  /** Digest that the chain records. */
  readonly recorded: Digest
} {
  const { evidence, manifest, verdicts } = released
  const address = released.pool.toLowerCase() as Address
  const plan: JsonObject = released.plan ?? {
    steps: ['noise'],
    pools: [{ address, charge: { epsilon: 0.75, delta: 1e-7 } }],
  }
  const totals = { epsilonTotal: '6', deltaTotal: '0.000001' }
  const spent = (epsilonSpent: string, deltaSpent: string, version: number) => ({
    epsilonSpent,
    deltaSpent,
    ...totals,
    version,
    head: digestOf(`head ${version}`),
  })
  const body: ReceiptBody = {
    job: {
      id: `${released.jobId}`,
      kind: 'query',
      manifest: digestOf(manifest),
      consumer: released.consumer.toLowerCase() as Address,
    },
    outcome: 'released',
    refusal: null,
    pools: [
      {
        pool: address,
        name: 'pay',
        policy: digestOf(released.policy),
        epoch: 1,
        inputs: { root: released.inputs ?? digestOf('inputs'), count: verdicts.length },
        verdicts: verdictsRoot(verdicts),
        budget: {
          before: spent('1.5', '0.0000001', 3),
          after: spent('2.25', '0.0000002', 4),
          charged: { epsilon: '0.75', delta: '0.0000001' },
        },
      },
    ],
    code: null,
    plan: digestOf(plan),
    approvals: [{ pool: address, block: '12', price: '50' }],
    result: {
      digest: sha256Digest(released.result),
      sealed: sha256Digest(released.sealedResult),
      mediaType: 'application/json',
    },
    keySet: keySetDigest(released.node.keySet),
    quote: sha256Digest(decodeBase64Url(evidence['quote'] as string)),
    isolation: 'bubblewrap',
    simulated: true,
    issuedAt: `${released.issuedAt.toISOString().slice(0, 19)}Z`,
  }
  const changed = change(body)
  const receipt: SignedStatement = signStatement({
    statement: { type: 'sealpool/receipt', version: 1, body: asJson(changed) },
    context: {
      chainId: released.deployment.chainId,
      registry: released.deployment.nodeRegistry.toLowerCase() as Address,
      pool: address,
      subject: `0x${BigInt(changed.job.id).toString(16).padStart(64, '0')}`,
      nonce: '0',
      facts: [],
    },
    privateKey: released.node.keys.statementKey,
  })
  const bundle: ReceiptBundleAnswer = {
    simulated: true,
    receipt: asJson(receipt),
    evidence,
    policies: { [address]: released.policy },
    manifest,
    plan,
    verdicts: { [address]: [...verdicts] },
  }
  return { bundle, recorded: statementDigest(receipt.statement) }
}
