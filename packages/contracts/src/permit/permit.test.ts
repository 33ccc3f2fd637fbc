import { type Hex, parseEventLogs } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { permissionsAbi } from '../abi/Permissions.js'
import {
  fundJob,
  getGrant,
  getJob,
  getJobEvents,
  propose,
  proposeJob,
  revokeGrantCall,
  type Terms,
} from '../action/index.js'
import { createJobWorld, PRICE } from '../testing/job-world.js'
import { digest, nextNonce, revertOf } from '../testing/world.js'
import {
  appointIssuerCall,
  approveByGrant,
  dismissIssuerCall,
  getAppointment,
  getPermit,
  permitDigest,
  type QueryPermit,
  redeemPermit,
  resignIssuer,
  revokePermit,
  revokePermitCall,
  type SignedPermit,
  signPermit,
} from './index.js'

let manifest = 0
const jobs = await createJobWorld({ manifest: () => `permitted ${manifest}` })
const { world, members, consumer, as, proposed, pass, termsOf } = jobs
const { deployment, client } = world
const { pool, governor } = world.pool
const issuer = world.account(4)
afterAll(() => world.devnet.stop())
beforeEach(() => {
  manifest += 1
})

const template = digest('questions about one table')
const [tableA, tableB] = [digest('table A'), digest('table B')]
const exact = (number: number): Hex => digest(`permitted ${number}`)
let proposals = 0
const decide = async (calls: Parameters<typeof propose>[1]['calls']) =>
  pass(await propose(as(members[0]), { governor, calls, description: `decide ${++proposals}` }))

beforeAll(async () => {
  const bounds = await termsOf({ poolTokenBurn: 0n, runs: 5 })
  const place = { deployment, pool, issuer: issuer.address }
  // One vote for all of this file's jobs.
  await decide([
    ...Array.from({ length: 8 }, (_, index) =>
      appointIssuerCall({ ...place, jobDigest: exact(index + 1), bounds }),
    ),
    appointIssuerCall({ ...place, jobDigest: template, bounds: { ...bounds, scopeDigest: tableA } }),
  ])
})

/** A permit within the bounds, signed; nothing is sent. */
async function permitFor(jobDigest: Hex, change: Partial<Terms> = {}): Promise<SignedPermit> {
  const place = { deployment, pool, issuer: issuer.address, jobDigest }
  const appointment = await getAppointment(client, place)
  if (appointment === null) throw new Error('nobody was appointed')
  const permit: QueryPermit = {
    ...{
      issuer: issuer.address,
      appointment: appointment.number,
      pool,
      grantee: consumer.address,
      jobDigest,
    },
    terms: { ...appointment.bounds, runs: 2, ...change },
    salt: `0x${nextNonce().toString(16).padStart(64, '0')}`,
  }
  return signPermit({ account: issuer, deployment, permit })
}
const redeem = (signed: SignedPermit) => redeemPermit(as(consumer), { deployment, signed })
const fund = (jobId: bigint) => fundJob(as(consumer), { deployment, jobId, approveTokens: true })
const stateOf = async (jobId: bigint) => (await getJob(client, { deployment, jobId })).state

