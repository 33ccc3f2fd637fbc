import { type BlobStore, BlobStoreError, memoryBlobStore } from '@sealpool/client'
import {
  type Address,
  commitPlaintext,
  deriveKeyPair,
  hpkeRecipient,
  parseHeader,
  platformRandom,
  type SealContext,
  sealBytes,
  sha256Digest,
  walletRecipient,
} from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { openKeyRing } from '../key/key-ring.js'
import type { ContributionRow } from '../state/contribution-table.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { openContribution } from './open-contribution.js'
import { keyScope } from './served-pool.js'

const pool = servedPoolFixture()
const keys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('9'))
const wallet = deriveKeyPair(new Uint8Array(32).fill(3)).publicKey
const bytes = new TextEncoder().encode('{"wage":9.5}')

interface Change {
  readonly context?: Partial<SealContext>
  readonly recipient?: Uint8Array
  /** Wallet that the file is sealed to. */
  readonly owner?: Address
  readonly row?: Partial<ContributionRow>
  readonly spoil?: (sealed: Uint8Array) => Uint8Array
}

async function attempt(change: Change = {}, wrap: (store: BlobStore) => BlobStore = (store) => store) {
  const store = memoryBlobStore()
  const sealed = await sealBytes(bytes, {
    recipients: [
      hpkeRecipient({ publicKey: change.recipient ?? keys.poolKey(keyScope(pool, 1)).publicKey }),
      walletRecipient({ publicKey: wallet, address: change.owner ?? addressOfDigit('b') }),
    ],
    context: {
      chainId: pool.chainId,
      pool: pool.address,
      policyDigest: pool.policyDigest,
      epoch: 1,
      mediaType: 'application/json',
      ...change.context,
    },
    random: platformRandom,
  })
  const stored = change.spoil?.(sealed.slice()) ?? sealed
  const { locator, digest } = await store.put(stored)
  const row: ContributionRow = {
    id: '1',
    pool: pool.address,
    owner: addressOfDigit('b'),
    contributor: 1,
    blobDigest: digest,
    commitment: parseHeader(sealed).context.commitment,
    schemaId: `0x${'0'.repeat(64)}`,
    consentDigest: `0x${'0'.repeat(64)}`,
    epoch: 1,
    locator,
    blockNumber: 1n,
    blockHash: `0x${'0'.repeat(64)}`,
    logIndex: 0,
    merkle: null,
    refinement: null,
    state: 'seen',
    reason: null,
    reasonText: null,
    attempts: 0,
    score: null,
    verdictDigest: null,
    ...change.row,
  }
  return openContribution(row, pool, { blobStore: wrap(store), keys, maximumBlobBytes: 10_000 })
}

describe('opening a contribution', () => {
  it('gives the export as it was sealed', async () => {
    expect(await attempt()).toMatchObject({ kind: 'opened', bytes, mediaType: 'application/json' })
  })

  it('refuses a file that was sealed by another wallet’s owner, so that nobody can offer a copy as his own', async () => {
    expect(await attempt({ owner: addressOfDigit('c') })).toMatchObject({
      kind: 'refused',
      code: 'WRONG_OWNER',
      place: 'recipients',
    })
  })

  const flip = (place: (sealed: Uint8Array) => number) => (sealed: Uint8Array) => {
    const at = place(sealed)
    sealed[at] = (sealed[at] ?? 0) ^ 1
    return sealed
  }
  it.each<[string, string, Change]>([
    [
      'another blob than the chain names',
      'BLOB_DIGEST_MISMATCH',
      { row: { blobDigest: digestOfDigit('4') } },
    ],
    ['a locator of another form', 'BLOB_LOCATOR_INVALID', { row: { locator: '../secrets' } }],
    ['bytes that are no sealed file', 'SEALED_FILE_INVALID', { spoil: () => new Uint8Array([1, 2, 3]) }],
    ['a header that was changed', 'SEALED_FILE_INVALID', { spoil: flip(() => 20) }],
    ['a payload that was changed', 'SEALED_FILE_TAMPERED', { spoil: flip((sealed) => sealed.length - 1) }],
    ['a payload that was cut', 'SEALED_FILE_TAMPERED', { spoil: (sealed) => sealed.subarray(0, -3) }],
    ['a file for another pool', 'WRONG_POOL', { context: { pool: addressOfDigit('c') } }],
    ['a file for another chain', 'WRONG_POOL', { context: { chainId: 1 } }],
    ['a file under another policy', 'WRONG_POLICY', { context: { policyDigest: digestOfDigit('5') } }],
    ['a file for another epoch', 'WRONG_EPOCH', { context: { epoch: 2 } }],
    ['a file to another key', 'NO_KEY_FOR_NODE', { recipient: keys.poolKey(keyScope(pool, 2)).publicKey }],
    ['another commitment on the chain', 'COMMITMENT_MISMATCH', { row: { commitment: digestOfDigit('6') } }],
  ])('refuses %s', async (_, code, change) => {
    expect(await attempt(change)).toMatchObject({ kind: 'refused', code })
  })

  it('refuses a commitment to something else that the file itself carries', async () => {
    const { root } = commitPlaintext(new TextEncoder().encode('other'), { salt: platformRandom(32) })
    expect(await attempt({ context: { commitment: root } })).toMatchObject({
      kind: 'refused',
      code: 'COMMITMENT_MISMATCH',
      place: 'commitment',
    })
  })

  it('refuses a blob above the limit', async () => {
    const spoil = () => new Uint8Array(10_001)
    expect(await attempt({ spoil })).toMatchObject({ kind: 'refused', code: 'BLOB_TOO_LARGE' })
  })

  it('puts a missing blob and a silent store off instead of refusing', async () => {
    const missing = sha256Digest(new Uint8Array([9]))
    expect(await attempt({ row: { locator: missing } })).toEqual({ kind: 'later', reason: 'BLOB_MISSING' })
    const silent = (store: BlobStore): BlobStore => ({
      ...store,
      get: async () => {
        throw new BlobStoreError('BLOB_STORE_FAILED', 'test', 'away')
      },
    })
    expect(await attempt({}, silent)).toEqual({ kind: 'later', reason: 'BLOB_STORE_FAILED' })
  })
})
