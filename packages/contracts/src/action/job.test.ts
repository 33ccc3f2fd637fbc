import { type Account, decodeFunctionData, encodeFunctionData, stringToHex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { jobBoardAbi } from '../abi/JobBoard.js'
import { failureContext, refusalContext, releaseContext, startContext } from '../statement/index.js'
import { BURN, createJobWorld, PRICE } from '../testing/job-world.js'
import { digest, prove, revertOf } from '../testing/world.js'
import {
  approveToken,
  burnSettledTokens,
  cancelJob,
  claimRewards,
  execute,
  expireJob,
  failJob,
  fundJob,
  getBalance,
  getClaimable,
  getGrant,
  getJob,
  getJobEvents,
  getProposalState,
  getStop,
  getTally,
  inspect,
  propose,
  proposeApproval,
  proposeJob,
  queue,
  refuseJob,
  releaseJob,
  resumeJobCall,
  resumeRuns,
  resumeRunsCall,
  revokeGrantCall,
  settleJob,
  startJob,
  suspendJob,
  suspendRuns,
  termsOf as termsAsWords,
  vote,
} from './index.js'

let manifest = 0
const jobs = await createJobWorld({ manifest: () => `manifest ${manifest}` })
const { world, second, members, consumer, as, termsOf, proposed, pass } = jobs
const { approved, funded, subject, start, release, stateOf, holdings } = jobs
afterAll(() => world.devnet.stop())
beforeEach(() => {
  manifest += 1
})

describe('whole life of a job over two pools', () => {
  test('proposed, voted, funded, run, released, settled, claimed', async () => {
    const { deployment, client } = world
    const before = await holdings()
    const { jobId, receipt } = await proposed([world.pool, second])
    expect(await stateOf(jobId)).toBe('Proposed')
    for (const { pool } of [world.pool, second]) {
      expect(await stateOf(jobId)).toBe('Proposed')
      const proposal = await proposeApproval(as(members[0]), {
        deployment,
        jobId,
        pool,
        terms: await termsOf(),
      })
      expect(proposal.description).toContain(digest(`manifest ${manifest}`))
      expect(await getProposalState(client, { proposal })).toBe('Pending')
      await pass(proposal)
      expect(await getProposalState(client, { proposal })).toBe('Executed')
      expect(await getTally(client, { proposal })).toEqual({ for: 9_000n, against: 5_000n, abstain: 0n })
    }
    expect(await stateOf(jobId)).toBe('Approved')
    await fundJob(as(consumer), { deployment, jobId, approveTokens: true })
    const [protocol, pay, people] = await holdings(deployment.jobBoard)
    expect([protocol, pay, people]).toEqual([2n * PRICE, BURN, BURN])
    await start(jobId)
    await release(jobId, 2)
    await settleJob(client, { deployment, jobId })
    expect(await stateOf(jobId)).toBe('Settled')
    // Pool tokens that are used up wait on the board for one burn of many jobs'.
    expect(await holdings(deployment.jobBoard)).toEqual([0n, BURN, BURN])
    await burnSettledTokens(as(members[1]), { deployment, pool: world.pool.pool })
    await burnSettledTokens(as(members[1]), { deployment, pool: second.pool })
    expect(await revertOf(burnSettledTokens(client, { deployment, pool: second.pool }))).toBe('NothingToBurn')
    expect(await holdings(deployment.jobBoard)).toEqual([0n, 0n, 0n])
    expect(await holdings()).toEqual([
      (before[0] ?? 0n) - 2n * PRICE,
      (before[1] ?? 0n) - BURN,
      (before[2] ?? 0n) - BURN,
    ])

    // A fifth is burned; two thirds and one third of the rest go by points 10,000 and 5,000.
    const [first, other] = members
    const claimable = (contributor: Account | undefined) =>
      getClaimable(client, { pool: world.pool.pool, contributor: contributor?.address ?? '0x' })
    expect([await claimable(first), await claimable(other)]).toEqual([533n, 266n])
    await claimRewards(client, { pool: world.pool.pool, contributor: first?.address ?? '0x' })
    expect(
      await getBalance(client, { token: deployment.protocolToken, account: first?.address ?? '0x' }),
    ).toBe(533n)
    expect(await revertOf(claimRewards(as(first), { pool: world.pool.pool }))).toBe('NothingToClaim')

    const events = await getJobEvents(client, { deployment, jobId, fromBlock: receipt.blockNumber })
    expect(events.map(({ name }) => name).filter((name) => name !== 'JobStateChanged')).toEqual([
      'JobProposed',
      'JobApproved',
      'JobApproved',
      'JobFunded',
      'JobStarted',
      'JobReleased',
      'JobSettled',
    ])
    const walk = events.flatMap((event) => (event.name === 'JobStateChanged' ? [event.args.to] : []))
    expect(walk).toEqual(['Proposed', 'Approved', 'Funded', 'Running', 'Released', 'Settled'])
    const grantee = consumer.address
    const grant = { deployment, grantee, pool: second.pool, manifestDigest: digest(`manifest ${manifest}`) }
    expect(await getGrant(client, grant)).toMatchObject({ runs: 1, used: 1 })
  })
})

describe('no job runs without approval', () => {
  test('a job that no vote approved can be neither funded nor started', async () => {
    const { jobId } = await proposed()
    expect(await revertOf(fundJob(as(consumer), { deployment: world.deployment, jobId }))).toBe(
      'TransitionNotAllowed',
    )
    expect(await revertOf(start(jobId))).toBe('TransitionNotAllowed')
  })

  test('one approving pool of two is not enough', async () => {
    const { deployment } = world
    const { jobId } = await proposed([world.pool, second])
    const terms = await termsOf()
    await pass(await proposeApproval(as(members[0]), { deployment, jobId, pool: second.pool, terms }))
    expect(await revertOf(fundJob(as(consumer), { deployment, jobId }))).toBe('TransitionNotAllowed')
  })

  test('a vote names consumer and digest: another job that has the number then is not approved', async () => {
    const { deployment, client } = world
    const { jobId } = await proposed()
    const args = { deployment, jobId, pool: world.pool.pool, terms: await termsOf() }
    const proposal = await proposeApproval(as(members[0]), args)
    const [call] = proposal.calls
    const { functionName, args: words } = decodeFunctionData({ abi: jobBoardAbi, data: call?.data ?? '0x' })
    const { manifestDigest } = await getJob(client, args)
    expect([functionName, ...(words ?? []).slice(0, 4)]).toEqual([
      ...['approve', jobId, world.pool.pool],
      ...[consumer.address, manifestDigest],
    ])
    // What a reorganisation would do: the vote was over this job, and the number is another one's.
    manifest += 1
    const { jobId: other } = await proposed()
    const data = encodeFunctionData({
      abi: jobBoardAbi,
      functionName: 'approve',
      args: [other, world.pool.pool, consumer.address, manifestDigest, termsAsWords(args.terms)],
    })
    const stray = await propose(as(members[0]), {
      governor: world.pool.governor,
      calls: [{ target: deployment.jobBoard, data }],
      description: `Approve what is ${other} now`,
    })
    expect(await revertOf(pass(stray))).toBe('JobIsOther')
    expect(await stateOf(other)).toBe('Proposed')
  })

  test('a vote over a job under a template says that it grants the template', async () => {
    const { deployment, client } = world
    const templateDigest = digest('voted template')
    const { jobId } = await proposeJob(as(consumer), {
      deployment,
      manifestDigest: digest('instance'),
      manifestLocator: '',
      pools: [world.pool.pool],
      deadline: (await world.now()) + 10_000n,
      templateDigest,
    })
    const args = { deployment, jobId, pool: world.pool.pool, terms: await termsOf() }
    const proposal = await proposeApproval(as(members[0]), args)
    expect(proposal.description).toContain(`every other manifest of the template: ${templateDigest}`)
    await pass(proposal)
    const grant = { deployment, grantee: consumer.address, pool: world.pool.pool }
    expect(await getGrant(client, { ...grant, manifestDigest: templateDigest })).toMatchObject({ used: 0 })
    expect(await getGrant(client, { ...grant, manifestDigest: digest('instance') })).toBeNull()
  })

  test('a member alone cannot approve, nor can the timelock of another pool', async () => {
    const { deployment } = world
    const { jobId } = await proposed()
    const terms = await termsOf()
    const own = await proposeApproval(as(members[0]), { deployment, jobId, pool: world.pool.pool, terms })
    const foreign = await propose(as(members[0]), { ...own, governor: second.governor })
    await world.devnet.advanceTime(2)
    await vote(as(members[0]), { proposal: foreign, support: 'for' })
    await world.devnet.advanceTime(61)
    await queue(world.client, { proposal: foreign })
    await world.devnet.advanceTime(31)
    expect(await revertOf(execute(world.client, { proposal: foreign }))).toBe('OnlyPoolTimelock')
  })

  test('a defeated vote cannot be queued, a queued one not executed before its delay', async () => {
    const { deployment, client } = world
    const { jobId } = await proposed()
    const args = { deployment, jobId, pool: world.pool.pool, terms: await termsOf() }
    const lost = await proposeApproval(as(members[0]), args)
    await world.devnet.advanceTime(2)
    await vote(as(members[1]), { proposal: lost, support: 'against' })
    await world.devnet.advanceTime(61)
    expect(await getProposalState(client, { proposal: lost })).toBe('Defeated')
    expect(await revertOf(queue(client, { proposal: lost }))).toBe('GovernorUnexpectedProposalState')
    const again = await proposeApproval(as(members[0]), { ...args, note: 'Second attempt' })
    await world.devnet.advanceTime(2)
    await vote(as(members[0]), { proposal: again, support: 'for' })
    await world.devnet.advanceTime(61)
    await queue(client, { proposal: again })
    expect(await revertOf(execute(client, { proposal: again }))).toBe('TimelockUnexpectedOperationState')
  })
})

describe('grants', () => {
  test('a grant for two runs serves two jobs of the same manifest, and no third', async () => {
    const { deployment } = world
    const terms = { runs: 2 }
    const first = await approved([world.pool], terms)
    await fundJob(as(consumer), { deployment, jobId: first, approveTokens: true })
    const { jobId } = await proposed()
    expect(await stateOf(jobId)).toBe('Approved')
    const { jobId: third } = await proposed()
    expect(await stateOf(third)).toBe('Approved')
    await fundJob(as(consumer), { deployment, jobId, approveTokens: true })
    expect(await revertOf(fundJob(as(consumer), { deployment, jobId: third }))).toBe('GrantExhausted')
    await cancelJob(as(consumer), { deployment, jobId })
    await fundJob(as(consumer), { deployment, jobId: third, approveTokens: true })
  })

  test('a grant outside its window or revoked by vote pays for nothing', async () => {
    const { deployment } = world
    const closesAt = (await world.now()) + 300n
    const late = await approved([world.pool], { closesAt })
    await world.devnet.advanceTime(400)
    expect(await revertOf(fundJob(as(consumer), { deployment, jobId: late }))).toBe('GrantOutsideWindow')
    manifest += 1
    const jobId = await approved()
    const { manifestDigest } = await getJob(world.client, { deployment, jobId })
    const call = revokeGrantCall({
      deployment,
      grantee: consumer.address,
      pool: world.pool.pool,
      manifestDigest,
    })
    const { governor } = world.pool
    await pass(
      await propose(as(members[0]), { governor, calls: [call], description: `Revoke ${manifestDigest}` }),
    )
    expect(await revertOf(fundJob(as(consumer), { deployment, jobId }))).toBe('GrantIsRevoked')
  })

  test('the price ceiling holds whatever the vote decided', async () => {
    const jobId = await approved([world.pool], {}, { priceCeiling: PRICE - 1n })
    expect(await revertOf(fundJob(as(consumer), { deployment: world.deployment, jobId }))).toBe(
      'PriceAboveCeiling',
    )
  })

  test('only the consumer funds, and only with tokens allowed before', async () => {
    const { deployment } = world
    const jobId = await approved()
    expect(await revertOf(fundJob(as(members[0]), { deployment, jobId }))).toBe('OnlyConsumer')
    await approveToken(as(consumer), { token: world.pool.token, spender: deployment.jobBoard, amount: 0n })
    expect(await revertOf(fundJob(as(consumer), { deployment, jobId }))).toBe('ERC20InsufficientAllowance')
  })
})

describe('refunds', () => {
  const reason = stringToHex('BUDGET_EXCEEDED', { size: 32 })

  async function refuse(jobId: bigint) {
    const fields = { reason, receiptDigest: digest('refusal receipt') }
    const statement = await prove(
      world.node,
      'refusal',
      refusalContext({ ...(await subject(jobId)), ...fields }),
    )
    return refuseJob(world.client, { deployment: world.deployment, jobId, ...fields, statement })
  }

  async function fail(jobId: bigint) {
    const statement = await prove(
      world.node,
      'failure',
      failureContext({ ...(await subject(jobId)), reason }),
    )
    return failJob(world.client, { deployment: world.deployment, jobId, reason, statement })
  }

  const usedOf = async () => {
    const { deployment, pool } = world
    const manifestDigest = digest(`manifest ${manifest}`)
    return (
      await getGrant(world.client, { deployment, grantee: consumer.address, pool: pool.pool, manifestDigest })
    )?.used
  }

  test.each([
    ['refusal of a funded job', 'Refused', 1, refuse],
    ['refusal of a running job', 'Refused', 1, (jobId: bigint) => start(jobId).then(() => refuse(jobId))],
    ['failure of a running job', 'Failed', 1, (jobId: bigint) => start(jobId).then(() => fail(jobId))],
    [
      'cancellation',
      'Cancelled',
      0,
      (jobId: bigint) => cancelJob(as(consumer), { deployment: world.deployment, jobId }),
    ],
    [
      'expiry',
      'Expired',
      0,
      async (jobId: bigint) => {
        await world.devnet.advanceTime(50_001)
        return expireJob(world.client, { deployment: world.deployment, jobId })
      },
    ],
  ] as const)('%s returns everything, once', async (_, state, used, end) => {
    const { deployment } = world
    const before = await holdings()
    const escrow = await holdings(deployment.jobBoard)
    const jobId = await funded([world.pool])
    await end(jobId)
    expect(await stateOf(jobId)).toBe(state)
    expect(await holdings()).toEqual(before)
    expect(await holdings(deployment.jobBoard)).toEqual(escrow)
    expect(await usedOf()).toBe(used)
    expect(await revertOf(cancelJob(as(consumer), { deployment, jobId }))).toBe('TransitionNotAllowed')
    expect(await revertOf(settleJob(world.client, { deployment, jobId }))).toBe('TransitionNotAllowed')
  })

  test('a running job cannot be cancelled, nor expire before its deadline', async () => {
    const { deployment } = world
    const jobId = await funded()
    await start(jobId)
    expect(await revertOf(cancelJob(as(consumer), { deployment, jobId }))).toBe('TransitionNotAllowed')
    expect(await revertOf(expireJob(world.client, { deployment, jobId }))).toBe('DeadlineNotPassed')
  })

  test('nothing is released past the deadline, so the refund is final', async () => {
    const jobId = await funded()
    await start(jobId)
    await world.devnet.advanceTime(50_001)
    expect(await revertOf(release(jobId))).toBe('DeadlinePassed')
  })

  test('a released job can only be settled, and only once', async () => {
    const { deployment, client } = world
    const jobId = await funded()
    await start(jobId)
    await release(jobId)
    expect(await revertOf(refuse(jobId))).toBe('TransitionNotAllowed')
    await settleJob(client, { deployment, jobId })
    expect(await revertOf(settleJob(client, { deployment, jobId }))).toBe('TransitionNotAllowed')
  })
})

describe('node statements about jobs', () => {
  test('a stranger cannot start, and the proof of one job starts no other', async () => {
    const { deployment, client } = world
    const one = await funded()
    manifest += 1
    const two = await funded()
    expect(await revertOf(start(one, privateKeyToAccount(generatePrivateKey())))).toBe(
      'StatementSignerNotActive',
    )
    const statement = await prove(world.node, 'start', startContext(await subject(one)))
    expect(await revertOf(startJob(client, { deployment, jobId: two, statement }))).toBe(
      'StatementSignerNotActive',
    )
    await startJob(client, { deployment, jobId: one, statement })
    expect(await revertOf(startJob(client, { deployment, jobId: one, statement }))).toBe(
      'TransitionNotAllowed',
    )
  })

  test('a release is over receipt, result and every budget head', async () => {
    const { deployment, client } = world
    const jobId = await funded()
    await start(jobId)
    const fields = { receiptDigest: digest('a'), resultDigest: digest('b'), budgetHeads: [digest('c')] }
    const statement = await prove(
      world.node,
      'release',
      releaseContext({ ...(await subject(jobId)), ...fields }),
    )
    const other = digest('other')
    for (const change of [{ receiptDigest: other }, { resultDigest: other }, { budgetHeads: [other] }]) {
      const attempt = releaseJob(client, { deployment, jobId, ...fields, ...change, statement })
      expect(await revertOf(attempt)).toBe('StatementSignerNotActive')
    }
    const short = releaseJob(client, { deployment, jobId, ...fields, budgetHeads: [], statement })
    expect(await revertOf(short)).toBe('BudgetHeadsDiffer')
    await releaseJob(client, { deployment, jobId, ...fields, statement })
  })
})

describe('the stop right', () => {
  test('a contributor holds what was granted under every number, and lets go', async () => {
    const { client, deployment, pool: contracts } = world
    const { pool } = contracts
    const jobId = await approved()
    const { manifestDigest } = await getJob(client, { deployment, jobId })
    const runs = { pool, digest: manifestDigest }
    expect(await revertOf(suspendRuns(as(consumer), runs))).toBe('OnlyContributor')
    expect(await revertOf(suspendRuns(as(consumer), { ...runs, contributionId: 1n }))).toBe('OnlyContributor')
    await suspendRuns(as(members[1]), runs)
    expect(await getStop(client, runs)).toMatchObject({ holders: 1, overruled: false, binding: false })
    expect(await revertOf(fundJob(as(consumer), { deployment, jobId, approveTokens: true }))).toBe(
      'JobIsSuspended',
    )
    expect(await revertOf(resumeRuns(as(members[0]), runs))).toBe('NotSuspended')
    await resumeRuns(as(members[1]), runs)
    expect((await getStop(client, runs)).holders).toBe(0)
    await suspendRuns(as(members[1]), runs)
    const description = `Let ${manifestDigest} run`
    const { governor } = contracts
    await pass(await propose(as(members[0]), { governor, calls: [resumeRunsCall(runs)], description }))
    expect(await getStop(client, runs)).toMatchObject({ holders: 0, overruled: true })
    await fundJob(as(consumer), { deployment, jobId, approveTokens: true })
  })

  test('funding takes no more pool tokens than was agreed', async () => {
    const { deployment } = world
    const jobId = await approved()
    const attempt = fundJob(as(consumer), {
      deployment,
      jobId,
      approveTokens: true,
      burnCeilings: [BURN - 1n],
    })
    expect(await revertOf(attempt)).toBe('BurnAboveCeiling')
    await fundJob(as(consumer), { deployment, jobId, burnCeilings: [BURN] })
  })

  test('a job says its code and its scope', async () => {
    const { client, deployment } = world
    const jobId = await approved()
    expect(await getJob(client, { deployment, jobId })).toMatchObject({ state: 'Approved' })
    const [codeDigest, scopeDigest] = [digest('code'), digest('scope')]
    const declared = await proposeJob(as(consumer), {
      deployment,
      manifestDigest: digest('declared'),
      manifestLocator: '',
      pools: [world.pool.pool],
      deadline: (await world.now()) + 1_000n,
      codeDigest,
      scopeDigest,
    })
    const about = { abi: jobBoardAbi, address: deployment.jobBoard } as const
    expect(
      await inspect(client, { ...about, functionName: 'declarationOf', args: [declared.jobId] }),
    ).toEqual({ codeDigest, scopeDigest })
  })

  test('a contributor suspends, the vote resumes for good, and strangers can do neither', async () => {
    const { deployment, client } = world
    const jobId = await funded()
    const pool = world.pool.pool
    expect(await revertOf(suspendJob(as(consumer), { deployment, jobId, pool }))).toBe('OnlyContributor')
    await suspendJob(as(members[1]), { deployment, jobId, pool })
    expect((await getJob(client, { deployment, jobId })).suspended).toBe(true)
    expect(await revertOf(start(jobId))).toBe('JobIsSuspended')
    expect(await revertOf(suspendJob(as(members[1]), { deployment, jobId, pool }))).toBe('AlreadySuspended')
    const calls = [resumeJobCall({ deployment, jobId, pool })]
    await pass(
      await propose(as(members[0]), { governor: world.pool.governor, calls, description: `Resume ${jobId}` }),
    )
    expect(await revertOf(suspendJob(as(members[1]), { deployment, jobId, pool }))).toBe(
      'SuspensionOverruled',
    )
    await start(jobId)
    expect(await revertOf(suspendJob(as(members[1]), { deployment, jobId, pool }))).toBe('AlreadyStarted')
  })
})

test('proposing refuses unknown pools, a pool twice, and a deadline in the past', async () => {
  const strange = { ...world.pool, pool: consumer.address }
  expect(await revertOf(proposed([strange]))).toBe('PoolUnknown')
  expect(await revertOf(proposed([world.pool, world.pool]))).toBe('PoolTwice')
  expect(await revertOf(proposed([]))).toBe('PoolCountInvalid')
  expect(await revertOf(proposed([world.pool], { deadline: 1n }))).toBe('DeadlineNotInFuture')
})

test('a job is funded by the account that is named, in the time that is given', async () => {
  const jobId = await approved()
  const options = { account: consumer, timeoutMs: 30_000, approveTokens: true }
  await fundJob(world.client, { deployment: world.deployment, jobId, ...options })
  expect(await stateOf(jobId)).toBe('Funded')
})

test('getJob says when there is none', async () => {
  const attempt = getJob(world.client, { deployment: world.deployment, jobId: 999n })
  await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
