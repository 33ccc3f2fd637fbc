import type { NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import { platformNow } from '../platform.js'
import type { ChainPort } from './chain-port.js'
import { openContractsChain } from './contracts-chain.js'

/**
 * Opens the chain that settings name.
 * @param config whose `chain` is read
 * @param secrets with the key that pays for transactions
 * @throws NodeError `CHAIN_MISMATCH` and others of {@link openContractsChain}
 */
export function configuredChain(
  { chain }: Pick<NodeConfig, 'chain'>,
  { transactionKey }: Pick<NodeSecrets, 'transactionKey'>,
): Promise<ChainPort> {
  return openContractsChain({
    rpcUrl: chain.rpcUrl,
    crossCheckRpcUrl: chain.crossCheckRpcUrl,
    anchors: chain.anchors,
    maximumAgeSeconds: chain.maximumHeadAgeSeconds,
    maximumLagBlocks: chain.maximumLagBlocks,
    timeoutMs: chain.timeoutMs,
    now: platformNow,
    deployment: { ...chain.deployment, blockNumber: BigInt(chain.deployment.blockNumber) },
    confirmations: chain.confirmations,
    pollMs: chain.pollMs,
    transactionKey,
  })
}
