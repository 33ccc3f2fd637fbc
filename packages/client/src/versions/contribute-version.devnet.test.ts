import {
  type BatchEntry,
  batchTree,
  contributeMerkleBatch,
  contributionBatchesAbi,
  getContribution,
  getNextBatchNumber,
  inspect,
  signBatchedContribution,
  withdrawBatchEntry,
} from '@sealpool/contracts'
import { digestOf, digestToHex } from '@sealpool/crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { memoryBlobStore, memoryJournal } from '../index.js'
import { contributingApps } from '../testing/contributing-app.js'
import { devnetPool } from '../testing/devnet-pool.js'
import { at } from '../testing/simulated-pool.js'
import { watchedWallet } from '../testing/watched-wallet.js'
import { contributeVersion, type VersionOptions } from './index.js'

/* Newer versions on a real chain. */

const world = await devnetPool()
const { all, app, countOf, exported } = contributingApps(world, (await world.time()) + 86_400n)
afterAll(() => world.devnet.stop())

const newer = (change: object = {}) =>
  exported({ bytes: new TextEncoder().encode('wage;union\r\n13;yes\r\n'), ...change })
const stateOf = async (id: bigint) => (await getContribution(world.walletOf(0), { ...world, id })).state

/** An owner with one contribution, whose transactions may be watched or broken. */
function owner(rpc?: (method: string, send: () => Promise<unknown>) => Promise<unknown>) {
  const journal = memoryJournal()
  const blobStore = memoryBlobStore()
  const { client, account, state } = app({ journal, blobStore })
  const chain = rpc === undefined ? world.walletOf(2) : watchedWallet(world, 2, rpc)
  const { deployment } = world
  const { pool } = world.contracts
  const version = (supersedes: bigint, change: Partial<VersionOptions> = {}) =>
    contributeVersion({
      ...{ client, chain, deployment, pool, blobStore, journal, account, supersedes },
      ...{ input: newer(), now: () => at, retryDelayMs: 1 },
      ...change,
    })
  return { client, account, journal, blobStore, state, version }
}

