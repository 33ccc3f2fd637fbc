import { getContribution } from '@sealpool/contracts'
import { digestOf, digestToHex } from '@sealpool/crypto'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { waitForTransactionReceipt } from 'viem/actions'
import { afterAll, describe, expect, test } from 'vitest'
import { consentAgain } from '../consent/index.js'
import { type BlobStore, BlobStoreError, ClientError, memoryBlobStore, memoryJournal } from '../index.js'
import { cancelNonceForTest } from '../testing/cancel-nonce.js'
import { contributingApps } from '../testing/contributing-app.js'
import { devnetPool } from '../testing/devnet-pool.js'
import { memoryNode } from '../testing/memory-node.js'
import { at, policyWith, trust } from '../testing/simulated-pool.js'

/* What goes right around a contribution, and what the outside world does to it, on a real chain. */

const world = await devnetPool()
const { all, app, bare, countOf, exported } = contributingApps(world, (await world.time()) + 86_400n)
afterAll(() => world.devnet.stop())

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

  test('tries again where the chain falls silent after the node was verified, and then says so in its own words', async () => {
    let silent = 1
    const rpc = async (method: string, send: () => Promise<unknown>) => {
      if (method !== 'eth_blockNumber' || silent <= 0) return send()
      silent -= 1
      throw new Error('https://rpc.example/key-of-the-app does not answer')
    }
    const { client, account } = app({}, rpc)
    const before = await countOf()
    await client.contribute(account, exported())
    expect({ silent, count: await countOf() }).toEqual({ silent: 0, count: before + 1 })
    silent = 99
    const failed = await client.contribute(account, exported()).catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ClientError', code: 'CHAIN_READ_FAILED' })
    expect(String(failed)).not.toContain('key-of-the-app')
    expect(await countOf()).toBe(before + 1)
  })

  test('notes nothing of an input that no later call could read, and the key stays free', async () => {
    const journal = memoryJournal()
    const { client, account } = app({ journal })
    for (const wrong of [{ schemaId: 'sha256:zz' as const }, { nonce: -1n }, { bytes: 'text' as never }]) {
      const failed = client.contribute(account, { ...exported(), ...wrong }, { key: 'november' })
      await expect(failed).rejects.toMatchObject({ code: 'OPTION_INVALID' })
      expect(await journal.get('november')).toBeUndefined()
    }
    const done = await client.contribute(account, exported(), { key: 'november' })
    expect(done.resumed).toBe(false)
  })

  test('seals and stores nothing for a key that can pay for no transaction, and goes on when it can', async () => {
    const journal = memoryJournal()
    const poor = privateKeyToAccount(generatePrivateKey())
    const memory = memoryBlobStore()
    let stored = 0
    const put: BlobStore['put'] = (...given) => {
      stored += 1
      return memory.put(...given)
    }
    const { client, steps, onProgress } = app({ journal, blobStore: { ...memory, put } })
    const contribute = () => client.contribute(poor, exported(), { key: 'poor', onProgress })
    await expect(contribute()).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS', place: 'account' })
    expect(steps.at(-1)).toBe('seal started')
    expect(stored).toBe(0)
    const rich = world.walletOf(0)
    const hash = await rich.sendTransaction({ to: poor.address, value: 10n ** 18n })
    await waitForTransactionReceipt(rich, { hash })
    expect((await contribute()).resumed).toBe(true)
    expect(stored).toBe(1)
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

describe('agreeing to another text', () => {
  const consentDigest = digestOf('the text of next year')
  const about = { deployment: world.deployment, pool: world.contracts.pool, consentDigest }

  test('has a newer version stand for the contribution, with the same sealed file and nothing uploaded', async () => {
    const { client, account } = app()
    const { id } = await client.contribute(account, exported())
    const again = await consentAgain(world.walletOf(2), { ...about, id })
    expect(again).toMatchObject({ previous: id, id: id + 1n })
    const [before, after] = (await all()).slice(-2)
    expect(after).toMatchObject({
      id: again.id,
      owner: before?.owner,
      blobDigest: before?.blobDigest,
      commitment: before?.commitment,
      locator: before?.locator,
      epoch: before?.epoch,
      consentDigest: digestToHex(consentDigest),
    })
    expect(before?.consentDigest).not.toBe(after?.consentDigest)
    expect((await getContribution(world.walletOf(0), { ...about, id })).state).toBe('Superseded')
    await expect(consentAgain(world.walletOf(2), { ...about, id: again.id })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    })
    // What was replaced once is not replaced again.
    await expect(consentAgain(world.walletOf(2), { ...about, id })).rejects.toMatchObject({
      revert: { name: 'NotWithdrawable' },
    })
  })

  test('is for its owner alone, and for what there is', async () => {
    const { client, account } = app()
    const { id } = await client.contribute(account, exported())
    await expect(consentAgain(world.walletOf(3), { ...about, id })).rejects.toMatchObject({
      revert: { name: 'OwnerNotSender' },
    })
    await expect(consentAgain(world.walletOf(2), { ...about, id: 9_999n })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

test('errors of a client are its own', () => {
  expect(new ClientError('NONCE_TAKEN', 'nonce', 'x')).toMatchObject({ name: 'ClientError', place: 'nonce' })
})
