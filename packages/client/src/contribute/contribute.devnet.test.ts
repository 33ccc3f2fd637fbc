import { getContributions } from '@sealpool/contracts'
import { parseHeader } from '@sealpool/crypto'
import { createWalletClient, custom, http } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type BlobStore,
  BlobStoreError,
  ClientError,
  createPoolClient,
  memoryBlobStore,
  memoryJournal,
  type PoolClientOptions,
  sizePreflight,
} from '../index.js'
import { cancelNonceForTest } from '../testing/cancel-nonce.js'
import { input } from '../testing/contribution.js'
import { type DevnetPool, devnetPool } from '../testing/devnet-pool.js'
import { memoryNode } from '../testing/memory-node.js'
import { at, policy, policyWith, trust } from '../testing/simulated-pool.js'
import { parseJournalEntry } from './contribution-journal.js'
import type { ContributionInput } from './prepare-contribution.js'

/* Everything around a contribution that can go wrong, on a real chain. Kills are in killed-contribution.devnet.test.ts. */

let world: DevnetPool
let deadline: bigint
beforeAll(async () => {
  world = await devnetPool()
  deadline = (await world.time()) + 86_400n
})
afterAll(() => world.devnet.stop())

/** An app with parts that a test may break; `epoch` is what its node serves. */
function app(
  change: Partial<PoolClientOptions> = {},
  rpc: (method: string, send: () => Promise<unknown>) => Promise<unknown> = (_method, send) => send(),
) {
  const served = memoryNode(world.node)
  const state = { epoch: 1 }
  served.routes['/v1/pools'] = () => ({ simulated: true, pools: [world.node.answer(state.epoch)] })
  const blobStore = memoryBlobStore()
  const journal = memoryJournal()
  const account = world.accountOf(2)
  const plain = http(world.devnet.rpcUrl)({ chain: foundry, retryCount: 0 })
  const transport = custom(
    { request: (call) => rpc(call.method, () => plain.request(call as never)) },
    { retryCount: 0 },
  )
  const client = createPoolClient({
    chain: createWalletClient({ account, chain: foundry, transport }),
    deployment: world.deployment,
    pool: world.contracts.pool,
    policy,
    nodeUrl: 'http://node.example',
    blobStore,
    journal,
    fetch: served.fetch,
    now: () => at,
    maximumAgeMs: 0,
    retryDelayMs: 1,
    ...change,
  })
  const steps: string[] = []
  const onProgress = ({ step, state }: { step: string; state: string }) => steps.push(`${step} ${state}`)
  return { client, account, served, state, blobStore, journal, steps, onProgress }
}
const exported = (change: Partial<ContributionInput> = {}): ContributionInput => {
  const { nonce: _nonce, ...rest } = input
  return { ...rest, deadline, ...change }
}
const all = () =>
  getContributions(world.walletOf(0), { deployment: world.deployment, pool: world.contracts.pool })
const countOf = async () => (await all()).length

