import { createWalletClient, custom, http } from 'viem'
import { foundry } from 'viem/chains'
import type { DevnetPool } from './devnet-pool.js'

/** A wallet of a pool's chain whose every call a test sees, and may break. */
export function watchedWallet(
  world: DevnetPool,
  index: number,
  rpc: (method: string, send: () => Promise<unknown>) => Promise<unknown>,
) {
  const plain = http(world.devnet.rpcUrl)({ chain: foundry, retryCount: 0 })
  const transport = custom(
    { request: (call) => rpc(call.method, () => plain.request(call as never)) },
    { retryCount: 0 },
  )
  return createWalletClient({ account: world.accountOf(index), chain: foundry, transport })
}
