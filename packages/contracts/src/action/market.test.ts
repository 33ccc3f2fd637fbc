import { createWalletClient, custom, hashTypedData, toFunctionSelector, toHex, zeroHash } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { directPaymentsAbi } from '../abi/DirectPayments.js'
import { rewardEpochsAbi } from '../abi/RewardEpochs.js'
import { deployMarket, type MarketDeployment } from '../deploy/deploy-market.js'
import { type Offer, offerTypedData, signOffer } from '../statement/index.js'
import { createWorld, digest, revertOf, type World } from '../testing/world.js'
import {
  approveToken,
  claimEpochReward,
  getBalance,
  inspect,
  invoke,
  openRewardEpoch,
  rewardEpochTree,
  transferToken,
} from './index.js'

let world: World
let market: MarketDeployment
beforeAll(async () => {
  world = await createWorld()
  const { client, deployer, deployment } = world
  market = await deployMarket(client, { deployment, arbiter: deployer.address, minimumStake: 1n })
})
afterAll(() => world.devnet.stop())

const nextNumber = toFunctionSelector('nextNumber(address)')

const balance = (index: number) =>
  getBalance(world.client, { token: world.deployment.protocolToken, account: world.account(index).address })

/** Gives an account protocol tokens, and lets a contract of the market take them. */
async function funded(index: number, spender: `0x${string}`, amount: bigint) {
  const own = world.clientOf(world.account(index))
  const token = world.deployment.protocolToken
  await transferToken(world.client, { token, to: world.account(index).address, amount })
  await approveToken(own, { token, spender, amount })
  return own
}

describe('an offer', () => {
  const terms = async (change: Partial<Offer> = {}): Promise<Offer> => ({
    seller: world.account(1).address,
    buyer: world.account(2).address,
    arbiter: world.account(3).address,
    token: world.deployment.protocolToken,
    amount: 600n,
    subject: digest('a data set'),
    expiresAt: (await world.now()) + 10_000n,
    deliverBy: (await world.now()) + 20_000n,
    counterTo: zeroHash,
    nonce: 1n,
    ...change,
  })
  const bound = () => ({
    chainId: world.deployment.chainId,
    directPayments: market.directPayments,
  })
  const payments = () => ({ address: market.directPayments, abi: directPaymentsAbi }) as const

  test('has the hash by which the contract knows it, and is countered, accepted and paid', async () => {
    const first = await terms()
    const hash = hashTypedData(offerTypedData({ ...bound(), offer: first }))
    expect(await inspect(world.client, { ...payments(), functionName: 'hashOf', args: [first] })).toBe(hash)
    const buyer = await funded(2, market.directPayments, 500n)
    const counter = { ...first, amount: 500n, counterTo: hash, nonce: 2n }
    const signature = await signOffer({ ...bound(), account: world.account(2), offer: counter })
    const seller = world.clientOf(world.account(1))
    await invoke(seller, { ...payments(), functionName: 'accept', args: [counter, signature] })
    const sale = hashTypedData(offerTypedData({ ...bound(), offer: counter }))
    await invoke(seller, { ...payments(), functionName: 'deliver', args: [sale, digest('receipt')] })
    await invoke(buyer, { ...payments(), functionName: 'settle', args: [sale] })
    expect([await balance(1), await balance(2)]).toEqual([500n, 0n])
  })

  test.each<readonly [string, Partial<Offer>]>([
    ['another price', { amount: 599n }],
    ['another subject', { subject: digest('another data set') }],
    ['another arbiter', { arbiter: digest('arbiter').slice(0, 42) as `0x${string}` }],
    ['another nonce', { nonce: 10n }],
    ['as a counter-offer', { counterTo: digest('an offer') }],
  ])('signed for something else counts for nothing: %s', async (_, change) => {
    const offer = await terms({ nonce: 9n })
    const signature = await signOffer({ ...bound(), account: world.account(1), offer })
    const buyer = world.clientOf(world.account(2))
    const args = [{ ...offer, ...change }, signature] as const
    expect(await revertOf(invoke(buyer, { ...payments(), functionName: 'accept', args }))).toBe(
      'OfferSignatureInvalid',
    )
  })

  test('is signed by one of its sides, with a key that is here', async () => {
    const offer = await terms()
    await expect(signOffer({ ...bound(), account: world.account(4), offer })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    })
    const remote = { address: offer.seller, type: 'json-rpc' } as const
    await expect(signOffer({ ...bound(), account: remote, offer })).rejects.toMatchObject({
      code: 'NO_ACCOUNT',
    })
  })
})

