import { readFile, writeFile } from 'node:fs/promises'
import { contributionBatchesAbi, dataRegistryAbi, getContribution, invoke } from '@sealpool/contracts'
import { getBlockNumber, getContractEvents, readContract } from 'viem/actions'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

const confirmations = 2
const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
let world: PoolWorld
let node: RunningNode

const rpc = async (method: string, params: unknown[]): Promise<unknown> => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  const answer = (await ask(world.devnet.rpcUrl, init)) as { result: unknown; error?: unknown }
  expect(answer.error).toBeUndefined()
  return answer.result
}
const mine = (blocks: number) => rpc('anvil_mine', [`0x${blocks.toString(16)}`])
const states = async () =>
  ((await ask(`${node.url}/v1/contributions`)) as { states: Record<string, number> }).states
const headOf = () => getBlockNumber(world.client, { cacheTime: 0 })
/** Waits until nothing more is mined: the node has sent what it had to send. */
const settled = async (): Promise<bigint> => {
  let last = -1n
  let quiet = 0
  await until('the chain is quiet', async () => {
    const head = await headOf()
    quiet = head === last ? quiet + 1 : 0
    last = head
    return quiet > 12
  })
  return last
}
const stateOf = async (id: string) =>
  (await getContribution(world.client, { deployment: world.deployment, id: BigInt(id) })).state
const registryEvents = (
  eventName: 'VerdictRecorded' | 'RefinementRecorded' | 'ErasureRecorded',
  fromBlock: bigint,
) =>
  getContractEvents(world.client, {
    address: world.deployment.dataRegistry,
    abi: dataRegistryAbi,
    eventName,
    fromBlock,
  })
const batchEvents = (eventName: 'VerdictRootRecorded' | 'BatchVerdictsPaid', fromBlock: bigint) =>
  getContractEvents(world.client, {
    address: world.deployment.contributionBatches,
    abi: contributionBatchesAbi,
    eventName,
    fromBlock,
  })
const tokensOf = (worker: number): Promise<bigint> =>
  readContract(world.client, {
    address: world.pools.pay.token,
    abi: [
      {
        type: 'function',
        name: 'balanceOf',
        stateMutability: 'view',
        inputs: [{ name: 'owner', type: 'address' }],
        outputs: [{ name: '', type: 'uint256' }],
      },
    ] as const,
    functionName: 'balanceOf',
    args: [world.workers[worker]?.address ?? '0x'],
  })
const contribute = async (worker: number): Promise<string> => {
  const [id] = await world.contribute(node.url, [
    { pool: world.pools.pay, worker, bytes: world.payExport(worker) },
  ])
  if (id === undefined) throw new Error('nothing was contributed')
  return id
}
/** The node reads a contribution under the confirmations, and sends what it has to say: all of it above the believed head. */
const told = async (refined: number): Promise<{ readonly from: bigint; readonly to: bigint }> => {
  await mine(confirmations)
  const from = (await headOf()) + 1n
  await until('refined', async () => (await states())['refined'] === refined)
  return { from, to: await settled() }
}

