/**
 * The member's side of key release by committees, as the settings ask for it.
 * @module
 */
import { keyBrokerApi } from '../api/key-broker-api.js'
import type { ChainPort } from '../chain/chain-port.js'
import { isListed } from '../chain/is-listed.js'
import { partServer } from '../committee/part-server.js'
import { servedParts } from '../committee/served-parts.js'
import type { NodeConfig } from '../config/node-config.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { platformNow, platformRandom } from '../platform.js'
import type { NodeLogger } from './logger.js'
import type { NodeRecords } from './open-records.js'

/** @returns what answers as a member of committees; undefined when the settings name none */
export function openKeyBroker(options: {
  readonly config: NodeConfig
  readonly keys: NodeKeyRing
  readonly chain: ChainPort
  readonly simulated: boolean
  readonly audit: NodeRecords['audit']
  readonly log: NodeLogger
  readonly stopped: () => boolean
}): ReturnType<typeof keyBrokerApi> | undefined {
  const { config, keys, chain, simulated, audit, log, stopped } = options
  const roots = servedParts({ config, keys, random: platformRandom })
  if (roots.length === 0 || config.peers === null) return undefined
  const server = partServer({
    roots,
    chain,
    isListed: () => isListed(chain, keys),
    stopped,
    evidencePolicy: config.peers.evidencePolicy,
    simulated,
    audit,
    random: platformRandom,
    now: platformNow,
  })
  return keyBrokerApi(server, {
    limit: config.api.costlyCalls,
    clock: () => performance.now(),
    onError: (error) => log.error({ err: error }, 'a call for a part failed'),
  })
}