describe('an off-chain signed query permit', () => {
  test('for table A cannot read B', async () => {
    await redeem(await permitFor(exact(manifest)))
    await redeem(await permitFor(template))
    // Another manifest is another job; nobody granted it.
    const other = await proposeJob(as(consumer), {
      deployment,
      manifestDigest: digest('reads table B'),
      manifestLocator: '',
      pools: [pool],
      deadline: (await world.now()) + 10_000n,
    })
    expect(await stateOf(other.jobId)).toBe('Proposed')
    const { jobId } = other
    expect(await revertOf(fundJob(as(consumer), { deployment, jobId }))).toBe('TransitionNotAllowed')
    expect(await revertOf(approveByGrant(as(consumer), { deployment, jobId, pool }))).toBe('GrantMissing')
    // Under the template any manifest, of the permit's scope alone: nodes hold it to what it declares.
    const under = async (scopeDigest: Hex | undefined) =>
      proposeJob(as(consumer), {
        deployment,
        manifestDigest: digest(`some question ${nextNonce()}`),
        manifestLocator: '',
        pools: [pool],
        deadline: (await world.now()) + 10_000n,
        templateDigest: template,
        ...(scopeDigest === undefined ? {} : { scopeDigest }),
      })
    const [wide, silent, right] = [await under(tableB), await under(undefined), await under(tableA)]
    expect(await revertOf(fund(wide.jobId))).toBe('ScopeOther')
    expect(await revertOf(fund(silent.jobId))).toBe('ScopeOther')
    await fund(right.jobId)
    // Nodes run what they hear was approved: the one that may run.
    const told = await getJobEvents(client, { deployment, fromBlock: other.receipt.blockNumber })
    expect(told.filter(({ name }) => name === 'JobApproved').map(({ id }) => id)).toEqual([right.jobId])
  })

  test('has a count that reaches zero', async () => {
    const signed = await permitFor(exact(manifest))
    await redeem(signed)
    const ids = [await proposed(), await proposed(), await proposed()].map(({ jobId }) => jobId)
    for (const jobId of ids.slice(0, 2)) await fund(jobId)
    const grant = { deployment, grantee: consumer.address, pool, manifestDigest: exact(manifest) }
    expect(await getGrant(client, grant)).toMatchObject({ runs: 2, used: 2, price: PRICE })
    expect(await revertOf(fund(ids[2] ?? 0n))).toBe('GrantExhausted')
    expect(await revertOf(redeem(signed))).toBe('PermitAlreadyRedeemed')
    // The issuer gives at most what the vote let it give: five, of which two are gone, and then four.
    await redeem(await permitFor(exact(manifest)))
    expect(await revertOf(redeem(await permitFor(exact(manifest))))).toBe('PermitRunsExceeded')
    await redeem(await permitFor(exact(manifest), { runs: 1 }))
  })

  test('is stopped by its revocation, redeemed or not, and the chain tells of it', async () => {
    const { jobId } = await proposed()
    const first = await permitFor(exact(manifest))
    const second = await permitFor(exact(manifest))
    const told = async ({ permit }: SignedPermit) => {
      const { receipt, digest: name } = await revokePermit(as(issuer), { deployment, permit })
      const logs = parseEventLogs({ abi: permissionsAbi, logs: receipt.logs })
      return logs.map(({ eventName, args }) => [
        eventName,
        'permitDigest' in args && args.permitDigest === name,
      ])
    }
    expect(await told(first)).toEqual([['PermitRevoked', true]])
    expect(await revertOf(redeem(first))).toBe('PermitIsRevoked')
    await redeem(second)
    await approveByGrant(as(members[0]), { deployment, jobId, pool })
    expect(await stateOf(jobId)).toBe('Approved')
    expect(await told(second)).toEqual([
      ['GrantRevoked', false],
      ['PermitRevoked', true],
    ])
    expect(await revertOf(fund(jobId))).toBe('GrantIsRevoked')
    expect(await getPermit(client, { deployment, signed: second })).toMatchObject({
      state: 'revoked',
      redeemed: true,
    })
  })

  test('approves a job that waits as a vote would, once, and nodes hear of it', async () => {
    const { jobId, receipt } = await proposed()
    const signed = await permitFor(exact(manifest))
    await redeem(signed)
    await approveByGrant(as(members[0]), { deployment, jobId, pool })
    expect(await revertOf(approveByGrant(client, { deployment, jobId, pool }))).toBe('TransitionNotAllowed')
    const events = await getJobEvents(client, { deployment, jobId, fromBlock: receipt.blockNumber })
    const approved = events.flatMap((event) => (event.name === 'JobApproved' ? [event.args] : []))
    expect(approved).toEqual([{ pool, terms: signed.permit.terms }])
    await fund(jobId)
  })

  test('is judged before anything is sent, by whoever has it', async () => {
    const signed = await permitFor(exact(manifest))
    const look = (one: SignedPermit) => getPermit(client, { deployment, signed: one })
    expect(await look(signed)).toMatchObject({
      state: 'unused',
      redeemed: false,
      appointment: { number: 1, issued: 0, left: 5, ended: false },
      obstacle: null,
    })
    const cheap = await permitFor(exact(manifest), { price: PRICE - 1n })
    expect((await look(cheap)).obstacle).toMatchObject({
      revert: { name: 'PermitTooCheap', args: [PRICE, 0n] },
      text: expect.stringContaining('asks less for a run'),
    })
    const forged = { ...signed, signature: cheap.signature }
    expect((await look(forged)).obstacle?.revert.name).toBe('PermitSignatureInvalid')
    const stolen = redeemPermit(as(members[0]), { deployment, signed })
    await expect(stolen).rejects.toMatchObject({
      code: 'REVERTED',
      place: 'Permissions.redeem',
      revert: { name: 'OnlyGrantee', args: [members[0].address, consumer.address] },
    })
    const elsewhere = { ...signed, chainId: 1 }
    await expect(redeem(elsewhere)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', place: 'redeemPermit' })
    await expect(look({ ...signed, permissions: pool })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
    const nobody = { deployment, pool, issuer: consumer.address, jobDigest: exact(manifest) }
    expect(await getAppointment(client, nobody)).toBeNull()
  })

  test('is worth nothing when a vote dismissed its issuer, revoked it, or barred its grantee', async () => {
    const jobDigest = exact(manifest)
    const place = { deployment, pool, issuer: issuer.address, jobDigest }
    const [dropped, kept] = [await permitFor(jobDigest), await permitFor(jobDigest)]
    await redeem(kept)
    const next = { ...place, jobDigest: exact(manifest + 1) }
    const late = await permitFor(next.jobDigest)
    await decide([
      revokePermitCall({ deployment, permit: dropped.permit }),
      revokeGrantCall({ ...place, grantee: consumer.address, manifestDigest: jobDigest }),
      dismissIssuerCall(next),
    ])
    expect(await revertOf(redeem(dropped))).toBe('PermitIsRevoked')
    // A vote that comes too late says so, through governor and timelock.
    await expect(decide([revokePermitCall({ deployment, permit: dropped.permit })])).rejects.toMatchObject({
      place: 'PoolGovernor.execute',
      revert: { name: 'PermitIsRevoked', args: [permitDigest({ deployment, permit: dropped.permit })] },
      message: expect.stringContaining('revoked the permit: ask for another one'),
    })
    expect(await revertOf(redeem(await permitFor(jobDigest)))).toBe('GrantOfVoteStands')
    expect(await revertOf(redeem(late))).toBe('IssuerNotAppointed')
    expect(await getAppointment(client, next)).toMatchObject({ ended: true, left: 0 })
    await resignIssuer(as(issuer), place)
    expect(await revertOf(resignIssuer(as(issuer), place))).toBe('IssuerNotAppointed')
    expect(await revertOf(resignIssuer(as(members[0]), next))).toBe('OnlyPoolTimelock')
  })
})
