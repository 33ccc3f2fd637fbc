/**
 * Looks regularly whether every replica of every needed blob is there and whole, and mends what is not: sealed files of contributions,
 * manifests of paid jobs, and the documents of restrictions, without which a pool's jobs wait.
 * @module
 */
import type { ReplicaState, ReplicatedBlobStore } from '@sealpool/client'
import type { Digest } from '@sealpool/crypto'
import { maximumManifestBytes } from '../job/load-manifest.js'
import { maximumRestrictionBytes } from '../policy/narrowed-pools.js'
import { isCopyNeeded } from '../state/expired-rows.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import { countNeededBlobs, isManifestNeeded, nextNeededBlob, noContributions } from '../state/needed-blobs.js'
import type { StateStore } from '../state/state-store.js'

/** What an audit works with. */
export interface ReplicaAuditOptions {
  readonly store: StateStore
  readonly blobStore: ReplicatedBlobStore
  /** Within how many seconds a replica that was lost is there again, where another one is whole. */
  readonly periodSeconds: number
  /** Largest sealed file in bytes. */
  readonly maximumBytes: number
  /** Digests of the restrictions that the chain shows of the pools of this node's jobs now. */
  readonly restrictions: () => Promise<readonly Digest[]>
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

/** Seconds between two looks at the restrictions on the chain. */
const restrictionSeconds = 600

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
  let restrictions: readonly Digest[] = []
  let restrictionsAt: number | undefined

  /** A chain that does not answer holds up no sealed file: what it said last counts until it does. */
  const readRestrictions = async (): Promise<readonly Digest[]> => {
    const at = now()
    if (restrictionsAt !== undefined && Math.abs(at - restrictionsAt) < restrictionSeconds)
      return restrictions
    restrictionsAt = at
    const read = await options.restrictions().catch(() => undefined)
    if (read !== undefined) restrictions = (await noContributions(store, [...new Set(read)])).toSorted()
    return restrictions
  }

  /** The needed blob after another one by digest. */
  const nextAfter = async (after: string): Promise<Digest | undefined> => {
    const [stored, restriction] = [
      await nextNeededBlob(store, after),
      (await readRestrictions()).find((digest) => digest > after),
    ]
    if (stored === undefined || restriction === undefined) return stored ?? restriction
    return stored < restriction ? stored : restriction
  }

  /** Largest size of a blob that is needed; undefined when nothing needs it. */
  const neededBytes = async (digest: Digest): Promise<number | undefined> => {
    if (await isCopyNeeded(store, digest)) return maximumBytes
    if (await isManifestNeeded(store, digest)) return maximumManifestBytes
    return restrictions.includes(digest) ? maximumRestrictionBytes : undefined
  }

  const begin = async (): Promise<Pass> => ({
    begun: now(),
    total: (await countNeededBlobs(store)) + (await readRestrictions()).length,
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
      const digest = await nextAfter(current.after)
      if (digest === undefined) {
        finished = now()
        await keep({ ...current, after: null })
        return false
      }
      const isNeeded = async (): Promise<boolean> => (await neededBytes(digest)) !== undefined
      const most = await neededBytes(digest)
      if (most !== undefined) {
        const of = { isNeeded, maximumBytes: most, ...(signal === undefined ? {} : { signal }) }
        note(digest, await blobStore.audit(digest, of))
      }
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
  const numbers = [begun, total, done].every((value) => Number.isFinite(value))
  return numbers && (after === null || typeof after === 'string')
    ? { begun: begun ?? 0, total: total ?? 0, done: done ?? 0, after }
    : undefined
}
