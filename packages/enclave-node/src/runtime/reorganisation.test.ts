import { getContribution, getContributions } from '@sealpool/contracts'
import { getBlockNumber } from 'viem/actions'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
let world: PoolWorld
let node: RunningNode

const rpc = (method: string, params: unknown[]) =>
  ask(world.devnet.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
const counts = async () =>
  ((await ask(`${node.url}/v1/contributions`)) as { states: Record<string, number> }).states
const headOf = () => getBlockNumber(world.client, { cacheTime: 0 })
/** Waits until nothing more is mined: the node has sent what it had to send. */
const settled = async (): Promise<void> => {
  let last = -1n
  let quiet = 0
  await until('the chain is quiet', async () => {
    const head = await headOf()
    quiet = head === last ? quiet + 1 : 0
    last = head
    return quiet > 12
  })
}

beforeAll(async () => {
  world = await poolWorld({ workers: 16 })
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  node = await startNode(config, secrets, { log })
  await world.register(node.url)
  await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
}, 180_000)
afterAll(async () => {
  await node?.stop()
  await world?.close()
})

describe('a chain that is reorganised past the confirmations', { timeout: 240_000 }, () => {
  // A contribution, its verdict and its refinement are three blocks: the depths cut between all of them and behind.
  it('of 1 to 12 blocks leaves the node and the chain in one state', async () => {
    const { deployment, client } = world
    for (let depth = 1; depth <= 12; depth++) {
      if (depth > 3) await rpc('anvil_mine', [`0x${(depth - 3).toString(16)}`])
      await settled()
      await world.contribute(node.url, [
        { pool: world.pools.pay, worker: depth, bytes: world.payExport(depth) },
      ])
      await until(`depth ${depth}: refined`, async () => {
        const states = await counts()
        return states['seen'] === 0 && states['judged'] === 0 && states['recorded'] === 0
      })
      await settled()
      const answer = (await rpc('anvil_reorg', [depth, []])) as { error?: unknown }
      expect(answer.error).toBeUndefined()
      // Anvil gives the lost blocks back as empty ones; another one makes the chain longer than it was.
      await rpc('anvil_mine', ['0x1'])
      await until(`depth ${depth}: one state`, async () => {
        const onChain = await getContributions(client, { deployment, pool: world.pools.pay.pool })
        const records = await Promise.all(
          onChain.map(({ id }) => getContribution(client, { deployment, id })),
        )
        const states = await counts()
        return (
          records.every(({ state }) => state === 'Accepted') &&
          states['refined'] === onChain.length &&
          states['seen'] === 0 &&
          states['judged'] === 0 &&
          states['recorded'] === 0
        )
      })
    }
    // What was lost at depths 3 to 12 was never there for anybody; the numbers went to later contributions.
    const { detached = 0, refined = 0 } = await counts()
    const onChain = await getContributions(client, { deployment, pool: world.pools.pay.pool })
    expect(refined).toBe(onChain.length)
    expect(onChain.length + detached).toBeGreaterThan(1)
    // It may not have read the last reorganisation to its end yet.
    await until('ready again', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
  })
})