describe('a newer version of a contribution', () => {
  test('stands for it by one transaction, for which nothing is signed besides', async () => {
    const { client, account, version } = owner()
    const { id } = await client.contribute(account, exported())
    const steps: string[] = []
    const signing = { ...account, signTypedData: async () => Promise.reject(new Error('asked')) }
    const made = await version(id, {
      account: signing as typeof account,
      onProgress: ({ step, state }) => void steps.push(`${step} ${state}`),
    })
    expect(made).toMatchObject({ id: id + 1n, supersedes: id, resumed: false, simulated: true, findings: [] })
    expect(steps.filter((step) => !step.endsWith('started'))).toEqual([
      'preflight done',
      'verify done',
      'seal done',
      'store done',
      'sign skipped',
      'send done',
    ])
    expect([await stateOf(id), await stateOf(made.id)]).toEqual(['Superseded', 'Offered'])
    expect((await all()).at(-1)).toMatchObject({
      owner: account.address,
      blobDigest: made.contribution.blobDigest,
    })
  })

  test('is refused before anything is sealed where there is nothing of the owner’s to supersede', async () => {
    const { client, account, version, blobStore } = owner()
    const { id } = await client.contribute(account, exported())
    const put = async () => Promise.reject(new Error('sealed'))
    const asked = (supersedes: bigint, change: Partial<VersionOptions> = {}) =>
      version(supersedes, { blobStore: { ...blobStore, put }, ...change })
    const refused = { code: 'NOT_SUPERSEDABLE', place: 'supersedes' }
    await expect(asked(9_999n)).rejects.toMatchObject(refused)
    await expect(asked(100_000_000_000_000_000n + 1_024n * 99n)).rejects.toMatchObject(refused)
    await expect(asked(id, { account: world.accountOf(3) })).rejects.toMatchObject(refused)
    await version(id)
    await expect(asked(id)).rejects.toMatchObject(refused)
    await client.withdraw(id + 1n)
    await expect(asked(id + 1n)).rejects.toMatchObject(refused)
  })

  test.each(['seal done', 'store started', 'store done', 'send started', 'send done'])(
    'that was broken off at "%s" goes on under its key, and comes once',
    async (moment) => {
      const { client, account, version } = owner()
      const { id } = await client.contribute(account, exported())
      const before = await countOf()
      const stop = new Error('broken off')
      const onProgress: VersionOptions['onProgress'] = ({ step, state }) => {
        if (`${step} ${state}` === moment) throw stop
      }
      await expect(version(id, { key: 'v', onProgress })).rejects.toBe(stop)
      const made = await version(id, { key: 'v' })
      expect(made).toMatchObject({ supersedes: id, resumed: true })
      expect(await version(id, { key: 'v' })).toMatchObject({ id: made.id, hash: made.hash, resumed: true })
      expect(await countOf()).toBe(before + 1)
      expect((await all()).at(-1)).toMatchObject({ id: made.id, blobDigest: made.contribution.blobDigest })
    },
  )

  test('comes once where the answer to its transaction is lost', async () => {
    let lost = 0
    const { client, account, version } = owner(async (method, send) => {
      const answer = await send()
      if (method !== 'eth_sendRawTransaction') return answer
      lost += 1
      throw new Error('connection lost')
    })
    const { id } = await client.contribute(account, exported())
    const before = await countOf()
    const made = await version(id)
    expect(lost).toBe(1)
    expect(await countOf()).toBe(before + 1)
    expect((await all()).at(-1)?.id).toBe(made.id)
  })

  test('is not taken for one of another contribution, nor for a contribution under the same key', async () => {
    const { client, account, version, journal } = owner()
    const first = await client.contribute(account, exported(), { key: 'first' })
    const second = await client.contribute(account, exported())
    await version(first.id, { key: 'v' })
    await expect(version(second.id, { key: 'v' })).rejects.toMatchObject({ code: 'JOURNAL_MISMATCH' })
    await expect(version(second.id, { key: 'first' })).rejects.toMatchObject({ code: 'JOURNAL_INVALID' })
    await expect(client.contribute(account, newer(), { key: 'v' })).rejects.toMatchObject({
      code: 'JOURNAL_INVALID',
    })
    await journal.set('w', '{')
    await expect(version(second.id, { key: 'w' })).rejects.toMatchObject({ code: 'JOURNAL_INVALID' })
    await expect(version(second.id, { key: 'v', journal: undefined as never })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
    expect(await stateOf(second.id)).toBe('Offered')
  })
})

describe('a newer version of an entry of a Merkle batch', () => {
  const header = {
    pool: world.contracts.pool,
    epoch: 1,
    schemaId: digestToHex(digestOf('schema')),
    locatorBase: 'sha256:',
  }
  /** A batch of two entries of account 2. @returns their numbers as nodes have them */
  async function batch() {
    const { deployment } = world
    const account = world.accountOf(2)
    const relayer = world.walletOf(0)
    const number = await getNextBatchNumber(relayer, { deployment, relayer: relayer.account.address })
    const entries = await Promise.all(
      [0, 1].map(async (index) => {
        const entry: BatchEntry = {
          owner: account.address,
          blobDigest: digestToHex(digestOf(`blob ${number} ${index}`)),
          commitment: digestToHex(digestOf(`commitment ${index}`)),
          consentDigest: digestToHex(digestOf('consent')),
        }
        const place = { deployment, relayer: relayer.account.address, number, header, index, entry }
        return { ...entry, signature: await signBatchedContribution({ ...place, account }) }
      }),
    )
    const { batchId } = await contributeMerkleBatch(relayer, { deployment, number, header, entries })
    const idOf = (index: number) => 100_000_000_000_000_000n + 1_024n * batchId + BigInt(index)
    const isWithdrawn = (index: number) =>
      inspect(relayer, {
        address: deployment.contributionBatches,
        abi: contributionBatchesAbi,
        functionName: 'isWithdrawn',
        args: [batchId, BigInt(index)],
      })
    return { batchId, entries, idOf, isWithdrawn }
  }

  test('stands for it: the entry is replaced by its file, then it comes', async () => {
    const { idOf, isWithdrawn } = await batch()
    const { version } = owner()
    const before = await countOf()
    const made = await version(idOf(1))
    expect([await isWithdrawn(0), await isWithdrawn(1)]).toEqual([false, true])
    expect(await countOf()).toBe(before + 1)
    expect(await stateOf(made.id)).toBe('Offered')
    await expect(version(idOf(1))).rejects.toMatchObject({ code: 'NOT_SUPERSEDABLE' })
  })

  test.each([1, 2])(
    'goes on under its key where it was killed at its transaction %i, and comes once',
    async (which) => {
      const { idOf, isWithdrawn } = await batch()
      let sent = 0
      const stop = new Error('killed')
      let broken = true
      const { version } = owner(async (method, send) => {
        if (method !== 'eth_sendRawTransaction' || !broken) return send()
        sent += 1
        if (sent === which) throw stop
        return send()
      })
      const before = await countOf()
      await expect(version(idOf(0), { key: 'v', attempts: 1 })).rejects.toThrow()
      expect(await isWithdrawn(0)).toBe(which === 2)
      broken = false
      const made = await version(idOf(0), { key: 'v' })
      expect(made.resumed).toBe(true)
      expect(await isWithdrawn(0)).toBe(true)
      expect(await countOf()).toBe(before + 1)
      expect(await version(idOf(0), { key: 'v' })).toMatchObject({ id: made.id })
    },
  )

  test('is refused where its owner took it back', async () => {
    const { batchId, entries, idOf } = await batch()
    const { deployment } = world
    const [entry] = entries
    if (entry === undefined) throw new Error('no entry')
    const place = { deployment, batchId, index: 0, entry, proof: batchTree(entries).proof(0) }
    await withdrawBatchEntry(world.walletOf(2), place)
    await expect(owner().version(idOf(0))).rejects.toMatchObject({ code: 'NOT_SUPERSEDABLE' })
  })
})

test('a newer version that was sealed for a key that is over is sealed anew', async () => {
  const { client, account, version, state } = owner()
  const { id } = await client.contribute(account, exported())
  const stop = new Error('broken off')
  const onProgress: VersionOptions['onProgress'] = ({ step }) => {
    if (step === 'send') throw stop
  }
  await expect(version(id, { key: 'v', onProgress })).rejects.toBe(stop)
  await world.publish(2)
  state.epoch = 2
  const made = await version(id, { key: 'v' })
  expect(made.contribution.epoch).toBe(2)
  expect(await stateOf(id)).toBe('Superseded')
})
