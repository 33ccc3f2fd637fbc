import { type Address, encodeFunctionData } from 'viem'
import { sendTransaction, waitForTransactionReceipt } from 'viem/actions'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeStakesAbi } from '../abi/NodeStakes.js'
import { deployMarket } from '../deploy/index.js'
import { factsHash, type NodeStatementContext, poolKeyContext } from '../statement/index.js'
import { createWorld, digest, nextNonce, prove, revertOf, type World } from '../testing/world.js'
import {
  announceStakeWithdrawal,
  approveToken,
  commitEquivocation,
  getBalance,
  getNode,
  inspect,
  reportEquivocation,
  type SignedStatement,
  slashNode,
  stakeForNode,
  withdrawStake,
} from './index.js'

let world: World
let nodeStakes: Address
beforeAll(async () => {
  world = await createWorld()
  const { deployment, client, deployer } = world
  const market = await deployMarket(client, { deployment, arbiter: deployer.address, minimumStake: 1n })
  nodeStakes = market.nodeStakes
  await approveToken(client, { token: deployment.protocolToken, spender: nodeStakes, amount: 10_000n })
})
afterAll(() => world.devnet.stop())

async function signed(context: NodeStatementContext): Promise<SignedStatement> {
  const { pool, subject, facts } = context
  const kind = 'sealpool/pool-key/1'
  return { kind, pool, subject, facts: factsHash(facts), ...(await prove(world.node, 'poolKey', context)) }
}

test('a stake answers for its node, and the finder of a contradiction is paid although its proof is copied', async () => {
  const { deployment, client, node, clientOf, account, devnet } = world
  const stake = { nodeStakes, node: node.address }
  await stakeForNode(client, { ...stake, amount: 1_000n })
  expect(await revertOf(withdrawStake(client, stake))).toBe('TooEarly')
  await announceStakeWithdrawal(client, stake)
  const { expiresAt } = (await getNode(client, { deployment, statementKey: node.address })) ?? {
    expiresAt: 0n,
  }
  const stands = await inspect(client, {
    address: nodeStakes,
    abi: nodeStakesAbi,
    functionName: 'stakeOf',
    args: [node.address, world.deployer.address],
  })
  expect(stands.withdrawableFrom).toBe(expiresAt + 21n * 86_400n)
  expect(await revertOf(slashNode(client, stake))).toBe('NotEquivocated')

  const about = { deployment, pool: world.pool.pool, epoch: 9, policyDigest: digest('policy') }
  const key = (name: string) =>
    signed(poolKeyContext({ ...about, nonce: nextNonce(), keyDigest: digest(name) }))
  const [first, second] = [await key('one'), await key('two')]
  const [finder, copier] = [account(1), account(2)]
  const found = { nodeStakes, first, second, salt: digest('secret') }
  expect(await revertOf(reportEquivocation(clientOf(finder), found))).toBe('NotCommitted')
  const reporter = finder.address
  const { commitment } = await commitEquivocation(clientOf(finder), { ...found, reporter })
  expect(commitment).toMatch(/^0x[0-9a-f]{64}$/)
  // The copier sends the finder's call as its own.
  const data = encodeFunctionData({
    abi: nodeStakesAbi,
    functionName: 'report',
    args: [first, second, found.salt],
  })
  const copied = await sendTransaction(clientOf(copier), {
    account: copier,
    chain: null,
    to: nodeStakes,
    data,
    gas: 1_000_000n,
  })
  expect((await waitForTransactionReceipt(client, { hash: copied })).status).toBe('reverted')
  await reportEquivocation(clientOf(finder), found)
  expect(await revertOf(slashNode(clientOf(copier), stake))).toBe('TooEarly')
  await devnet.advanceTime(86_402)
  await slashNode(clientOf(copier), stake)
  const held = (of: Address) => getBalance(client, { token: deployment.protocolToken, account: of })
  expect([await held(finder.address), await held(copier.address), await held(nodeStakes)]).toEqual([
    100n,
    0n,
    0n,
  ])
})
