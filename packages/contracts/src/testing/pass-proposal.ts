import type { Account } from 'viem'
import { execute, type Proposal, queue, vote } from '../action/index.js'
import type { Support } from '../statement/index.js'
import type { World } from './world.js'

/** Votes on a proposal of the world's pools, lets the time pass, queues and executes it. */
export async function passProposal(
  world: World,
  proposal: Proposal,
  ballots: readonly { readonly account: Account; readonly support: Support }[],
): Promise<void> {
  const { client, devnet } = world
  await devnet.advanceTime(2)
  for (const { account, support } of ballots) await vote(world.clientOf(account), { proposal, support })
  await devnet.advanceTime(61)
  await queue(client, { proposal })
  await devnet.advanceTime(31)
  await execute(client, { proposal })
}
