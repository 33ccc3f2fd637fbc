import {
  approveToken,
  claimEpochReward,
  getBalance,
  getContribution,
  openRewardEpoch,
} from '@sealpool/contracts'
import type { SignedStatement } from '@sealpool/crypto'
import { parsePocVerdict, verdictDigest, verifyRescoring } from '@sealpool/poc'
import { getBlock } from 'viem/actions'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { voteProof } from '../testing/vote-proof.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
let world: PoolWorld
let node: RunningNode

async function start(config: string): Promise<void> {
  const loaded = await loadConfig({ config }, { SEALPOOL_TRANSACTION_KEY: world.transactionKey })
  node = await startNode(loaded.config, loaded.secrets, { log })
}
const isReady = () =>
  until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
const rescorings = async () =>
  (
    (await ask(`${node.url}/v1/rescorings?pool=${world.pools.pay.pool}`)) as {
      rescorings: readonly SignedStatement[]
    }
  ).rescorings

beforeAll(async () => {
  world = await poolWorld({ workers: 3 })
  await start(world.config)
  await world.register(node.url)
  await isReady()
}, 180_000)
afterAll(async () => {
  await node?.stop()
  await world?.close()
})

it('a pool that votes for another proof has its contributions judged again, and pays the difference once', async () => {
  const { pay } = world.pools
  const { deployment, client } = world
  const ids = await world.contribute(node.url, [
    { pool: pay, worker: 0, bytes: world.payExport(0, 10) },
    { pool: pay, worker: 1, bytes: world.payExport(1, 500) },
    { pool: pay, worker: 2, bytes: world.payExport(2, 20) },
  ])
  const scoreOf = async (id: string) => (await getContribution(client, { deployment, id: BigInt(id) })).score
  await until('scored', async () => (await Promise.all(ids.map(scoreOf))).every((score) => score > 0))
  expect(await Promise.all(ids.map(scoreOf))).toEqual([10_000, 5_000, 10_000])

  const { poc, rules, config } = await voteProof(world)
  await node.stop()
  await start(config)
  await world.register(node.url)
  await isReady()
  await until('rescored', async () => (await rescorings()).length > 0)
  await node.stop()
  await start(config)
  await isReady()
  const [statement, ...more] = await rescorings()
  expect(more).toEqual([])
  const { rescoring } = verifyRescoring(statement, {
    chainId: world.devnet.chainId,
    registry: deployment.nodeRegistry,
    pool: pay.pool,
    poc: poc.digest,
    validators: [node.keySet.statement.address],
  })
  expect(rescoring).toMatchObject({ accepted: 3, chosen: 3, last: true, left: [] })
  expect(rescoring.entries.map(({ contribution, difference }) => [contribution, difference])).toEqual([
    [ids[0], 0],
    [ids[1], 5_000],
    [ids[2], 0],
  ])
  // Nothing on the chain is another one.
  expect(await Promise.all(ids.map(scoreOf))).toEqual([10_000, 5_000, 10_000])
  const told = (await ask(`${node.url}/v1/contributions/${ids[1]}`)) as {
    readonly verdictDigest: string
    readonly rescored: readonly SignedStatement[]
  }
  const [entry] = rescoring.entries.filter(({ contribution }) => contribution === ids[1])
  expect(told.verdictDigest).toBe(entry?.before.verdict)
  expect(told.rescored.map((one) => verdictDigest(parsePocVerdict(one.statement.body)))).toEqual([
    entry?.after.verdict,
  ])

  // Whoever funds it pays what the statement says: pool tokens for a whole score, times the difference.
  const rewards = rescoring.entries
    .filter(({ difference }) => difference > 0)
    .map(({ owner, difference }) => ({
      account: owner,
      amount: (rules.rewardPerFullScore * BigInt(difference)) / 10_000n,
    }))
  const { rewardEpochs } = world.market
  const token = deployment.protocolToken
  const total = rewards.reduce((sum, { amount }) => sum + amount, 0n)
  await approveToken(client, { token, spender: rewardEpochs, amount: total })
  const closesAt = (await getBlock(client)).timestamp + 86_400n
  const { epoch, tree } = await openRewardEpoch(client, { rewardEpochs, token, rewards, closesAt })
  const [reward] = rewards
  if (reward === undefined) throw new Error('nobody earns anything')
  const claim = () => claimEpochReward(client, { rewardEpochs, epoch, tree, index: 0, reward })
  const had = await getBalance(client, { token, account: reward.account })
  await claim()
  expect((await getBalance(client, { token, account: reward.account })) - had).toBe(reward.amount)
  await expect(claim()).rejects.toMatchObject({ message: expect.stringContaining('AlreadyClaimed') })
}, 240_000)
