/**
 * An answer as the node that ran a job gives it to the home node, each part of which a test may change.
 * @module
 */
import { deriveKeyPair, platformRandom, sha256Digest } from '@sealpool/crypto'
import { acceptAnswer, type ExpectedWork } from '../hand-off/accept-answer.js'
import { encodeAnswer, type HandOffOutcome } from '../hand-off/hand-off-answer.js'
import { signWork, type Work } from '../hand-off/hand-off-statements.js'
import { sealParcel } from '../hand-off/sealed-parcel.js'
import type { PlannedJob } from '../job/planned-job.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import { addressOfDigit, digestOfDigit } from './served-pool-fixture.js'

/** The node that ran it. */
export const keys = openKeyRing(new Uint8Array(32).fill(8), digestOfDigit('9'))
/** To which the answer is sealed. */
const job = deriveKeyPair(new Uint8Array(32).fill(5))
export const deployment = { chainId: 31_337, nodeRegistry: addressOfDigit('f') }
const sign = nodeSigner({
  statementKey: keys.statementKey,
  chainId: 31_337,
  registry: deployment.nodeRegistry,
})
export const scope = {
  chainId: 31_337,
  pool: addressOfDigit('a'),
  policyDigest: digestOfDigit('1'),
  epoch: 0,
} as const
/** What the work must be. */
export const expected: ExpectedWork = {
  transfer: 'ab'.repeat(16),
  job: '7',
  home: addressOfDigit('1'),
  manifest: digestOfDigit('1'),
  plan: digestOfDigit('2'),
  parts: digestOfDigit('3'),
  keySet: keys.keySetDigest,
  simulated: true,
}
export const plan = {
  columns: [
    { name: 'sector', kind: 'key', value: 1 },
    { name: 'n', kind: 'count', value: 2 },
  ],
  pools: [{ name: 'pay', charge: { epsilon: 1, delta: 0 } }],
}
export const answer = {
  columns: [
    { name: 'sector', kind: 'key' },
    { name: 'n', kind: 'count' },
  ],
  rows: [['a', 3]],
  intervals: [[null, { low: 1, high: 5, confidence: 0.95 }]],
  suppressedGroups: 'unknown',
  charge: { pay: { epsilon: 1, delta: 0 } },
  notes: ['Noise was added.'],
}

/** An answer as a node gives it. */
export async function givenAnswer(
  outcome: HandOffOutcome,
  change: {
    readonly work?: Partial<Work>
    readonly of?: { readonly transfer: string; readonly job: string }
    readonly to?: Uint8Array
    readonly kind?: 'leash' | 'answer'
    readonly scope?: object
    readonly place?: { readonly pool: `0x${string}`; readonly job: string }
    readonly by?: typeof sign
  } = {},
) {
  const plain = change.of ?? { transfer: expected.transfer, job: expected.job }
  const own = encodeAnswer({ ...plain, salt: 'A'.repeat(43), outcome })
  const sealed = await sealParcel(own, {
    kind: change.kind ?? 'answer',
    publicKey: change.to ?? job.publicKey,
    scope: { ...scope, ...change.scope },
    random: platformRandom,
  })
  const work = signWork(change.by ?? sign, change.place ?? { pool: scope.pool, job: expected.job }, {
    ...expected,
    answer: sha256Digest(own),
    sealed: sha256Digest(sealed),
    quote: digestOfDigit('7'),
    isolation: 'SQL engine: process',
    issuedAt: '2026-01-01T00:00:00.000Z',
    ...change.work,
  })
  return { sealed, work: work as unknown }
}
/** Takes it as the home node does. */
export const acceptGivenAnswer = (
  of: { readonly sealed: Uint8Array; readonly work: unknown },
  planned: Pick<PlannedJob, 'kind' | 'plan' | 'query'> = { kind: 'query', plan },
  shard?: string,
) =>
  acceptAnswer({
    given: of,
    planned,
    privateKey: job.privateKey,
    scope,
    deployment,
    url: 'https://runner.example',
    signer: keys.statementAddress,
    expected: shard === undefined ? expected : { ...expected, shard },
  })
