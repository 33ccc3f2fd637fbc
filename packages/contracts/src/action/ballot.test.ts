import type { Account } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type GovernorDomain,
  getBallotNonce,
  getGovernorDomain,
  type Support,
  signBallot,
} from '../statement/index.js'
import { accept } from '../testing/job-world.js'
import { createWorld, revertOf, type World } from '../testing/world.js'
import { getTally, type Proposal, propose, voteSigned } from './index.js'

let world: World
let domain: GovernorDomain
/** Has pool tokens and no money for gas. */
let voter: Account
let number = 0

beforeAll(async () => {
  world = await createWorld()
  voter = privateKeyToAccount(generatePrivateKey())
  await accept(world, world.pool, [{ account: voter, score: 10_000 }])
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