beforeAll(async () => {
  world = await poolWorld({ workers: 6 })
  const settings = JSON.parse(await readFile(world.config, 'utf8'))
  settings.chain.confirmations = confirmations
  await writeFile(world.config, JSON.stringify(settings))
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

describe('a chain that is reorganised within the confirmations', { timeout: 120_000 }, () => {
  it('takes the verdict and the refinement again that it has lost: one verdict, one reward', async () => {
    const id = await contribute(0)
    const { from, to } = await told(1)
    expect(to - from).toBe(1n)
    const reward = await tokensOf(0)
    expect(reward).toBeGreaterThan(0n)
    await rpc('anvil_reorg', [Number(to - from) + 1, []])
    expect(await stateOf(id)).toBe('Offered')
    expect(await tokensOf(0)).toBe(0n)
    await mine(confirmations + 1)
    await until('accepted again', async () => (await stateOf(id)) === 'Accepted')
    await until('refined again', async () => (await registryEvents('RefinementRecorded', from)).length === 1)
    for (let more = 0; more < 4; more++) await mine(1).then(settled)
    expect(await registryEvents('VerdictRecorded', from)).toHaveLength(1)
    expect(await registryEvents('RefinementRecorded', from)).toHaveLength(1)
    expect(await tokensOf(0)).toBe(reward)
    expect(await states()).toMatchObject({ refined: 1, judged: 0, recorded: 0 })
  })

  it('is sent nothing when the same transaction is mined again in another block; and again when that one goes too', async () => {
    const id = await contribute(1)
    const { from, to } = await told(2)
    const raw: unknown[] = []
    for (let block = from; block <= to; block++) {
      const { transactions } = (await rpc('eth_getBlockByNumber', [`0x${block.toString(16)}`, false])) as {
        transactions: readonly string[]
      }
      for (const hash of transactions) raw.push(await rpc('eth_getRawTransactionByHash', [hash]))
    }
    expect(raw).toHaveLength(2)
    await rpc('anvil_reorg', [2, []])
    for (const transaction of raw) {
      const hash = await rpc('eth_sendRawTransaction', [transaction])
      // The chain answers before it mines, and two that come together share a block.
      await until('mined', async () => (await rpc('eth_getTransactionReceipt', [hash])) !== null)
    }
    expect(await stateOf(id)).toBe('Accepted')
    // The blocks in which they stood are read now, those in which they stand are not.
    const head = await settled()
    expect(head).toBe(to + 2n)
    expect(await registryEvents('VerdictRecorded', from)).toHaveLength(1)
    await rpc('anvil_reorg', [2, []])
    expect(await stateOf(id)).toBe('Offered')
    await mine(confirmations + 1)
    await until('accepted again', async () => (await stateOf(id)) === 'Accepted')
    await until('refined again', async () => (await registryEvents('RefinementRecorded', from)).length === 1)
    for (let more = 0; more < 4; more++) await mine(1).then(settled)
    expect(await registryEvents('VerdictRecorded', from)).toHaveLength(1)
    expect(await registryEvents('RefinementRecorded', from)).toHaveLength(1)
  })

  it('takes an erasure again that it has lost', async () => {
    const id = await contribute(2)
    await told(3)
    await mine(4)
    await settled()
    await invoke(await world.workerWallet(2), {
      address: world.deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'withdraw',
      args: [BigInt(id)],
    })
    await mine(confirmations)
    await until('erased', async () => (await stateOf(id)) === 'Erased')
    const head = await settled()
    const [erasure] = await registryEvents('ErasureRecorded', 0n)
    const depth = Number(head - (erasure?.blockNumber ?? 0n)) + 1
    expect(depth).toBeLessThanOrEqual(confirmations)
    await rpc('anvil_reorg', [depth, []])
    expect(await stateOf(id)).toBe('Withdrawn')
    await mine(confirmations + 1)
    await until('erased again', async () => (await stateOf(id)) === 'Erased')
    for (let more = 0; more < 4; more++) await mine(1).then(settled)
    expect(await registryEvents('ErasureRecorded', 0n)).toHaveLength(1)
  })

  it('takes the payments of a Merkle batch again that it has lost, and pays once', async () => {
    const exports = [3, 4].map((worker) => ({
      pool: world.pools.pay,
      worker,
      bytes: world.payExport(worker),
    }))
    const { batchId } = await world.contributeMerkle(node.url, exports)
    const isPaid = (index: bigint) =>
      readContract(world.client, {
        address: world.deployment.contributionBatches,
        abi: contributionBatchesAbi,
        functionName: 'isPaid',
        args: [batchId, index],
      })
    const { from, to } = await told(4)
    // A root, its payment and the refinement: the last two are not read yet.
    expect(to - from).toBe(2n)
    expect(await Promise.all([isPaid(0n), isPaid(1n)])).toEqual([true, true])
    await rpc('anvil_reorg', [confirmations, []])
    expect(await isPaid(0n)).toBe(false)
    await mine(confirmations + 1)
    await until('paid again', async () => (await isPaid(0n)) && (await isPaid(1n)))
    await until('refined again', async () => (await registryEvents('RefinementRecorded', from)).length === 1)
    for (let more = 0; more < 4; more++) await mine(1).then(settled)
    expect(await batchEvents('VerdictRootRecorded', from)).toHaveLength(1)
    expect(await batchEvents('BatchVerdictsPaid', from)).toHaveLength(1)
    expect(await registryEvents('RefinementRecorded', from)).toHaveLength(1)
    expect(await ask(`${node.url}/v1/ready`)).toMatchObject({ ready: true })
  })
})
