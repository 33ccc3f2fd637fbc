/**
 * Opens both sides of jobs over pools of several homes, when the settings name other homes.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { digestOf, type JsonValue } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import type { NodeConfig } from '../config/node-config.js'
import { homeFinder } from '../federation/find-home.js'
import { openFederation } from '../federation/gather-shares.js'
import { type ServeShareOptions, type ShareServer, serveShares } from '../federation/serve-share.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { attestPeer } from '../peer/attest-peer.js'
import { openPeer } from '../peer/call-peer.js'
import type { NodeLogger } from './logger.js'
import { requireAccessRules } from './serve-pools.js'

/** Milliseconds that another home may take for one call: it may compute its share in it. */
const peerTimeoutMs = 120_000

/**
 * @param work whether this node may work now, its places for jobs, in which shares are computed too, and its log of refusals
 * @returns what jobs work with, the other homes included; and what other homes may ask, if the settings say so
 * @throws PrivacyError for a policy of another home that is none; NodeError `CONFIG_POOL_MISMATCH` for access rules of one
 */
export function openFederationOf(
  config: NodeConfig,
  job: JobContext,
  log: NodeLogger,
  work: Pick<ServeShareOptions, 'mayWork' | 'place' | 'audit'>,
): { readonly job: JobContext; readonly shares: ShareServer | undefined } {
  const { federation } = config
  if (federation === null) return { job, shares: undefined }
  const { chain, keys, evidence, random, now } = job
  const pools = new Map<Address, PlannablePool>(
    federation.pools.map(({ address, policy: text }) => {
      const policy = parsePoolPolicy(text)
      requireAccessRules(address, policy)
      return [address, { address, name: policy.name, policy, policyDigest: digestOf(text as JsonValue) }]
    }),
  )
  const peers = { random, now, timeoutMs: peerTimeoutMs }
  const attest = homeFinder({
    nodes: federation.nodes,
    attest: (url, evidencePolicy) =>
      attestPeer({ ...peers, url, chain, evidencePolicy, simulated: evidence.simulated }),
    now,
  })
  const onError = (error: unknown) => log.warn({ err: error }, 'a job over pools of several homes waits')
  const shared: JobContext = {
    ...job,
    federation: openFederation({
      ...job,
      pools,
      patienceSeconds: federation.patienceSeconds,
      heartbeatSeconds: config.chain.heartbeatSeconds,
      attest,
      call: (peer) => openPeer(peer, { ...peers, chainId: chain.chainId, statementKey: keys.statementKey }),
      onError,
    }),
  }
  return { job: shared, shares: serveShares({ job: shared, attest, ...work, onError }) }
}
