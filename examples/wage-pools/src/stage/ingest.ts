import { nodeApi } from '@sealpool/client'
import { getVerdicts, poolAbi } from '@sealpool/contracts'
import { formatUnits } from 'viem'
import { getContractEvents } from 'viem/actions'
import type { Progress } from '../progress.js'
import type { Founded } from './found-pools.js'

/** What became of the contributions. */
export interface Ingested {
  readonly accepted: number
  readonly refused: Readonly<Record<string, number>>
  /** Owners of accepted contributions, lower case, by pool. */
  readonly acceptedOwners: { readonly pay: ReadonlySet<string>; readonly people: ReadonlySet<string> }
  /** Pool tokens minted, whole tokens, by pool. */
  readonly rewards: { readonly pay: number; readonly people: number }
}

/** States in which the node is done with a contribution. */
const finalStates = ['refined', 'refused']

/** Waits until the node has judged and refined everything; what is reported is read from the chain. */
export async function awaitIngest(options: {
  readonly founded: Founded
  readonly nodeUrl: string
  readonly count: number
  readonly progress: Progress
}): Promise<Ingested> {
  const { founded, count, progress } = options
  const api = nodeApi({ url: options.nodeUrl })
  const pools = [founded.pools.pay, founded.pools.people]
  const bar = progress.bar('opened, judged, refined', count)
  const end = performance.now() + 300_000
  let refused: Record<string, number> = {}
  for (let done = 0; done < count; ) {
    const answers = await Promise.all(pools.map((pool) => api.contributionCounts(pool.contracts.pool)))
    done = answers.reduce(
      (sum, { states }) => sum + finalStates.reduce((part, state) => part + (states[state] ?? 0), 0),
      0,
    )
    refused = {}
    for (const answer of answers) {
      for (const [code, number] of Object.entries(answer.refused))
        refused[code] = (refused[code] ?? 0) + number
    }
    bar.set(done)
    if (performance.now() > end)
      throw new Error(`the node finished ${done} of ${count} in 300 s; see node.log`)
    if (done < count) await new Promise((resolve) => setTimeout(resolve, 250))
  }
  bar.end()

  const { deployment, founder } = founded
  const verdicts = await getVerdicts(founder, { deployment, fromBlock: deployment.blockNumber })
  const of = (name: 'pay' | 'people') =>
    verdicts.filter(
      ({ pool, refused: no }) =>
        !no && pool.toLowerCase() === founded.pools[name].contracts.pool.toLowerCase(),
    )
  const owners = (name: 'pay' | 'people') => new Set(of(name).map(({ owner }) => owner.toLowerCase()))
  const [pay, people] = await Promise.all([minted(founded, 'pay'), minted(founded, 'people')])
  return {
    accepted: of('pay').length + of('people').length,
    refused,
    acceptedOwners: { pay: owners('pay'), people: owners('people') },
    rewards: { pay, people },
  }
}

/** What a pool's contract says it minted for contributions, in whole tokens. */
async function minted({ founder, deployment, pools }: Founded, name: 'pay' | 'people'): Promise<number> {
  const rewards = await getContractEvents(founder, {
    abi: poolAbi,
    address: pools[name].contracts.pool,
    eventName: 'Rewarded',
    fromBlock: deployment.blockNumber,
    strict: true,
  })
  return Number(
    formatUnits(
      rewards.reduce((sum, { args }) => sum + args.amount, 0n),
      18,
    ),
  )
}
