import { type BlobStore, memoryBlobStore } from '@sealpool/client'
import {
  deriveKeyPair,
  hpkeRecipient,
  parseHeader,
  type Recipient,
  sealBytes,
  sha256Digest,
  walletRecipient,
} from '@sealpool/crypto'
import { expect, it } from 'vitest'
import { openKeyRing } from '../key/key-ring.js'
import type { ContributionRow } from '../state/contribution-table.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { openContribution } from './open-contribution.js'
import { keyScope } from './served-pool.js'

const pool = servedPoolFixture()
const keys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('9'))
const owner = addressOfDigit('b')
const toOwner = walletRecipient({
  publicKey: deriveKeyPair(new Uint8Array(32).fill(3)).publicKey,
  address: owner,
})
const toEpoch = (epoch: number): Recipient =>
  hpkeRecipient({ publicKey: keys.poolKey(keyScope(pool, epoch)).publicKey })

/** Always draws the same file key and salts, so that two files of the same content have the same commitment. */
const seal = (...recipients: readonly Recipient[]): Promise<Uint8Array> =>
  sealBytes(new TextEncoder().encode('{"wage":9.5}'), {
    recipients,
    context: {
      chainId: pool.chainId,
      pool: pool.address,
      policyDigest: pool.policyDigest,
      epoch: 1,
      mediaType: 'application/json',
    },
    random: (length) => new Uint8Array(length).fill(5),
  })

const rowOf = (sealed: Uint8Array, change: Partial<ContributionRow> = {}): ContributionRow => ({
  id: '1',
  pool: pool.address,
  owner,
  contributor: 1,
  blobDigest: sha256Digest(sealed),
  commitment: parseHeader(sealed).context.commitment,
  schemaId: `0x${'0'.repeat(64)}`,
  consentDigest: `0x${'0'.repeat(64)}`,
  epoch: 1,
  locator: sha256Digest(sealed),
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
  ...change,
})

const open = (row: ContributionRow, blobStore: BlobStore) =>
  openContribution(row, pool, { blobStore, keys, maximumBlobBytes: 10_000 })

it('refuses a file that keeps the commitment and is not the blob on the chain', async () => {
  const onChain = await seal(toEpoch(1), toOwner)
  const other = await seal(toOwner, toEpoch(1))
  const store = memoryBlobStore()
  const { locator } = await store.put(other)
  await store.put(onChain)
  expect(parseHeader(other).context).toEqual(parseHeader(onChain).context)
  expect(locator).not.toBe(sha256Digest(onChain))
  expect(await open(rowOf(other), store)).toMatchObject({ kind: 'opened' })

  const mismatch = { kind: 'refused', code: 'BLOB_DIGEST_MISMATCH', place: 'blobDigest' }
  expect(await open(rowOf(onChain, { locator }), store)).toEqual(mismatch)
  const lying: BlobStore = { ...store, get: async () => other }
  expect(await open(rowOf(onChain), lying)).toEqual(mismatch)
})

it('compares the commitment in the header with the chain before it opens the file', async () => {
  const sealed = await seal(toEpoch(2), toOwner)
  const store = memoryBlobStore()
  await store.put(sealed)
  expect(await open(rowOf(sealed), store)).toMatchObject({ code: 'NO_KEY_FOR_NODE' })
  expect(await open(rowOf(sealed, { commitment: digestOfDigit('6') }), store)).toMatchObject({
    kind: 'refused',
    code: 'COMMITMENT_MISMATCH',
    place: 'context.commitment',
  })
})
