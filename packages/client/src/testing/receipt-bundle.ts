import { type ReceiptBody, verdictsRoot } from '@sealpool/attest'
import {
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
import { deployment, node, policy, pool } from './simulated-pool.js'

const consumer = '0x00000000000000000000000000000000000000cc'
const rules: JsonObject = {
  ...policy,
  code: { poc: digestOf('poc'), refiner: digestOf('refiner'), computations: [] },
  privacy: { accounting: 'basic', epsilon: 6, delta: 1e-6, perJob: { epsilon: 2, delta: 2.5e-7 } },
}

/** The opened and the sealed result of the job. */
export const result = canonicalBytes({ rows: [[9.02]] })
export const sealedResult = Uint8Array.of(1, 2, 3)

/** What job 7 leaves behind, as a node hands it out; `change` edits the receipt before it is signed. */
export function receiptBundle(change: (body: ReceiptBody) => ReceiptBody = (body) => body): {
  readonly bundle: ReceiptBundleAnswer
  /** Digest that the chain records. */
  readonly recorded: Digest
} {
  const manifest: JsonObject = {
    format: 'sealpool/job-manifest',
    version: 1,
    kind: 'query',
    pools: [{ address: pool.toLowerCase(), name: 'pay' }],
    query: { sql: 'select 1' },
    compute: null,
    consumer: { address: consumer },
  }
  const charge = { epsilon: 0.75, delta: 1e-7 }
  const plan: JsonObject = { steps: ['noise'], pools: [{ address: pool.toLowerCase(), charge }] }
  const verdicts = [digestOf('verdict 1'), digestOf('verdict 2')]
  const evidence = node.evidence(`0x${'00'.repeat(32)}`)
  const totals = { epsilonTotal: '6', deltaTotal: '0.000001' }
  const body: ReceiptBody = {
    job: { id: '7', kind: 'query', manifest: digestOf(manifest), consumer },
    outcome: 'released',
    refusal: null,
    pools: [
      {
        pool: pool.toLowerCase() as typeof pool,
        name: 'pay',
        policy: digestOf(rules),
        epoch: 1,
        inputs: { root: digestOf('inputs'), count: 2 },
        verdicts: verdictsRoot(verdicts),
        budget: {
          before: {
            epsilonSpent: '1.5',
            deltaSpent: '0.0000001',
            ...totals,
            version: 3,
            head: digestOf('head 3'),
          },
          after: {
            epsilonSpent: '2.25',
            deltaSpent: '0.0000002',
            ...totals,
            version: 4,
            head: digestOf('head 4'),
          },
          charged: { epsilon: '0.75', delta: '0.0000001' },
        },
      },
    ],
    code: null,
    plan: digestOf(plan),
    approvals: [{ pool: pool.toLowerCase() as typeof pool, block: '12', price: '50' }],
    result: {
      digest: sha256Digest(result),
      sealed: sha256Digest(sealedResult),
      mediaType: 'application/json',
    },
    keySet: keySetDigest(node.keySet),
    quote: sha256Digest(decodeBase64Url(evidence['quote'] as string)),
    isolation: 'bubblewrap',
    simulated: true,
    issuedAt: '2026-11-20T11:59:00Z',
  }
  const changed = change(body)
  const receipt: SignedStatement = signStatement({
    statement: { type: 'sealpool/receipt', version: 1, body: changed as unknown as JsonObject },
    context: {
      chainId: deployment.chainId,
      registry: deployment.nodeRegistry,
      pool: pool.toLowerCase() as typeof pool,
      subject: `0x${changed.job.id.padStart(64, '0')}`,
      nonce: '0',
      facts: [],
    },
    privateKey: node.keys.statementKey,
  })
  const bundle: ReceiptBundleAnswer = {
    simulated: true,
    receipt: receipt as unknown as JsonObject,
    evidence,
    policies: { [pool.toLowerCase()]: rules },
    manifest,
    plan,
    verdicts: { [pool.toLowerCase()]: verdicts },
  }
  return { bundle, recorded: statementDigest(receipt.statement) }
}
