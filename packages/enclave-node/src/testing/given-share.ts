/**
 * A share as the other home gives it to the node that coordinates, each part of which a test may change.
 * @module
 */
import { verdictsRoot } from '@sealpool/attest'
import { decodeBase64Url, platformRandom, type SignedStatement, sha256Digest } from '@sealpool/crypto'
import { acceptShare, type ExpectedShare } from '../federation/accept-share.js'
import { encodeShareFile, type ShareFile } from '../federation/share-file.js'
import { type ShareBody, signShare } from '../federation/share-statement.js'
import { sealParcel } from '../hand-off/sealed-parcel.js'
import { keys } from './job-fixture.js'
import { addressOfDigit, digestOfDigit } from './served-pool-fixture.js'
import { otherKeys, otherPeer, otherPool, signOther } from './share-fixture.js'

/** Chain and registry of these tests. */
export const shareDeployment = { chainId: 31_337, nodeRegistry: addressOfDigit('f') }
const charge = { epsilon: 1, delta: 0 }
/** What the share must be. */
export const expectedShare: ExpectedShare = {
  job: '7',
  manifest: digestOfDigit('1'),
  plan: digestOfDigit('2'),
  coordinator: keys.statementAddress,
  coordinatorKeys: keys.keySetDigest,
  pools: [{ pool: otherPool, charge, leaves: ['more.workers'], epoch: 3 }],
}
export const shareVerdicts = [digestOfDigit('4'), digestOfDigit('5')]
export const budgetView = (epsilonSpent: string, version: number) => ({
  epsilonSpent,
  epsilonTotal: '6',
  deltaSpent: '0',
  deltaTotal: '0.000001',
  version,
  head: digestOfDigit(String(version)),
})
export const sharePool = (change: object = {}): ShareBody['pools'][number] => ({
  pool: otherPool.address,
  name: 'more',
  policy: otherPool.policyDigest,
  epoch: 3,
  inputs: { root: digestOfDigit('6'), count: 2 },
  verdicts: verdictsRoot(shareVerdicts),
  budget: { before: budgetView('1', 1), after: budgetView('2', 2), charged: { epsilon: '1', delta: '0' } },
  ...change,
})
export const givenStatistics = { releases: [{ groups: [{ statistics: ['2'], bins: [] }] }] }
export const shareScope = {
  chainId: 31_337,
  pool: otherPool.address,
  policyDigest: otherPool.policyDigest,
  epoch: 3,
} as const

/** What is sealed of it. */
export function plainShareFile(): ShareFile {
  const { job, manifest, plan } = expectedShare
  return {
    job,
    manifest,
    plan,
    salt: platformRandom(32),
    noise: new Uint8Array(32).fill(9),
    verdicts: { [otherPool.address]: shareVerdicts },
    share: givenStatistics,
  }
}

/** A share as the other home gives it. */
export async function givenShare(
  change: {
    readonly body?: Partial<ShareBody>
    readonly file?: Partial<ShareFile>
    readonly bytes?: Uint8Array
    readonly to?: Uint8Array
    readonly kind?: 'share' | 'answer'
    readonly scope?: object
    readonly by?: typeof signOther
  } = {},
) {
  const bytes = change.bytes ?? encodeShareFile({ ...plainShareFile(), ...change.file })
  const sealed = await sealParcel(bytes, {
    kind: change.kind ?? 'share',
    publicKey: change.to ?? decodeBase64Url(keys.keySet.hpke.publicKey),
    scope: { ...shareScope, ...change.scope },
    random: platformRandom,
  })
  const { pools: _, ...facts } = expectedShare
  const statement = signShare(change.by ?? signOther, {
    ...facts,
    pools: [sharePool()],
    share: sha256Digest(bytes),
    sealed: sha256Digest(sealed),
    keySet: otherKeys.keySetDigest,
    quote: digestOfDigit('7'),
    isolation: 'bubblewrap',
    simulated: true,
    issuedAt: '2026-01-01T00:00:00.000Z',
    ...change.body,
  })
  return { sealed, share: statement as SignedStatement }
}
/** Takes it as the node that coordinates does. */
export const acceptGiven = (
  share: { readonly sealed: Uint8Array; readonly share: unknown },
  change: object = {},
) =>
  acceptShare({
    given: share,
    peer: otherPeer,
    privateKey: keys.hpkePrivateKey,
    chainId: 31_337,
    deployment: shareDeployment,
    expected: { ...expectedShare, ...change },
  })
