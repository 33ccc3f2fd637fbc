import type { Address, Client } from 'viem'
import { readContract } from 'viem/actions'
import { poolAbi } from '../abi/Pool.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import { getCredits } from './credit.js'
import { getGrant, getGrantedDigest, getJob } from './job-read.js'
import { reading } from './transaction.js'

/** What funding a job takes from the consumer, by its grants. Amounts in the smallest unit. */
export interface Funding {
  /** Protocol tokens in all, less what credits pay. */
  readonly price: bigint
  /** What is spent of each pool's credits, in the job's order; all 0 unless limits were given. */
  readonly credits: readonly { readonly pool: Address; readonly amount: bigint; readonly waived: bigint }[]
  readonly poolTokens: readonly { readonly pool: Address; readonly token: Address; readonly amount: bigint }[]
}

/**
 * Reads what funding a job will take.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `jobId`, of a job that every pool has granted
 * @param args.creditLimits The most of each pool's credits that would be spent, in the job's order; default: none.
 * @returns protocol tokens in all, pool tokens and credits of each pool, in the job's order, as grants and the worth of credits
 * stand now; whether the consumer has them is not looked at
 * @throws {ContractsError} `NOT_FOUND` when the job, or a pool's grant for it, is missing.
 */
export async function getFunding(
  client: Client,
  args: {
    readonly deployment: Deployment
    readonly jobId: bigint
    readonly creditLimits?: readonly bigint[]
  },
): Promise<Funding> {
  const job = await getJob(client, args)
  const manifestDigest = await getGrantedDigest(client, args)
  const parts = await Promise.all(
    job.pools.map(async ({ pool }, index) => {
      const { deployment } = args
      const { consumer: grantee } = job
      const grant = await getGrant(client, { deployment, grantee, pool, manifestDigest })
      if (grant === null) {
        throw new ContractsError('NOT_FOUND', 'getFunding', `pool ${pool} has not granted job ${args.jobId}`)
      }
      const token = await reading('Pool.token', () =>
        readContract(client, { address: pool, abi: poolAbi, functionName: 'token' }),
      )
      const limit = args.creditLimits?.[index] ?? 0n
      const { worth } =
        limit === 0n ? { worth: 0n } : await getCredits(client, { deployment, pool, account: grantee })
      // As the contract counts: the last credit is spent whole, and waives no more than is left of the price.
      const needed = worth === 0n ? 0n : (grant.price + worth - 1n) / worth
      const spent = needed < limit ? needed : limit
      const waived = spent * worth < grant.price ? spent * worth : grant.price
      return { pool, token, amount: grant.poolTokenBurn, price: grant.price - waived, spent, waived }
    }),
  )
  return {
    price: parts.reduce((sum, part) => sum + part.price, 0n),
    credits: parts.map(({ pool, spent, waived }) => ({ pool, amount: spent, waived })),
    poolTokens: parts.map(({ pool, token, amount }) => ({ pool, token, amount })),
  }
}
