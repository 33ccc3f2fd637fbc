import type { Address } from '@sealpool/crypto'
import { isReplicated } from '../blob-store/open-blob-store.js'
import type { ChainPort } from '../chain/chain-port.js'
import type { NodeConfig } from '../config/node-config.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import { replicaAudit } from '../replication/replica-audit.js'
import type { NodeLogger } from './logger.js'
import { startLoop } from './loop.js'

/** Replicas that are audited while the node runs. */
export interface AuditedReplicas {
  figures(): Readonly<Record<string, number>>
  /** Stops, and leaves the present blob for the next start: a store that is silent would hold it up. */
  stop(): Promise<void>
}

/**
 * Begins to audit the replicas of a replicated blob store, in a loop of its own: a store that is away holds up nothing else.
 * @param jobs.pools of this node, and of other homes whose jobs it has a part in: their restrictions are audited too
 * @param mayWork whether this node works now; another one of its group, or its successor, audits otherwise
 * @returns nothing to audit where the blob store is a single one
 */
export function openReplicas(
  { blobStore: settings, ingest, chain }: Pick<NodeConfig, 'blobStore' | 'ingest' | 'chain'>,
  { store, blobStore, now }: Pick<IngestContext, 'store' | 'blobStore' | 'now'>,
  jobs: { readonly chain: Pick<ChainPort, 'pool'>; readonly pools: readonly Address[] },
  log: NodeLogger,
  mayWork: () => boolean,
): AuditedReplicas {
  if (settings.kind !== 'replicated' || !isReplicated(blobStore))
    return { figures: () => ({}), stop: async () => undefined }
  const stopping = new AbortController()
  const audit = replicaAudit({
    signal: stopping.signal,
    store,
    blobStore,
    periodSeconds: settings.auditHours * 3_600,
    maximumBytes: ingest.maximumBlobBytes,
    async restrictions() {
      const pools = await Promise.all(jobs.pools.map((pool) => jobs.chain.pool(pool)))
      return pools.flatMap(({ restrictions }) => restrictions)
    },
    now,
    onFinding: (blob, states) => log.warn({ blob, states }, 'not every replica of a blob was whole'),
  })
  const round = async (): Promise<boolean> => {
    try {
      return mayWork() && (await audit.round())
    } catch (error) {
      if (stopping.signal.aborted) return false
      throw error
    }
  }
  const loop = startLoop({ name: 'replicas', pollMs: chain.pollMs, log, round })
  return {
    figures: audit.figures,
    stop() {
      stopping.abort()
      return loop.stop()
    },
  }
}
