import { BlobStoreError, memoryBlobStore } from '@sealpool/client'
import { type Digest, digestToHex, hexToDigest, sha256Digest } from '@sealpool/crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PoolConsents } from '../config/consent-settings.js'
import { copiesOf } from '../own-copy/copies-of.js'
import type { OwnCopies } from '../own-copy/own-copies.js'
import { findContribution } from '../state/contribution-table.js'
import { disputesFrom } from '../state/verdict-agreement-table.js'
import { chainContribution } from '../testing/job-fixture.js'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { validatorPeers } from '../testing/validator-peers.js'

let world: Awaited<ReturnType<typeof judgingWorld>>
beforeAll(async () => {
  world = await judgingWorld(memoryStores())
})
afterAll(() => world.close())
beforeEach(() => world.reset())

const rowOf = async (id: string) => {
  const row = await findContribution(world.context().store, id)
  if (row === undefined) throw new Error(`no contribution ${id}`)
  return row
}
const silent: OwnCopies = {
  get: () => Promise.reject(new BlobStoreError('BLOB_MISSING', 'locator', 'it does not answer')),
}
const isStored = (digest: Digest) =>
  world
    .context()
    .blobStore.get(digest, { maximumBytes: 1_000_000 })
    .then(
      () => true,
      () => false,
    )

/** A contribution whose file its owner's own store gives, to the home and no validator. @param other bytes that lie there instead */
async function ownContribution(other?: Uint8Array): Promise<Digest> {
  const { store, blobStore } = world.context()
  await world.contribute('1', { days: daysOf(1) })
  const { blobDigest } = await rowOf('1')
  const given = other ?? (await blobStore.get(blobDigest, { maximumBytes: 1_000_000 }))
  await blobStore.remove(blobDigest)
  Object.assign(world.context(), { ownCopies: { get: async () => given } satisfies OwnCopies })
  const digest = sha256Digest(given)
  await store.query('update contributions set locator = $1 where id = 1', [
    `https://own.example/${digest.slice('sha256:'.length)}`,
  ])
  return digest
}
/** @param blobStore of the validator; absent: the home's */
const judgedWith = (blobStore = world.context().blobStore, validators = 1) =>
  validatorPeers(world, {
    threshold: 2,
    runtimes: Array(validators).fill(world.runtime),
    change: { blobStore: copiesOf({ blobStore, ownCopies: silent }, { keep: 'escrow' }) },
  })

describe('a file that its owner’s own store gives to the home alone', () => {
  it('is kept for the validators at the next try, and judged then', async () => {
    const digest = await ownContribution()
    judgedWith()
    await world.judge()
    expect(await rowOf('1')).toMatchObject({ state: 'seen', reason: 'VALIDATORS_LACK_FILE' })
    expect(await isStored(digest)).toBe(false)
    world.wait(31)
    await world.judge()
    expect(await rowOf('1')).toMatchObject({ state: 'judged', reason: null })
    expect(await isStored(digest)).toBe(true)
  })

  it('is refused as missing once enough of them have looked for it in vain as often as the settings say', async () => {
    await ownContribution()
    // This validator does not reach the pool's store either.
    judgedWith(memoryBlobStore())
    for (const reason of ['VALIDATORS_LACK_FILE', 'VALIDATORS_LACK_FILE', 'BLOB_MISSING']) {
      await world.judge()
      expect(await rowOf('1')).toMatchObject({ reason })
      world.wait(61)
    }
    expect(await rowOf('1')).toMatchObject({ state: 'judged', verdictDigest: expect.any(String) })
    expect((await world.verdictOn('1')).refusal?.code).toBe('BLOB_MISSING')
  })

  it('is not refused because one of several says that it lacks it, however often, while the others are away', async () => {
    await ownContribution()
    const { peers } = judgedWith(memoryBlobStore(), 2)
    const [, other] = peers
    if (other === undefined) throw new Error('there are two validators')
    other.away = true
    for (let times = 0; times < 5; times += 1) {
      await world.judge()
      expect(await rowOf('1')).toMatchObject({ state: 'seen', reason: 'VALIDATORS_LACK_FILE' })
      world.wait(3_601)
    }
    // Now both say so: with this node alone there is no verdict.
    other.away = false
    for (let times = 0; times < 3; times += 1) {
      await world.judge()
      world.wait(3_601)
    }
    expect((await world.verdictOn('1')).refusal?.code).toBe('BLOB_MISSING')
  })

  it('is not kept when it is not what the chain names', async () => {
    const digest = await ownContribution(new TextEncoder().encode('something else'))
    judgedWith()
    for (let times = 0; times < 2; times += 1) {
      await world.judge()
      expect(await rowOf('1')).toMatchObject({ state: 'seen', reason: 'VALIDATORS_LACK_FILE' })
      world.wait(61)
    }
    expect(await isStored(digest)).toBe(false)
  })
})

/** What contributions of the world agreed to. */
const given = hexToDigest(chainContribution().consentDigest)
/** Validators whose settings have this list. */
const validatorsWith = (consents: PoolConsents | null) =>
  validatorPeers(world, {
    threshold: 2,
    runtimes: [world.runtime],
    change: { pools: new Map([[world.pool().address, { ...world.pool(), consents }]]) },
  })

describe('a pool whose contributors must have agreed to a text, with validators', () => {
  it('takes and refuses by the list that all of them have, and opens nothing under another text', async () => {
    world.rule({ consents: [digestOfDigit('a'), given] })
    const { peers } = validatorsWith([given, digestOfDigit('a')])
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2) })
    await world
      .context()
      .store.query('update contributions set consent_digest = $1 where id = 2', [
        digestToHex(digestOfDigit('b')),
      ])
    await world.judge()
    expect(await rowOf('1')).toMatchObject({ state: 'judged', reason: null })
    expect(await rowOf('2')).toMatchObject({ reason: 'CONSENT_NOT_ACCEPTED' })
    const [, refused] = (peers[0]?.asked[0]?.['items'] ?? []) as readonly { header: unknown }[]
    expect(refused?.header).toBeNull()
    expect(await disputesFrom(world.context().store, 1, 10)).toEqual([])
  })

  it('is judged by other inputs where a validator has another list: nobody is in dispute, and it waits', async () => {
    world.rule({ consents: [given] })
    for (const list of [null, [digestOfDigit('a')], [given, digestOfDigit('a')]]) {
      const { errors } = validatorsWith(list)
      await world.contribute('1', { days: daysOf(1) })
      await world.judge()
      expect(await rowOf('1')).toMatchObject({ state: 'seen', reason: 'VALIDATORS_AWAY' })
      expect(errors.join()).toMatch(/VERDICT_OVER_OTHER_INPUTS|OPENING_DIFFERS/)
      expect(await disputesFrom(world.context().store, 1, 10)).toEqual([])
      await world.reset()
      world.rule({ consents: [given] })
    }
  })
})
