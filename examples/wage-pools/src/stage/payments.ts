import { getJobEvents, getPool } from '@sealpool/contracts'
import { formatEther } from 'viem'
import type { Founded } from './found-pools.js'

/** What the jobs paid, read from the chain; whole tokens. */
export interface Payments {
  readonly protocolTokensBurned: number
  readonly poolTokensBurned: { readonly pay: number; readonly people: number }
  /** Protocol tokens that wait for the contributors to claim them. */
  readonly setAside: { readonly pay: number; readonly people: number }
}

/** Reads what the settled jobs burned and what they left for the contributors. */
export async function readPayments(founded: Founded): Promise<Payments> {
  const { founder, deployment, pools } = founded
  const events = await getJobEvents(founder, { deployment, fromBlock: deployment.blockNumber })
  const settled = events.flatMap((event) => (event.name === 'JobSettled' ? [event] : []))
  const proposed = new Map(
    events.flatMap((event) => (event.name === 'JobProposed' ? [[event.id, event.args.pools] as const] : [])),
  )
  const burnedIn = (name: 'pay' | 'people') => {
    const address = pools[name].contracts.pool.toLowerCase()
    const jobs = settled.filter(({ id }) => proposed.get(id)?.some((pool) => pool.toLowerCase() === address))
    return jobs.length * Number(formatEther(BigInt(pools[name].policy.economics.poolTokenBurn)))
  }
  const liability = async (name: 'pay' | 'people') =>
    Number(formatEther((await getPool(founder, { pool: pools[name].contracts.pool, deployment })).liability))
  return {
    protocolTokensBurned: settled.reduce((sum, { args }) => sum + Number(formatEther(args.burned)), 0),
    poolTokensBurned: { pay: burnedIn('pay'), people: burnedIn('people') },
    setAside: { pay: await liability('pay'), people: await liability('people') },
  }
}
