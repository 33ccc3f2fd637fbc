import { type Address, createWalletClient, http } from 'viem'
import { mainnet } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPoolClient } from './index.js'
import { memoryBlobStore } from './store/memory-store.js'
import { input, wallet } from './testing/contribution.js'
import { type DevnetPool, devnetPool } from './testing/devnet-pool.js'
import { memoryNode } from './testing/memory-node.js'
import { at, policy } from './testing/simulated-pool.js'

/* The same client on a real chain with the real contracts: what the memory chain of the other tests stands for. */

let world: DevnetPool
let pool: Address
beforeAll(async () => {
  world = await devnetPool()
  pool = world.contracts.pool
})
afterAll(() => world.devnet.stop())

function app(chain = world.walletOf(2)) {
  const { deployment } = world
  const { fetch, routes, seen, behaviour } = memoryNode(world.node)
  const blobStore = memoryBlobStore()
  const nodeUrl = 'http://node.example'
  const options = { chain, deployment, pool, policy, nodeUrl, blobStore, fetch, now: () => at }
  return { client: createPoolClient(options), routes, seen, behaviour }
}

describe('on a real chain', () => {
  test('a pool verifies, takes a contribution, and tells where it stands', async () => {
    const { client, routes } = app()
    const { ok, checks } = await client.ready()
    expect(checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect(ok).toBe(true)
    const deadline = (await world.time()) + 3_600n
    const { id, prepared } = await client.contribute(world.accountOf(2), {
      ...input,
      walletPublicKey: wallet.publicKey,
      deadline,
    })
    expect(id).toBe(1n)
    expect(prepared.simulated).toBe(true)
    const before = await client.contributionStatus(id)
    expect(before).toMatchObject({
      chain: { id: 1n, owner: world.accountOf(2).address, state: 'Offered' },
      node: null,
    })
    const status = { simulated: true, id: '1', state: 'stored', reason: null, reasonText: null }
    routes['/v1/contributions/1'] = () => status
    expect((await client.contributionStatus(id)).node).toEqual(status)
  })

  test('a node that does not verify is not told whose connection asks of a contribution', async () => {
    const { client, routes, seen, behaviour } = app()
    const status = { simulated: true, id: '1', state: 'stored', reason: null, reasonText: null }
    routes['/v1/contributions/1'] = () => status
    behaviour.evidence = () => world.node.evidence(`0x${'11'.repeat(32)}`)
    expect(await client.contributionStatus(1n)).toMatchObject({ chain: { id: 1n }, node: null })
    routes['/v1/pools'] = () => ({ simulated: true, pools: [] })
    expect(await client.contributionStatus(1n)).toMatchObject({ chain: { id: 1n }, node: null })
    expect(seen.length).toBeGreaterThan(0)
    for (const { path } of seen) expect(path).toMatch(/^\/v1\/(pools|evidence\?nonce=0x[0-9a-f]{64})$/)
  })

  test('a claim is the chain’s to decide', async () => {
    await expect(app().client.claim()).rejects.toMatchObject({
      code: 'REVERTED',
      revert: { name: 'NothingToClaim' },
    })
  })

  test('a contribution that nobody made is not found', async () => {
    await expect(app().client.contributionStatus(99n)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a client for another chain is refused, by its own word and by the chain’s', async () => {
    const account = world.accountOf(2)
    const confused = createWalletClient({ account, chain: mainnet, transport: http(world.devnet.rpcUrl) })
    const { client } = app(confused as unknown as ReturnType<DevnetPool['walletOf']>)
    await expect(client.ready()).rejects.toMatchObject({ code: 'WRONG_CHAIN' })
    const elsewhere = createPoolClient({
      chain: confused,
      deployment: { ...world.deployment, chainId: 1 },
      pool,
      policy,
      nodeUrl: 'http://node.example',
      blobStore: memoryBlobStore(),
      fetch: memoryNode(world.node).fetch,
    })
    await expect(elsewhere.ready()).rejects.toMatchObject({ code: 'WRONG_CHAIN' })
  })
})
