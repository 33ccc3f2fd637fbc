/**
 * Wires the catalogue, and keeps it fresh.
 * @module
 */
import type { Address, Hex } from '@sealpool/crypto'
import { type NodeCatalogue, nodeCatalogue } from '../catalogue/node-catalogue.js'
import type { ChainPort } from '../chain/chain-port.js'
import { isListed } from '../chain/is-listed.js'
import type { NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import type { ServedPool } from '../ingest/served-pool.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import type { NodeSigner } from '../key/node-signer.js'
import { attestPeer } from '../peer/attest-peer.js'
import { openPeer } from '../peer/call-peer.js'
import { platformNow, platformRandom } from '../platform.js'
import { refinedContributions } from '../state/contribution-table.js'
import type { StateStore } from '../state/state-store.js'
import type { NodeLogger } from './logger.js'
import { type Loop, startLoop } from './loop.js'

/** Milliseconds for one answer of a peer. */
const peerTimeoutMs = 15_000
/** Milliseconds between two looks whether a refresh is due. */
const lookMs = 1_000

/** What it is wired of. */
export interface CatalogueParts {
  readonly config: NodeConfig
  readonly store: StateStore
  readonly chain: ChainPort
  readonly keys: NodeKeyRing
  readonly sign: NodeSigner
  readonly pools: ReadonlyMap<Address, ServedPool>
  readonly measurement: Hex
  readonly simulated: boolean
  readonly url: () => string
  /** True once the keys are with a successor, which lists their pools. */
  readonly moved: () => boolean
  readonly log: NodeLogger
}

/** @returns the catalogue, empty until `start` was called; `start` keeps it fresh until its loop is stopped */
export function openCatalogue(
  parts: CatalogueParts,
): NodeCatalogue & { start(epochOf: (pool: Address) => number | undefined): Loop } {
  const { config, store, chain, keys, sign, pools, measurement, simulated, url, moved, log } = parts
  const { nodes, refreshSeconds, maximumEntries } = config.catalogue
  let epochOf: (pool: Address) => number | undefined = () => undefined
  const ports = {
    chainId: chain.chainId,
    statementKey: keys.statementKey,
    random: platformRandom,
    now: platformNow,
    timeoutMs: peerTimeoutMs,
  }
  const catalogue = nodeCatalogue({
    chain,
    sign,
    node: keys.statementAddress,
    url,
    measurement,
    simulated,
    pools,
    epochOf: (pool) => epochOf(pool),
    refinedOf: (pool) => refinedContributions(store, pool),
    isListed: async () => !moved() && (await isListed(chain, keys)),
    peers: nodes,
    async attest(peer) {
      if (config.peers === null)
        throw new NodeError('CONFIG_INVALID', 'peers', 'there are no rules for peers')
      const { evidencePolicy } = config.peers
      return attestPeer({ ...ports, url: peer, chain, evidencePolicy, simulated })
    },
    lineTo: (peer) => openPeer(peer, ports),
    maximumEntries,
    now: platformNow,
    log,
  })
  return {
    ...catalogue,
    start(epochs) {
      epochOf = epochs
      let seen = ''
      let due = 0
      return startLoop({
        name: 'catalogue',
        pollMs: lookMs,
        log,
        async round() {
          // A key that came or went is shown at once, the rest in its turn.
          const now = platformNow()
          const keys_ = JSON.stringify([...pools.keys()].map((pool) => epochs(pool) ?? null))
          if (keys_ === seen && now < due) return false
          await catalogue.refresh()
          seen = keys_
          due = now + refreshSeconds
          return false
        },
      })
    },
  }
}
