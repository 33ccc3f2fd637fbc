import type { Client } from 'viem'
import { getChainId } from 'viem/actions'
import { reading } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import { checkDeployment } from './check-deployment.js'
import type { Deployment } from './deployment.js'

/** Deployments by chain. */
export interface Deployments {
  /** In ascending order. */
  readonly chainIds: readonly number[]
  /**
   * The deployment on a chain.
   *
   * @throws {ContractsError} `NOT_FOUND`, naming the chains that are known.
   */
  get(chainId: number): Deployment
}

/** Deployments that this package vouches for. There is none on a public chain yet: deploy one and add it. */
export const publicDeployments: readonly Deployment[] = []

/**
 * Finds deployments by chain: an app gives its own, besides {@link publicDeployments} if it likes.
 *
 * @param list - deployments, at most one for each chain
 * @returns a look-up by chain identifier
 * @throws {ContractsError} `ARGUMENT_INVALID` when two are on one chain: which of them is meant would be a guess.
 * @example
 * const deployments = createDeployments([...publicDeployments, parseDeployment(text)])
 */
export function createDeployments(list: readonly Deployment[]): Deployments {
  const known = new Map<number, Deployment>()
  for (const deployment of list) {
    const { chainId } = deployment
    if (known.has(chainId)) {
      throw new ContractsError('ARGUMENT_INVALID', 'createDeployments', `two deployments on chain ${chainId}`)
    }
    known.set(chainId, deployment)
  }
  const chainIds = [...known.keys()].sort((a, b) => a - b)
  return {
    chainIds,
    get(chainId) {
      const found = known.get(chainId)
      if (found !== undefined) return found
      const names = chainIds.length === 0 ? 'none' : chainIds.join(', ')
      throw new ContractsError(
        'NOT_FOUND',
        'Deployments.get',
        `no deployment on chain ${chainId} (known: ${names})`,
      )
    },
  }
}

/**
 * The deployment on the client's chain, checked against that chain.
 *
 * @param client - a viem client on any chain; its chain decides
 * @param deployments - what to choose from
 * @returns the deployment whose contracts are there and know each other
 * @throws {ContractsError} `NOT_FOUND`; `DEPLOYMENT_MISMATCH` when the contracts there are not what the entry says;
 * `CHAIN_UNREACHABLE`.
 */
export async function deploymentFor(client: Client, deployments: Deployments): Promise<Deployment> {
  const chainId = await reading('deploymentFor', () => getChainId(client))
  const deployment = deployments.get(chainId)
  await checkDeployment(client, deployment)
  return deployment
}
