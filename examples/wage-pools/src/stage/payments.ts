import { getJobEvents, getPool, poolTokenAbi } from '@sealpool/contracts'
import { formatEther, zeroAddress } from 'viem'
import { getContractEvents } from 'viem/actions'
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
  const burnedIn = async (name: 'pay' | 'people') => {
    const transfers = await getContractEvents(founder, {
      abi: poolTokenAbi,
      address: pools[name].contracts.token,
      eventName: 'Transfer',
      args: { to: zeroAddress },
      fromBlock: deployment.blockNumber,
      strict: true,
    })
    return Number(formatEther(transfers.reduce((sum, { args }) => sum + args.value, 0n)))
  }
  const liability = async (name: 'pay' | 'people') =>
    Number(formatEther((await getPool(founder, { pool: pools[name].contracts.pool, deployment })).liability))
  return {
    protocolTokensBurned: settled.reduce((sum, { args }) => sum + Number(formatEther(args.burned)), 0),
    poolTokensBurned: { pay: await burnedIn('pay'), people: await burnedIn('people') },
    setAside: { pay: await liability('pay'), people: await liability('people') },
  }
}
