import { getContributions } from '@sealpool/contracts'
import { createWalletClient, custom, http } from 'viem'
import { foundry } from 'viem/chains'
import type { ContributionInput } from '../contribute/prepare-contribution.js'
import { createPoolClient, memoryBlobStore, memoryJournal, type PoolClientOptions } from '../index.js'
import { input } from './contribution.js'
import type { DevnetPool } from './devnet-pool.js'
import { memoryNode } from './memory-node.js'
import { at, policy } from './simulated-pool.js'

/** Makes apps that contribute to a pool on a real chain. @param world the pool, @param deadline of their contributions */
export function contributingApps(world: DevnetPool, deadline: bigint) {
  /** An app with parts that a test may break; `epoch` is what its node serves. */
  function app(
    change: Partial<PoolClientOptions> = {},
    rpc: (method: string, send: () => Promise<unknown>) => Promise<unknown> = (_method, send) => send(),
  ) {
    const served = memoryNode(world.node)
    const state = { epoch: 1 }
    served.routes['/v1/pools'] = () => ({ simulated: true, pools: [world.node.answer(state.epoch)] })
    const blobStore = memoryBlobStore()
    const journal = memoryJournal()
    const account = world.accountOf(2)
    const plain = http(world.devnet.rpcUrl)({ chain: foundry, retryCount: 0 })
    const transport = custom(
      { request: (call) => rpc(call.method, () => plain.request(call as never)) },
      { retryCount: 0 },
    )
    const client = createPoolClient({
      chain: createWalletClient({ account, chain: foundry, transport }),
      deployment: world.deployment,
      pool: world.contracts.pool,
      policy,
      nodeUrl: 'http://node.example',
      blobStore,
      journal,
      fetch: served.fetch,
      now: () => at,
      maximumAgeMs: 0,
      retryDelayMs: 1,
      ...change,
    })
    const steps: string[] = []
    const onProgress = ({ step, state }: { step: string; state: string }) => steps.push(`${step} ${state}`)
    return { client, account, served, state, blobStore, journal, steps, onProgress }
  }
  const exported = (change: Partial<ContributionInput> = {}): ContributionInput => {
    const { nonce: _nonce, ...rest } = input
    return { ...rest, deadline, ...change }
  }
  const all = () =>
    getContributions(world.walletOf(0), { deployment: world.deployment, pool: world.contracts.pool })
  const countOf = async () => (await all()).length

  function bare() {
    return createPoolClient({
      chain: world.walletOf(2),
      deployment: world.deployment,
      pool: world.contracts.pool,
      policy,
      nodeUrl: 'http://node.example',
      blobStore: memoryBlobStore(),
    })
  }
  return { app, exported, countOf, all, bare }
}