describe('contribute', () => {
  test('tells of every step, and counts each call without a key as a contribution of its own', async () => {
    const { client, account, steps, onProgress } = app()
    const before = await countOf()
    const first = await client.contribute(account, exported(), { onProgress })
    expect(steps).toEqual(
      ['preflight', 'verify', 'seal', 'store', 'sign', 'send'].flatMap((step) => [
        `${step} started`,
        `${step} done`,
      ]),
    )
    expect(first).toMatchObject({ resumed: false, findings: [], prepared: { simulated: true } })
    expect(first.receipt.transactionHash).toBe(first.hash)
    const second = await client.contribute(account, exported())
    expect(second.id).toBe(first.id + 1n)
    expect(await countOf()).toBe(before + 2)
  })

  test('gives a contribution an hour unless told otherwise', async () => {
    const { client, account } = app()
    const { deadline: _given, ...rest } = exported()
    const { deadline: chosen } = await client.prepareContribution(account, rest)
    expect(chosen).toBe(BigInt(at.getTime() / 1000) + 3600n)
  })

  test.each([
    ['a key without a journal', { journal: undefined }, { key: 'a' }],
    ['a key that is a path', {}, { key: '../a' }],
    ['an empty key', {}, { key: '' }],
    ['a key that is too long', {}, { key: 'a'.repeat(101) }],
  ] as const)('refuses %s', async (_name, change, options) => {
    const { journal, ...rest } = { journal: memoryJournal(), ...change }
    const made = app({ ...rest, ...(journal === undefined ? {} : { journal }) })
    const { account } = made
    const client = journal === undefined ? bare() : made.client
    await expect(client.contribute(account, exported(), options)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })

  test.each([{ attempts: 0 }, { attempts: 1.5 }, { retryDelayMs: -1 }])(
    'refuses the options %j',
    (change) => {
      expect(() => app(change)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    },
  )
})

function bare() {
  return createPoolClient({
    chain: world.walletOf(2),
    deployment: world.deployment,
    pool: world.contracts.pool,
    policy,
    nodeUrl: 'http://node.example',
    blobStore: memoryBlobStore(),
  })
}

describe('preflight', () => {
  const finding = (result: 'pass' | 'warn' | 'fail') => () => ({
    id: `is-${result}`,
    title: 'A test',
    result,
    detail: 'secret words of the export',
  })

  test('stops an unfit export before anything leaves, and its error does not quote the export', async () => {
    const { client, account, served, steps, onProgress } = app({
      preflight: [sizePreflight({ maximumBytes: 3 })],
    })
    const failed = client.contribute(account, exported(), { onProgress, preflight: [finding('fail')] })
    await expect(failed).rejects.toMatchObject({ code: 'PREFLIGHT_FAILED', place: 'preflight' })
    const error = await failed.catch((reason: unknown) => String(reason))
    expect(error).toContain('is-fail')
    expect(error).toContain('size')
    expect(error).not.toContain('secret')
    expect(served.seen).toEqual([])
    expect(steps).toEqual(['preflight started', 'preflight done'])
  })

  test('tells warnings and goes on', async () => {
    const { client, account } = app({ preflight: [finding('warn')] })
    const { findings } = await client.contribute(account, exported(), { preflight: [finding('pass')] })
    expect(findings.map(({ id }) => id)).toEqual(['is-warn', 'is-pass'])
  })

  test('counts a check that breaks as failed, without its words', async () => {
    const broken = () => {
      throw new Error('secret words of the export')
    }
    const findings = await app().client.preflight(exported(), { preflight: [broken, finding('pass')] })
    expect(findings.map(({ result }) => result)).toEqual(['fail', 'pass'])
    expect(findings[0]?.detail).not.toContain('secret')
  })

  test('stops when it is told to', async () => {
    const reason = new Error('left')
    await expect(
      app().client.preflight(exported(), { preflight: [finding('pass')], signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
  })
})

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
      const journal = {
        ...inner,
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

describe('the outside world', () => {
  test('may be away for a while: node, store and chain are asked again', async () => {
    const failures = { node: 2, store: 2, chain: 1 }
    const store = memoryBlobStore()
    const flaky: BlobStore = {
      ...store,
      async put(...args) {
        if (failures.store-- > 0) throw new BlobStoreError('BLOB_STORE_FAILED', 'put', 'busy')
        return store.put(...args)
      },
    }
    const served = memoryNode(world.node)
    const made = app(
      {
        blobStore: flaky,
        fetch: async (...args) => {
          if (failures.node-- > 0) throw new TypeError('fetch failed')
          return served.fetch(...args)
        },
      },
      async (method, send) => {
        if (method === 'eth_call' && failures.chain-- > 0) throw new Error('away')
        return send()
      },
    )
    const { id } = await made.client.contribute(made.account, exported())
    expect(id).toBeGreaterThan(0n)
  })

  test('that stays away is an error after as many tries as were asked for', async () => {
    let asked = 0
    const { client, account } = app({
      attempts: 4,
      fetch: async () => {
        asked += 1
        throw new TypeError('fetch failed')
      },
    })
    await expect(client.contribute(account, exported())).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
    expect(asked).toBe(8)
  })

  test('is not asked again after a no', async () => {
    const { client, account, served } = app({ policy: policyWith(trust, 'other') })
    await expect(client.contribute(account, exported())).rejects.toMatchObject({ code: 'NOT_READY' })
    expect(served.seen.length).toBe(2)
  })

  test('may lose the answer to a transaction: it still counts once', async () => {
    const before = await countOf()
    const { client, account } = app({}, async (method, send) => {
      const answer = await send()
      if (method === 'eth_sendRawTransaction') throw new Error('connection lost')
      return answer
    })
    const { id } = await client.contribute(account, exported())
    expect(await countOf()).toBe(before + 1)
    expect((await all()).at(-1)?.id).toBe(id)
  })

  test('may have the number already, for something else', async () => {
    const { client, account } = app()
    await client.contribute(account, exported({ nonce: 777n }))
    await expect(client.contribute(account, exported({ nonce: 777n }))).rejects.toMatchObject({
      code: 'NONCE_TAKEN',
    })
    await cancelNonceForTest(world, 2, 778n)
    await expect(client.contribute(account, exported({ nonce: 778n }))).rejects.toMatchObject({
      code: 'NONCE_TAKEN',
    })
  })

  test('has contracts whose other refusals come through', async () => {
    const { client, account } = app()
    await expect(client.contribute(account, exported({ deadline: 1n }))).rejects.toMatchObject({
      code: 'REVERTED',
      revert: { name: 'SignatureExpired' },
    })
  })
})

describe('cancelling', () => {
  const reason = new Error('the page was left')
  test('before anything', async () => {
    const { client, account, served } = app()
    await expect(client.contribute(account, exported(), { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    expect(served.seen).toEqual([])
  })

  test.each(['verify started', 'seal started', 'store started', 'sign started', 'send started'])(
    'at "%s" gives the caller’s reason',
    async (moment) => {
      const control = new AbortController()
      const before = await countOf()
      const made = app({}, async (_method, send) => {
        if (control.signal.aborted) await new Promise(() => undefined)
        return send()
      })
      const onProgress = ({ step, state }: { step: string; state: string }) => {
        if (`${step} ${state}` === moment) control.abort(reason)
      }
      await expect(
        made.client.contribute(made.account, exported(), { signal: control.signal, onProgress }),
      ).rejects.toBe(reason)
      expect(await countOf()).toBe(before)
    },
  )

  test('while it waits to try again', async () => {
    const control = new AbortController()
    const { client, account } = app({
      retryDelayMs: 60_000,
      fetch: async () => {
        control.abort(reason)
        throw new TypeError('fetch failed')
      },
    })
    await expect(client.contribute(account, exported(), { signal: control.signal })).rejects.toBe(reason)
  })

  test('prepareContribution stops too', async () => {
    const { client, account } = app()
    await expect(
      client.prepareContribution(account, exported(), { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
  })
})

// Last: these move the pool's key on for good.
describe('a new key epoch', () => {
  test('between an interruption and its going on: sealed anew under the same number', async () => {
    const made = app()
    const stop = new Error('broken off')
    const broken = made.client.contribute(made.account, exported(), {
      key: 'k',
      onProgress: ({ step }) => {
        if (step === 'sign') throw stop
      },
    })
    await expect(broken).rejects.toBe(stop)
    const noted = parseJournalEntry((await made.journal.get('k')) ?? '')
    await world.publish(2)
    made.state.epoch = 2
    const { prepared } = await made.client.contribute(made.account, exported(), { key: 'k' })
    expect(prepared.contribution).toMatchObject({ epoch: 2, nonce: noted.nonce })
    expect(parseHeader(await made.blobStore.get(prepared.contribution.locator)).context.epoch).toBe(2)
  })

  test('between the last look and the transaction: once more, under the same number', async () => {
    const made = app({ maximumAgeMs: 60_000 })
    made.state.epoch = 2
    const before = await countOf()
    let moved = false
    const { prepared } = await made.client.contribute(
      {
        ...made.account,
        signTypedData: async (data: never) => {
          if (!moved) {
            moved = true
            await world.publish(3)
            made.state.epoch = 3
          }
          return world.accountOf(2).signTypedData(data)
        },
      } as typeof made.account,
      exported(),
      { key: 'k', onProgress: made.onProgress },
    )
    expect(prepared.contribution.epoch).toBe(3)
    expect(made.steps.filter((step) => step === 'send started').length).toBe(2)
    expect(await countOf()).toBe(before + 1)
  })

  test('that comes every time is an error, not a loop', async () => {
    const made = app()
    let epoch = 3
    made.state.epoch = epoch
    const account = {
      ...made.account,
      signTypedData: async (data: never) => {
        epoch += 1
        await world.publish(epoch)
        made.state.epoch = epoch
        return world.accountOf(2).signTypedData(data)
      },
    } as typeof made.account
    await expect(made.client.contribute(account, exported())).rejects.toMatchObject({
      code: 'REVERTED',
      revert: { name: 'EpochNotCurrent' },
    })
    expect(epoch).toBe(5)
  })
})

test('errors of a client are its own', () => {
  expect(new ClientError('NONCE_TAKEN', 'nonce', 'x')).toMatchObject({ name: 'ClientError', place: 'nonce' })
})
