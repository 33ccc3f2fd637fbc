import { afterAll, describe, expect, test } from 'vitest'
import { type BlobStore, BlobStoreError, memoryBlobStore, memoryJournal } from '../index.js'
import { contributingApps } from '../testing/contributing-app.js'
import { input } from '../testing/contribution.js'
import { devnetPool } from '../testing/devnet-pool.js'
import { at } from '../testing/simulated-pool.js'
import { type ContributionJournal, parseJournalEntry } from './contribution-journal.js'

/* A contribution that goes on where it was broken off. Kills are in killed-contribution.devnet.test.ts. */

const world = await devnetPool()
const deadline = (await world.time()) + 86_400n
const { all, app, countOf, exported } = contributingApps(world, deadline)
afterAll(() => world.devnet.stop())

describe('a contribution under a key', () => {
  /** Breaks off at a step, so that the next call has something to go on from. */
  async function brokenAt(moment: string, made = app(), given = exported()) {
    const stop = new Error('broken off')
    const onProgress = ({ step, state }: { step: string; state: string }) => {
      if (`${step} ${state}` === moment) throw stop
    }
    await expect(made.client.contribute(made.account, given, { key: 'k', onProgress })).rejects.toBe(stop)
    return made
  }

  test('is made once, however often it is asked for', async () => {
    const { client, account, served, steps, onProgress } = app()
    const first = await client.contribute(account, exported(), { key: 'k' })
    const seen = served.seen.length
    const again = await client.contribute(account, exported(), { key: 'k', onProgress })
    expect(steps.slice(2)).toEqual(
      ['verify', 'seal', 'store', 'sign', 'send'].map((step) => `${step} skipped`),
    )
    expect(again).toMatchObject({ id: first.id, hash: first.hash, resumed: true, prepared: first.prepared })
    expect(again.receipt.transactionHash).toBe(first.hash)
    expect(served.seen.length).toBe(seen)
  })

  test.each([
    ['bytes', { bytes: new Uint8Array([1]) }],
    ['schemaId', { schemaId: input.consentDigest }],
    ['consentDigest', { consentDigest: input.schemaId }],
    ['nonce', { nonce: 12_345n }],
  ] as const)('is not taken for one with another %s', async (place, change) => {
    const { client, account } = await brokenAt('sign started')
    const error = client.contribute(account, exported(change), { key: 'k' })
    await expect(error).rejects.toMatchObject({ code: 'JOURNAL_MISMATCH' })
    await expect(error).rejects.toThrow(place)
  })

  test('is not taken for another account’s, pool’s or chain’s', async () => {
    const { client, account, journal } = await brokenAt('sign started')
    await expect(client.contribute(world.accountOf(3), exported(), { key: 'k' })).rejects.toThrow('account')
    const text = (await journal.get('k')) ?? ''
    for (const [from, to, place] of [
      [/"chainId":31337/, '"chainId":1', 'chain'],
      [/"pool":"0x[^"]+"/, `"pool":"0x${'ab'.repeat(20)}"`, 'pool'],
      [/"locator":"sha256:[^"]+"/, `"locator":"sha256:${'00'.repeat(32)}"`, 'stored'],
      [/"contribution":\{"owner":"0x[^"]+"/, `"contribution":{"owner":"0x${'ab'.repeat(20)}"`, 'stored'],
    ] as const) {
      await journal.set('k', text.replace(from, to))
      const error = client.contribute(account, exported(), { key: 'k' })
      await expect(error).rejects.toMatchObject({ code: 'JOURNAL_MISMATCH' })
      await expect(error).rejects.toThrow(place)
    }
  })

  test('whose entry cannot be read is left alone', async () => {
    const { client, account, journal } = app()
    await journal.set('k', '{"format":"something else"}')
    await expect(client.contribute(account, exported(), { key: 'k' })).rejects.toMatchObject({
      code: 'JOURNAL_INVALID',
    })
    expect(await journal.get('k')).toBe('{"format":"something else"}')
  })

  test('whose signature was cut out of its entry is told, not guessed', async () => {
    const { client, account, journal } = app()
    await client.contribute(account, exported(), { key: 'k' })
    const json = JSON.parse((await journal.get('k')) ?? '')
    await journal.set('k', JSON.stringify({ ...json, signed: null }))
    await expect(client.contribute(account, exported(), { key: 'k' })).rejects.toMatchObject({
      code: 'JOURNAL_INVALID',
    })
  })

  test('that another run signed and sent meanwhile ends with what that run signed', async () => {
    const made = await brokenAt('sign started')
    const early = (await made.journal.get('k')) ?? ''
    const other = await made.client.contribute(made.account, exported(), { key: 'k' })
    let reads = 0
    const journal: ContributionJournal = {
      ...made.journal,
      get: async (key: string) => {
        reads += 1
        return reads === 1 ? early : made.journal.get(key)
      },
    }
    const late = await app({ journal, blobStore: made.blobStore }).client.contribute(
      made.account,
      exported(),
      { key: 'k' },
    )
    expect(late).toMatchObject({ id: other.id, hash: other.hash, prepared: other.prepared })
    expect(parseJournalEntry((await made.journal.get('k')) ?? '').signed).not.toBeNull()
  })

  test('goes on with the blob that is stored, and asks for no second signature', async () => {
    let asked = 0
    const made = app()
    const account = {
      ...made.account,
      signTypedData: async (data: never) => {
        asked += 1
        return world.accountOf(2).signTypedData(data)
      },
    } as typeof made.account
    await brokenAt('send started', { ...made, account })
    const noted = parseJournalEntry((await made.journal.get('k')) ?? '')
    const { prepared } = await made.client.contribute(account, exported(), {
      key: 'k',
      onProgress: made.onProgress,
    })
    expect(asked).toBe(1)
    expect(prepared.contribution.locator).toBe(noted.stored?.contribution.locator)
    expect(made.steps.filter((step) => step.endsWith('skipped'))).toEqual([
      'seal skipped',
      'store skipped',
      'sign skipped',
    ])
  })

  test('is signed anew when the signature would be too old, under the same number', async () => {
    const short = exported({ deadline: BigInt(at.getTime() / 1000) + 30n })
    const made = await brokenAt('send started', app(), short)
    const noted = parseJournalEntry((await made.journal.get('k')) ?? '')
    const { prepared } = await made.client.contribute(made.account, exported(), {
      key: 'k',
      onProgress: made.onProgress,
    })
    // Before it is sent, not after the chain refused it.
    expect(made.steps.filter((step) => step === 'send started').length).toBe(1)
    expect(prepared.contribution.nonce).toBe(noted.nonce)
    expect(prepared.deadline).toBe(deadline)
  })

  test('is sealed anew when the store has lost the blob', async () => {
    const lost: { store: BlobStore } = { store: memoryBlobStore() }
    const through: BlobStore = {
      name: 'memory',
      put: (...args) => lost.store.put(...args),
      get: (...args) => lost.store.get(...args),
      getRange: (...args) => lost.store.getRange(...args),
      remove: (...args) => lost.store.remove(...args),
    }
    const made = await brokenAt('sign started', app({ blobStore: through }))
    const noted = parseJournalEntry((await made.journal.get('k')) ?? '')
    lost.store = memoryBlobStore()
    const { prepared } = await made.client.contribute(made.account, exported(), { key: 'k' })
    expect(prepared.contribution.locator).not.toBe(noted.stored?.contribution.locator)
    expect((await lost.store.get(prepared.contribution.locator)).length).toBe(prepared.sealedBytes)
  })

  test.each([1, 2, 3, 4])(
    'goes on after the journal was full at its write %i, and counts once',
    async (full) => {
      const inner = memoryJournal()
      let writes = 0
      const journal: ContributionJournal = {
        ...inner,
        async setIfAbsent(key: string, text: string) {
          if ((await inner.get(key)) === undefined) await journal.set(key, text)
          return inner.setIfAbsent(key, text)
        },
        async set(key: string, text: string) {
          writes += 1
          if (writes === full) throw new Error('ENOSPC: no space left')
          await inner.set(key, text)
        },
      }
      const before = await countOf()
      const { client, account } = app({ journal })
      await expect(client.contribute(account, exported(), { key: 'k' })).rejects.toMatchObject({
        code: 'JOURNAL_FAILED',
      })
      const { id } = await client.contribute(account, exported(), { key: 'k' })
      expect(await countOf()).toBe(before + 1)
      expect((await all()).at(-1)?.id).toBe(id)
    },
  )

  test('does not begin when its journal cannot be read', async () => {
    const journal = { ...memoryJournal(), get: () => Promise.reject(new Error('EACCES')) }
    const { client, account, served } = app({ journal })
    await expect(client.contribute(account, exported(), { key: 'k' })).rejects.toMatchObject({
      code: 'JOURNAL_FAILED',
    })
    expect(served.seen).toEqual([])
  })

  test('waits for a store that does not answer instead of storing the export again', async () => {
    let away = false
    const inner = memoryBlobStore()
    const blobStore: BlobStore = {
      ...inner,
      async getRange(...args) {
        if (away) throw new BlobStoreError('BLOB_STORE_FAILED', 'get', 'busy')
        return inner.getRange(...args)
      },
    }
    const made = await brokenAt('sign started', app({ blobStore }))
    away = true
    const again = made.client.contribute(made.account, exported(), { key: 'k', onProgress: made.onProgress })
    await expect(again).rejects.toMatchObject({ code: 'BLOB_STORE_FAILED' })
    expect(made.steps).not.toContain('seal started')
  })

  test('holds no word of the export in its journal', async () => {
    const { journal } = await brokenAt('send started')
    expect(await journal.get('k')).not.toMatch(/wage|12\.50|text\/csv/)
  })

  test('that the account declined to sign goes on when it agrees', async () => {
    const made = app()
    const declined = new Error('user rejected')
    const unwilling = {
      ...made.account,
      signTypedData: () => Promise.reject(declined),
    } as typeof made.account
    await expect(made.client.contribute(unwilling, exported(), { key: 'k' })).rejects.toBe(declined)
    const { resumed } = await made.client.contribute(made.account, exported(), { key: 'k' })
    expect(resumed).toBe(true)
  })
})
