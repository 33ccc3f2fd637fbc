/**
 * Looks regularly whether every replica of every needed blob is there and whole, and mends what is not.
 * @module
 */
import type { ReplicaState, ReplicatedBlobStore } from '@sealpool/client'
import type { Digest } from '@sealpool/crypto'
import { isCopyNeeded } from '../state/expired-rows.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import { countNeededBlobs, nextNeededBlob } from '../state/needed-blobs.js'
import type { StateStore } from '../state/state-store.js'

/** What an audit works with. */
export interface ReplicaAuditOptions {
  readonly store: StateStore
  readonly blobStore: ReplicatedBlobStore
  /** Within how many seconds a replica that was lost is there again, where another one is whole. */
  readonly periodSeconds: number
  /** Largest blob in bytes. */
  readonly maximumBytes: number
  /** Unix seconds. */
  readonly now: () => number
  /** Told of every blob of which not each store has a whole copy, after what could be mended was. */
  readonly onFinding: (digest: Digest, states: readonly ReplicaState[]) => void
  /** Cuts off the round that is under way, which then fails with its reason. */
  readonly signal?: AbortSignal
}

/** Audits, blob by blob. */
export interface ReplicaAudit {
  /**
   * Audits the next blob when its time has come. Whatever cuts it off, the next call goes on there, also after a restart.
   * @returns whether one was audited, so that the next may be due too
   */
  round(): Promise<boolean>
  figures(): Readonly<Record<string, number>>
}

/** Where the pass is, in the state. */
const passKey = 'replica-audit'

/** One pass over all blobs. */
interface Pass {
  readonly begun: number
  /** Blobs at its beginning: they are spread over its time. */
  readonly total: number
  readonly done: number
  /** Digest of the last one; null: the pass is over. */
  readonly after: string | null
}

/**
 * Makes an audit. A pass over all blobs takes half of the period and the next one begins with the other half, so that each blob is looked at
 * twice in a period: what is lost right after a look is found by the next.
 */
export function replicaAudit(options: ReplicaAuditOptions): ReplicaAudit {
  const { store, blobStore, maximumBytes, now, onFinding, signal } = options
  const passSeconds = Math.max(1, Math.floor(options.periodSeconds / 2))
  let pass: Pass | undefined
  let repaired = 0
  let damaged = 0
  let lost = 0
  let finished = 0

  const begin = async (): Promise<Pass> => ({
    begun: now(),
    total: await countNeededBlobs(store),
    done: 0,
    after: '',
  })

  /** The pass that is under way, kept from before a restart, or a new one when its time has come. */
  const present = async (): Promise<Pass> => {
    const kept = pass ?? readPass(await getMeta(store, passKey))
    const at = now()
    // A clock that was set back would put off the next look for as long.
    if (kept === undefined || at < kept.begun) return begin()
    return kept.after === null && at >= kept.begun + passSeconds ? begin() : kept
  }

  const keep = async (next: Pass): Promise<void> => {
    await setMeta(store, passKey, JSON.stringify(next))
    pass = next
  }

  const note = (digest: Digest, states: readonly ReplicaState[]): void => {
    repaired += states.filter((state) => state === 'repaired').length
    if (states.every((state) => state === 'good')) return
    damaged += 1
    if (states.every((state) => state === 'missing' || state === 'corrupt')) lost += 1
    onFinding(digest, states)
  }

  return {
    async round() {
      const current = await present()
      if (current.after === null) return false
      const due = Math.ceil((current.total * (now() - current.begun + 1)) / passSeconds)
      if (current.done < current.total && current.done >= due) {
        pass = current
        return false
      }
      if (current.done === 0) [damaged, lost] = [0, 0]
      const digest = await nextNeededBlob(store, current.after)
      if (digest === undefined) {
        finished = now()
        await keep({ ...current, after: null })
        return false
      }
      const isNeeded = (): Promise<boolean> => isCopyNeeded(store, digest)
      const of = { isNeeded, maximumBytes, ...(signal === undefined ? {} : { signal }) }
      note(digest, await blobStore.audit(digest, of))
      await keep({ ...current, done: current.done + 1, after: digest })
      return true
    },
    figures: () => ({
      replicas: blobStore.replicas,
      replicas_repaired: repaired,
      replicas_damaged: damaged,
      replicas_lost: lost,
      replicas_audited_at: finished,
    }),
  }
}

/** What the state says is no more than a place: anything odd begins anew. */
function readPass(text: string | undefined): Pass | undefined {
  if (text === undefined) return undefined
  const { begun, total, done, after } = (JSON.parse(text) ?? {}) as Partial<Pass>
  const numbers = [begun, total, done].every((value) => typeof value === 'number' && Number.isFinite(value))
  return numbers && (after === null || typeof after === 'string')
    ? { begun: begun ?? 0, total: total ?? 0, done: done ?? 0, after }
    : undefined
}