describe('a reward epoch', () => {
  const rewards = () => [5, 6, 7].map((index) => ({ account: world.account(index).address, amount: 10n }))

  test('pays each reward once, also when somebody else opened an epoch in front of it', async () => {
    const { rewardEpochs } = market
    const token = world.deployment.protocolToken
    const closesAt = (await world.now()) + 10_000n
    const funder = await funded(2, rewardEpochs, 30n)
    const { root } = rewardEpochTree({
      chainId: world.deployment.chainId,
      rewardEpochs,
      funder: world.account(2).address,
      number: 0n,
      rewards: rewards(),
    })
    const other = await funded(3, rewardEpochs, 1n)
    await invoke(other, {
      address: rewardEpochs,
      abi: rewardEpochsAbi,
      functionName: 'open',
      args: [token, root, 1n, closesAt],
    })
    const opened = await openRewardEpoch(funder, { rewardEpochs, token, rewards: rewards(), closesAt })
    expect([opened.epoch, opened.tree.root]).toEqual([2n, root])
    for (const [index, reward] of rewards().entries()) {
      const claim = { rewardEpochs, tree: opened.tree, index, reward }
      expect(await revertOf(claimEpochReward(world.client, { ...claim, epoch: 1n }))).toBe('ProofInvalid')
      await claimEpochReward(world.client, { ...claim, epoch: 2n })
      expect(await revertOf(claimEpochReward(world.client, { ...claim, epoch: 2n }))).toBe('AlreadyClaimed')
    }
    expect(await Promise.all([5, 6, 7].map(balance))).toEqual([10n, 10n, 10n])
  })

  test('names its funder`s next number, and has a reward and an account to send it', async () => {
    const { rewardEpochs } = market
    const args = {
      rewardEpochs,
      token: world.deployment.protocolToken,
      closesAt: (await world.now()) + 10_000n,
    }
    const funder = await funded(2, rewardEpochs, 60n)
    const account = world.account(2)
    const { epoch, tree } = await openRewardEpoch(funder, {
      ...args,
      rewards: rewards(),
      account: account.address,
    })
    const [reward] = rewards()
    if (reward === undefined) throw new Error('there is a reward')
    expect(
      await revertOf(
        claimEpochReward(funder, { rewardEpochs, epoch, tree, index: 0, reward: { ...reward, amount: 11n } }),
      ),
    ).toBe('ProofInvalid')
    // Another epoch of the same funder between its look and its transaction: the root is for a number that is taken.
    const late = createWalletClient({
      account,
      chain: foundry,
      transport: custom({
        async request({ method, params }: { method: string; params?: readonly { data?: string }[] }) {
          const looks = method === 'eth_call' && params?.[0]?.data?.startsWith(nextNumber)
          return looks ? toHex(7, { size: 32 }) : world.client.request({ method, params } as never)
        },
      }),
    })
    await expect(openRewardEpoch(late, { ...args, rewards: rewards() })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('under another number than 7'),
    })
    await expect(openRewardEpoch(funder, { ...args, rewards: [] })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    })
    const { account: _, ...nobody } = funder
    await expect(openRewardEpoch(nobody as never, { ...args, rewards: rewards() })).rejects.toMatchObject({
      code: 'NO_ACCOUNT',
    })
  })
})
