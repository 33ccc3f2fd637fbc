import { contributionTypedData } from '@sealpool/contracts'
import {
  digestOf,
  digestToHex,
  hexToDigest,
  hpkeIdentity,
  openBytes,
  parseHeader,
  platformRandom,
  sha256Digest,
  verifyCommitment,
} from '@sealpool/crypto'
import { recoverTypedDataAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { memoryBlobStore } from '../store/memory-store.js'
import { account, input, recordingStore, secretText, wallet } from '../testing/contribution.js'
import { deployment, node, pool } from '../testing/simulated-pool.js'
import { verifiedPool } from '../testing/verified.js'
import { prepareContribution } from './prepare-contribution.js'

const verified = verifiedPool()
type Options = Parameters<typeof prepareContribution>[0]

function prepare(change: Partial<Options> = {}) {
  const { store, puts } = recordingStore()
  const options: Options = {
    pool: verified,
    deployment,
    account,
    blobStore: store,
    random: platformRandom,
    input,
    now: new Date(),
    ...change,
  }
  return { store, puts, prepared: prepareContribution(options) }
}

describe('a sealed file that stays with its owner', () => {
  const ownStore = 'https://files.example/mine'

  test('is stored where the client says, and named on chain by its address', async () => {
    const { prepared, store, puts } = prepare({ pool: verifiedPool('live'), input: { ...input, ownStore } })
    const { contribution } = await prepared
    const digest = hexToDigest(contribution.blobDigest)
    expect(contribution.locator).toBe(`${ownStore}/${digest.slice(7)}`)
    expect(puts.map((bytes) => sha256Digest(bytes))).toEqual([digest])
    expect(await store.get(digest)).toEqual(puts[0])
  })

  test('may do so in a pool that keeps copies as well', async () => {
    const { contribution } = await prepare({ input: { ...input, ownStore } }).prepared
    expect(contribution.locator).toMatch(/^https:\/\/files\.example\/mine\/[0-9a-f]{64}$/)
  })

  test('error: a live pool takes no file that lies in the pool’s store; nothing is sealed', async () => {
    const { prepared, puts } = prepare({ pool: verifiedPool('live') })
    await expect(prepared).rejects.toMatchObject({ code: 'OWN_STORE_REQUIRED', place: 'ownStore' })
    expect(puts).toEqual([])
  })

  test('error: an address that can be no store’s', async () => {
    const { prepared, puts } = prepare({ input: { ...input, ownStore: 'https://me:secret@files.example' } })
    await expect(prepared).rejects.toMatchObject({ code: 'OPTION_INVALID', place: 'ownStore' })
    await expect(prepared).rejects.not.toMatchObject({ message: expect.stringContaining('secret') })
    expect(puts).toEqual([])
  })
})

describe('prepareContribution', () => {
  test('seals one payload that pool and wallet open, bound to chain, pool, policy and epoch', async () => {
    const { prepared, store } = prepare()
    const { contribution, sealedBytes } = await prepared
    const sealed = await store.get(contribution.locator)
    expect(sealed.length).toBe(sealedBytes)
    const expect_ = {
      chainId: 31337,
      pool,
      policyDigest: verified.policyDigest,
      epoch: 1,
      mediaType: 'text/csv',
    }
    for (const identity of [hpkeIdentity(node.poolKey()), wallet]) {
      const opened = await openBytes(sealed, { identities: [identity], expect: expect_ })
      expect(new TextDecoder().decode(opened.plaintext)).toBe(secretText)
      const { commitmentSalt: salt, plaintext: bytes } = opened
      const root = hexToDigest(contribution.commitment)
      expect(verifyCommitment({ root, bytes, salt })).toBe(true)
    }
    expect(parseHeader(sealed).recipients.map(({ type }) => type)).toEqual(['hpke', 'wallet'])
  })

  test('does not open with the key of another epoch', async () => {
    const { prepared, store } = prepare()
    const sealed = await store.get((await prepared).contribution.locator)
    await expect(openBytes(sealed, { identities: [hpkeIdentity(node.poolKey(2))] })).rejects.toMatchObject({
      code: 'NO_MATCHING_IDENTITY',
    })
  })

  test('gives a record that says what was stored, signed by its owner, and whether it is simulated', async () => {
    const { prepared, puts } = prepare()
    const { contribution, deadline, signature, simulated } = await prepared
    const [sealed] = puts
    if (sealed === undefined) throw new Error('nothing was stored')
    expect(puts.length).toBe(1)
    expect(simulated).toBe(true)
    expect(contribution).toEqual({
      owner: account.address,
      pool: pool.toLowerCase(),
      blobDigest: digestToHex(sha256Digest(sealed)),
      commitment: digestToHex(parseHeader(sealed).context.commitment),
      schemaId: digestToHex(input.schemaId),
      consentDigest: digestToHex(input.consentDigest),
      epoch: 1,
      locator: sha256Digest(sealed),
      nonce: 3n,
    })
    const typedData = contributionTypedData({ deployment, contribution, deadline })
    expect(await recoverTypedDataAddress({ ...typedData, signature })).toBe(account.address)
  })

  test('stores nothing that shows the plaintext', async () => {
    const { prepared, puts } = prepare()
    await prepared
    for (const bytes of puts) expect(Buffer.from(bytes).includes('12.50')).toBe(false)
  })

  test('seals nothing for an account that cannot sign', async () => {
    const { prepared, puts } = prepare({ account: { address: account.address, type: 'json-rpc' } })
    await expect(prepared).rejects.toMatchObject({ code: 'ACCOUNT_REQUIRED' })
    expect(puts).toEqual([])
  })

  test('another account signs as itself, and the copy is named after its address', async () => {
    const other = privateKeyToAccount(`0x${'43'.repeat(32)}`)
    const { prepared, puts } = prepare({ account: other })
    expect((await prepared).contribution.owner).toBe(other.address)
    const [sealed] = puts
    // Sealed under the other address: this wallet does not take the file for its own.
    await expect(openBytes(sealed ?? new Uint8Array(), { identities: [wallet] })).rejects.toMatchObject({
      code: 'NO_MATCHING_IDENTITY',
    })
  })

  test('seals to no pool that verifyPool did not make', async () => {
    const forged = { ...verified, publicKey: node.keys.hpke.publicKey }
    for (const hostile of [forged, { ...verified }]) {
      const { prepared, puts } = prepare({ pool: hostile })
      await expect(prepared).rejects.toMatchObject({ code: 'NOT_READY' })
      expect(puts).toEqual([])
    }
  })

  test('refuses a deployment on another chain', async () => {
    const { prepared, puts } = prepare({ deployment: { ...deployment, chainId: 1 } })
    await expect(prepared).rejects.toMatchObject({ code: 'WRONG_CHAIN' })
    expect(puts).toEqual([])
  })

  test.each([
    ['locator', { locator: digestOf('other') }],
    ['locator of another form', { locator: 'https://store.example/latest' }],
    ['digest', { digest: digestOf('other') }],
  ])('signs nothing when the store answers with another %s', async (_name, lie) => {
    let signed = 0
    const counting = {
      ...account,
      signTypedData: async () => {
        signed += 1
        return '0x' as const
      },
    }
    const { prepared } = prepare({ blobStore: recordingStore(() => lie).store, account: counting })
    await expect(prepared).rejects.toMatchObject({ code: 'BLOB_STORE_INVALID' })
    expect(signed).toBe(0)
  })

  test('notices a store that changes the bytes in its hands', async () => {
    const inner = memoryBlobStore()
    const blobStore: typeof inner = {
      ...inner,
      put: (bytes) => {
        bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
        return inner.put(bytes)
      },
    }
    await expect(prepare({ blobStore }).prepared).rejects.toMatchObject({ code: 'BLOB_STORE_INVALID' })
  })

  test('refuses a wallet key of low order', async () => {
    const { prepared, puts } = prepare({ input: { ...input, walletPublicKey: new Uint8Array(32) } })
    await expect(prepared).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(puts).toEqual([])
  })
})

describe('an input that can stand neither in a journal nor on chain', () => {
  const none = undefined as never
  test.each<[string, Partial<Options['input']>]>([
    ['bytes', { bytes: none }],
    ['bytes', { bytes: 'wage;8' as never }],
    ['schemaId', { schemaId: 'sha256:zz' }],
    ['consentDigest', { consentDigest: none }],
    ['nonce', { nonce: -1n }],
    ['nonce', { nonce: 2n ** 256n }],
    ['nonce', { nonce: 1 as never }],
    ['deadline', { deadline: -1n }],
    ['deadline', { deadline: 2n ** 256n }],
  ])('error: %s; nothing is sealed', async (place, wrong) => {
    const { prepared, puts } = prepare({ input: { ...input, ...wrong } })
    await expect(prepared).rejects.toMatchObject({ code: 'OPTION_INVALID', place: `input.${place}` })
    expect(puts).toEqual([])
  })

  test('the largest numbers are none of them', async () => {
    const largest = 2n ** 256n - 1n
    const { contribution, deadline } = await prepare({
      input: { ...input, nonce: largest, deadline: largest },
    }).prepared
    expect([contribution.nonce, deadline]).toEqual([largest, largest])
  })
})
