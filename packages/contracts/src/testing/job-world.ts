import { type Account, maxUint256 } from 'viem'
import {
  contributeSigned,
  fundJob,
  getBalance,
  getJob,
  type Proposal,
  proposeApproval,
  proposeJob,
  recordVerdicts,
  releaseJob,
  startJob,
  type Terms,
  transferToken,
} from '../action/index.js'
import type { PoolContracts } from '../deploy/index.js'
import { releaseContext, signContribution, startContext, verdictBatchContext } from '../statement/index.js'
import { passProposal } from './pass-proposal.js'
import { contributionOf, createWorld, digest, nextNonce, prove, type World } from './world.js'

/** Protocol tokens and pool tokens that each pool asks for a run. */
export const PRICE = 1_000n
export const BURN = 50n

/** Has a pool's node accept one contribution of each owner. */
export async function accept(
  world: World,
  pool: PoolContracts,
  owners: readonly { readonly account: Account; readonly score: number }[],
): Promise<void> {
  const { client, deployment, node } = world
  const entries = []
  for (const { account, score } of owners) {
    const contribution = contributionOf(world, account, { pool: pool.pool })
    const signed = await signContribution({ account, deployment, contribution, deadline: maxUint256 })
    const { id } = await contributeSigned(client, { deployment, signed })
    entries.push({ contributionId: id, score, refused: false, verdictDigest: digest(`verdict ${id}`) })
  }
  const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool: pool.pool, entries })
  const statement = await prove(node, 'verdictBatch', context)
  await recordVerdicts(client, { deployment, pool: pool.pool, entries, statement })
}

/**
 * A world with two pools, two members of scores 10,000 and 5,000 in both, a consumer with tokens of every kind, and the steps
 * of a job's life. `manifest` names the job that is proposed next.
 */
export async function createJobWorld(options: { readonly manifest: () => string }) {
  const world = await createWorld()
  const second = await world.foundPool('people')
  await world.publishKey(second, 1)
  const members = [world.account(1), world.account(2)] as const
  const consumer = world.account(3)
  const as = (account: Account) => world.clientOf(account)
  for (const pool of [world.pool, second]) {
    await accept(world, pool, [
      { account: members[0], score: 10_000 },
      { account: members[1], score: 5_000 },
    ])
    await transferToken(as(members[0]), { token: pool.token, to: consumer.address, amount: 1_000n })
  }
  const { protocolToken } = world.deployment
  await transferToken(world.client, { token: protocolToken, to: consumer.address, amount: 100_000n })

  async function termsOf(change: Partial<Terms> = {}): Promise<Terms> {
    const opensAt = await world.now()
    return { price: PRICE, poolTokenBurn: BURN, runs: 1, opensAt, closesAt: opensAt + 100_000n, ...change }
  }

  async function proposed(
    pools: PoolContracts[] = [world.pool],
    change: { deadline?: bigint; priceCeiling?: bigint } = {},
  ) {
    return proposeJob(as(consumer), {
      deployment: world.deployment,
      manifestDigest: digest(options.manifest()),
      manifestLocator: `memory:${options.manifest()}`,
      pools: pools.map(({ pool }) => pool),
      deadline: (await world.now()) + 50_000n,
      ...change,
    })
  }

  async function pass(proposal: Proposal) {
    const [yes, no] = members
    await passProposal(world, proposal, [
      { account: yes, support: 'for' },
      { account: no, support: 'against' },
    ])
  }

  async function approved(pools: PoolContracts[] = [world.pool], change: Partial<Terms> = {}, job = {}) {
    const { jobId } = await proposed(pools, job)
    for (const { pool } of pools) {
      const { deployment } = world
      await pass(
        await proposeApproval(as(members[0]), { deployment, jobId, pool, terms: await termsOf(change) }),
      )
    }
    return jobId
  }

  async function funded(pools: PoolContracts[] = [world.pool]) {
    const jobId = await approved(pools)
    await fundJob(as(consumer), { deployment: world.deployment, jobId, approveTokens: true })
    return jobId
  }

  async function subject(jobId: bigint) {
    const { consumer, manifestDigest, pools } = await getJob(world.client, {
      deployment: world.deployment,
      jobId,
    })
    const about = { jobId, consumer, manifestDigest, pools: pools.map(({ pool }) => pool) }
    return { deployment: world.deployment, nonce: nextNonce(), ...about }
  }

  async function start(jobId: bigint, node = world.node) {
    const statement = await prove(node, 'start', startContext(await subject(jobId)))
    return startJob(world.client, { deployment: world.deployment, jobId, statement })
  }

  async function release(jobId: bigint, heads = 1) {
    const fields = {
      receiptDigest: digest(`receipt ${jobId}`),
      resultDigest: digest(`result ${jobId}`),
      budgetHeads: Array.from({ length: heads }, (_, index) => digest(`head ${index}`)),
    }
    const statement = await prove(
      world.node,
      'release',
      releaseContext({ ...(await subject(jobId)), ...fields }),
    )
    return releaseJob(world.client, { deployment: world.deployment, jobId, ...fields, statement })
  }

  const stateOf = async (jobId: bigint) =>
    (await getJob(world.client, { deployment: world.deployment, jobId })).state
  const holdings = async (account = consumer.address) => {
    const tokens = [world.deployment.protocolToken, world.pool.token, second.token]
    return Promise.all(tokens.map((token) => getBalance(world.client, { token, account })))
  }

  return {
    world,
    second,
    members,
    consumer,
    as,
    termsOf,
    proposed,
    pass,
    approved,
    funded,
    subject,
    start,
    release,
    stateOf,
    holdings,
  }
}
