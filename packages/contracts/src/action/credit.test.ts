import type { Account } from 'viem'
import { createClient, http, maxUint256 } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createJobWorld, PRICE } from '../testing/job-world.js'
import { chainThat, mining } from '../testing/scripted-chain.js'
import { revertOf } from '../testing/world.js'
import {
  cancelJob,
  creditWorthCall,
  earnCredits,
  fundJob,
  getBalance,
  getCreditPayment,
  getCredits,
  getFunding,
  getJob,
  propose,
  proposeApproval,
  proposeJob,
  settleJob,
  transferToken,
} from './index.js'

let manifest = 0
const jobs = await createJobWorld({ manifest: () => `credited manifest ${manifest}` })
const { world, members, as, termsOf, pass, start, release } = jobs
const { deployment, client, pool } = world
const [contributor, other] = members
afterAll(() => world.devnet.stop())
beforeEach(() => {
  manifest += 1
})

const ofPool = { deployment, pool: pool.pool }
const creditsOf = (account: Account) => getCredits(client, { ...ofPool, account: account.address })
const escrow = () => getBalance(client, { token: deployment.protocolToken, account: deployment.jobBoard })

/** A job that the contributor proposes itself, granted without any pool tokens. */
async function approvedJob(): Promise<bigint> {
  const { jobId } = await proposeJob(as(contributor), {
    deployment,
    manifestDigest: `0x${manifest.toString(16).padStart(64, '7')}`,
    manifestLocator: 'memory:credited',
    pools: [pool.pool],
    deadline: (await world.now()) + 50_000n,
  })
  const terms = await termsOf({ poolTokenBurn: 0n })
  await pass(await proposeApproval(as(contributor), { deployment, jobId, pool: pool.pool, terms }))
  return jobId
}

test('a member earns credits once, the vote says what they are worth, and they pay its job', async () => {
  expect(await creditsOf(contributor)).toEqual({ balance: 0n, earnable: 10_000n, worth: 0n })
  expect((await earnCredits(as(contributor), ofPool)).amount).toBe(10_000n)
  expect(await revertOf(earnCredits(as(contributor), ofPool))).toBe('NothingToEarn')
  // Anyone sends it for another.
  const forOther = await earnCredits(client, { ...ofPool, contributor: other.address })
  expect(forOther.amount).toBe(5_000n)

  const early = await approvedJob()
  const unpaid = fundJob(as(contributor), { deployment, jobId: early, creditLimits: [1n] })
  expect(await revertOf(unpaid)).toBe('CreditsNotTaken')
  const governor = pool.governor
  const calls = [await creditWorthCall(client, { ...ofPool, worth: 3n })]
  await pass(await propose(as(contributor), { governor, calls, description: 'a credit pays three' }))
  expect((await creditsOf(contributor)).worth).toBe(3n)

  // All of it: 334 credits of 3 are 1,002, and no more than the price is waived.
  expect(await getFunding(client, { deployment, jobId: early, creditLimits: [maxUint256] })).toMatchObject({
    price: 0n,
    credits: [{ pool: pool.pool, amount: 334n, waived: PRICE }],
  })
  await fundJob(as(contributor), { deployment, jobId: early, creditLimits: [maxUint256] })
  expect(await escrow()).toBe(0n)
  expect(await creditsOf(contributor)).toMatchObject({ balance: 9_666n, earnable: 0n })
  expect(await getCreditPayment(client, { ...ofPool, jobId: early })).toEqual({
    account: contributor.address,
    credits: 334n,
    waived: PRICE,
  })
  expect((await getJob(client, { deployment, jobId: early })).pools[0]?.price).toBe(0n)
  await start(early)
  await release(early)
  await settleJob(client, { deployment, jobId: early })
  expect(await getCreditPayment(client, { ...ofPool, jobId: early })).toBeNull()
  expect((await creditsOf(contributor)).balance).toBe(9_666n)
})

test('a part in credits, the rest in tokens that are approved to the unit; both return', async () => {
  const jobId = await approvedJob()
  // A member without tokens cannot pay the rest.
  const alone = fundJob(as(contributor), { deployment, jobId, creditLimits: [100n], approveTokens: true })
  expect(await revertOf(alone)).toBe('ERC20InsufficientBalance')
  const { protocolToken: token } = deployment
  await transferToken(client, { token, to: contributor.address, amount: 700n })
  await fundJob(as(contributor), { deployment, jobId, creditLimits: [100n], approveTokens: true })
  expect(await escrow()).toBe(700n)
  expect((await creditsOf(contributor)).balance).toBe(9_566n)
  expect((await getJob(client, { deployment, jobId })).pools[0]?.price).toBe(700n)
  await cancelJob(as(contributor), { deployment, jobId })
  expect(await escrow()).toBe(0n)
  expect(await getBalance(client, { token, account: contributor.address })).toBe(700n)
  expect((await creditsOf(contributor)).balance).toBe(9_666n)
})

test('what is asked wrongly is refused by name', async () => {
  const jobId = await approvedJob()
  const call = { deployment, jobId }
  const refused = (more: object) => revertOf(fundJob(as(contributor), { ...call, ...more }))
  expect(await refused({ creditLimits: [1n, 1n], priceLimit: 0n, burnCeilings: [0n] })).toBe(
    'BurnCeilingsDiffer',
  )
  expect(await refused({ creditLimits: [1n], priceLimit: 996n })).toBe('PriceAboveCeiling')
  await expect(fundJob(as(contributor), { ...call, priceLimit: 1n })).rejects.toMatchObject({
    code: 'ARGUMENT_INVALID',
  })
  await expect(earnCredits({ ...client, account: undefined }, ofPool)).rejects.toMatchObject({
    code: 'NO_ACCOUNT',
  })
})

test('earning needs somebody to earn for, and a receipt that says so', async () => {
  const nobody = createClient({ chain: foundry, transport: http(world.devnet.rpcUrl) })
  await expect(earnCredits(nobody, ofPool)).rejects.toMatchObject({ code: 'NO_ACCOUNT' })
  const silent = chainThat({ ...mining, eth_call: `0x${'00'.repeat(31)}01` })
  await expect(
    earnCredits(silent, { ...ofPool, account: contributor.address, contributor: contributor.address }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
