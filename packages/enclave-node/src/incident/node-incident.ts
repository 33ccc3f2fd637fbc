/**
 * An incident as the running node lives with it: what it was ordered, stored before it counts, and what follows for its work.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import type { AuditLog } from '../audit/audit-file.js'
import type { ChainPort } from '../chain/chain-port.js'
import { inOrder } from '../chain/in-order.js'
import { NodeError } from '../errors.js'
import type { StateStore } from '../state/state-store.js'
import type { IncidentOrder, IncidentStanding } from './incident-order.js'
import {
  type FirstEpochs,
  firstEpochOf,
  type IncidentRecord,
  readFirstEpochs,
  readIncident,
  writeFirstEpochs,
  writeIncident,
} from './incident-record.js'
import { countToRewrap } from './rewrapped-header.js'

/** The node's own view of an incident. */
export interface NodeIncident {
  current(): IncidentRecord | null
  /** The first epoch of a pool whose key counts. */
  firstEpoch(pool: Address): number
  /**
   * Carries out an order; one that was carried out before changes nothing.
   * @returns how the node stands then
   * @throws NodeError `INCIDENT_NOT_OPEN` for an order that needs a notice first, `CONFIG_INVALID` for a pool that is not served or an
   * epoch that is not there
   */
  order(order: IncidentOrder): Promise<IncidentStanding>
  /** Why the node does not work now; empty without an incident. */
  reasons(): readonly string[]
}

/** What it needs. */
export interface NodeIncidentOptions {
  readonly store: StateStore
  readonly chain: Pick<ChainPort, 'pool'>
  readonly audit: Pick<AuditLog, 'write'>
  readonly node: Address
  readonly pools: readonly Address[]
  /** Rounds, jobs and jobs of other nodes that are under way. */
  readonly underWay: () => number
  /** Unix seconds. */
  readonly now: () => number
}

/** @returns the incident as it was left */
export async function openNodeIncident(options: NodeIncidentOptions): Promise<NodeIncident> {
  const { store, chain, audit, node, pools, now } = options
  const one = inOrder()
  let record = await readIncident(store)
  let kept = merged(await readFirstEpochs(store), record)
  const firstEpoch = (pool: Address): number => (Object.hasOwn(kept, pool) ? kept[pool] : undefined) ?? 1

  async function become(next: IncidentRecord | null, facts: Readonly<Record<string, string | number>>) {
    const epochs = merged(kept, next)
    await store.transaction(async (tx) => {
      await writeIncident(tx, next)
      await writeFirstEpochs(tx, epochs)
    })
    record = next
    kept = epochs
    audit.write({ event: next === null ? 'incident-ended' : 'incident', facts: { ...facts } })
  }

  function open(): IncidentRecord {
    if (record !== null) return record
    throw new NodeError('INCIDENT_NOT_OPEN', 'incident', 'there is no incident: give the notice first')
  }

  async function carryOut(order: IncidentOrder): Promise<void> {
    switch (order.order) {
      case 'look':
        return
      case 'notice': {
        const { kind } = order
        if (record?.kinds.includes(kind) === true) return
        const before = record ?? { openedAt: now(), stopped: false, epochs: {}, kinds: [] }
        return become({ ...before, kinds: [...before.kinds, kind] }, { kind, step: 'notice' })
      }
      case 'stop-work': {
        const current = open()
        if (current.stopped) return
        return become({ ...current, stopped: true }, { kind: kindsOf(current), step: 'stop-work' })
      }
      case 'rotate': {
        const { pool, from } = order
        const current = open()
        if (!pools.includes(pool))
          throw new NodeError('CONFIG_INVALID', `pools ${pool}`, 'this node does not serve the pool')
        const epoch = (await chain.pool(pool)).keyEpoch?.epoch ?? 0
        // Left already, by this node or another one.
        if (epoch > from || firstEpochOf(current, pool) > from) return
        if (epoch < from)
          throw new NodeError('CONFIG_INVALID', `epoch ${from}`, 'the chain has not come to this epoch')
        const epochs = { ...current.epochs, [pool]: from + 1 }
        return become({ ...current, epochs }, { kind: kindsOf(current), step: 'rotate', pool, from })
      }
      case 'end': {
        if (record === null) return
        return become(null, { kind: kindsOf(record), step: 'end' })
      }
    }
  }

  const standing = async (): Promise<IncidentStanding> => ({
    node,
    incident: record,
    underWay: options.underWay(),
    pools: await Promise.all(
      pools.map(async (pool) => {
        const { keyEpoch } = await chain.pool(pool)
        const own = keyEpoch !== null && keyEpoch.node === node ? keyEpoch.epoch : null
        const moves = own !== null && firstEpoch(pool) > 1
        return { pool, epoch: own, toRewrap: moves ? await countToRewrap(store, pool, own) : 0 }
      }),
    ),
  })

  return {
    current: () => record,
    firstEpoch,
    order: (order) =>
      one(async () => {
        await carryOut(order)
        return standing()
      }),
    reasons() {
      if (record === null) return []
      const { openedAt, stopped } = record
      const since = new Date(openedAt * 1000).toISOString()
      return [`incident: ${kindsOf(record)} since ${since}${stopped ? '; this node takes no work' : ''}`]
    },
  }
}

function kindsOf({ kinds }: IncidentRecord): string {
  return kinds.join(', ')
}

/** @returns the later epoch of each pool */
function merged(kept: FirstEpochs, record: IncidentRecord | null): FirstEpochs {
  const all: Record<string, number> = { ...kept }
  for (const [pool, epoch] of Object.entries(record?.epochs ?? {}))
    all[pool] = Math.max(epoch, all[pool] ?? 1)
  return all
}
