import { dataRegistryAbi, invoke } from '@sealpool/contracts'
import type { DevnetPool } from './devnet-pool.js'

/** The owner declares a number used without a contribution. */
export function cancelNonceForTest(world: DevnetPool, index: number, nonce: bigint) {
  const { deployment } = world
  const call = {
    address: deployment.dataRegistry,
    abi: dataRegistryAbi,
    functionName: 'cancelNonce',
    args: [nonce],
  } as const
  return invoke(world.walletOf(index), call)
}
