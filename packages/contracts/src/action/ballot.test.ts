import { type Account, maxUint256 } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type GovernorDomain,
  getBallotNonce,
  getGovernorDomain,
  type Support,
  signBallot,
  signContribution,
  verdictBatchContext,
} from '../statement/index.js'
import {
  contributionOf,
  createWorld,
  digest,
  nextNonce,
  prove,
  revertOf,
  type World,
} from '../testing/world.js'
import { contributeSigned, getTally, type Proposal, propose, recordVerdicts, voteSigned } from './index.js'

let world: World
let domain: GovernorDomain
/** Has pool tokens and no money for gas. */
let voter: Account
let number = 0

beforeAll(async () => {
  world = await createWorld()
  voter = privateKeyToAccount(generatePrivateKey())
  const { deployment, node } = world
  const contribution = contributionOf(world, voter, { pool: world.pool.pool })
  const signed = await signContribution({ account: voter, deployment, contribution, deadline: maxUint256 })
  const { id } = await contributeSigned(world.client, { deployment, signed })
  const entries = [{ contributionId: id, score: 10_000, refused: false, verdictDigest: digest('verdict') }]
  const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool: world.pool.pool, entries })
  const statement = await prove(node, 'verdictBatch', context)
  await recordVerdicts(world.client, { deployment, pool: world.pool.pool, entries, statement })
  domain = await getGovernorDomain(world.client, { governor: world.pool.governor })
})
afterAll(() => world.devnet.stop())

async function proposal(): Promise<Proposal> {
  number += 1
  const { governor, token } = world.pool
  const made = await propose(world.client, {
    governor,
    calls: [{ target: token, data: '0x' }],
    description: `ballot test ${number}`,
  })
  await world.devnet.advanceTime(2)
  return made
}

async function ballotOn({ proposalId }: Proposal, support: Support, account = voter) {
  const nonce = await getBallotNonce(world.client, { governor: world.pool.governor, voter: account.address })
  return signBallot({ account, domain, proposalId, support, nonce })
}

describe('a signed ballot', () => {
  test('counts for its voter when somebody else sends it', async () => {
    const made = await proposal()
    await voteSigned(world.client, { governor: made.governor, ballot: await ballotOn(made, 'for') })
    const tally = await getTally(world.client, { proposal: made })
    expect(tally.for).toBeGreaterThan(0n)
    expect([tally.against, tally.abstain]).toEqual([0n, 0n])
  })

  test('counts once', async () => {
    const made = await proposal()
    const ballot = await ballotOn(made, 'against')
    await voteSigned(world.client, { governor: made.governor, ballot })
    const again = await revertOf(voteSigned(world.client, { governor: made.governor, ballot }))
    expect(again).toBe('GovernorInvalidSignature')
  })

  test('cannot be turned round by whoever sends it', async () => {
    const made = await proposal()
    const ballot = { ...(await ballotOn(made, 'against')), support: 'for' as const }
    const turned = await revertOf(voteSigned(world.client, { governor: made.governor, ballot }))
    expect(turned).toBe('GovernorInvalidSignature')
  })

  test('cannot be signed by another than its voter', async () => {
    const made = await proposal()
    const other = privateKeyToAccount(generatePrivateKey())
    const ballot = { ...(await ballotOn(made, 'for', other)), voter: voter.address }
    const forged = await revertOf(voteSigned(world.client, { governor: made.governor, ballot }))
    expect(forged).toBe('GovernorInvalidSignature')
  })

  test('needs an account that can sign here', async () => {
    const made = await proposal()
    const account = { address: voter.address, type: 'json-rpc' } as const
    await expect(
      signBallot({ account, domain, proposalId: made.proposalId, support: 'for', nonce: 0n }),
    ).rejects.toMatchObject({ code: 'NO_ACCOUNT' })
  })
})
