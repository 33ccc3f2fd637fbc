/**
 * Keys that are made for one job alone. They lie in memory and nowhere else, so that what lay on a disk or on a line under one of
 * them opens for nobody, this node with its root and its state included, once the key is destroyed or the process is gone.
 * @module
 */
import type { DestroyedKey } from '@sealpool/attest'
import { canonicalBytes, type Digest } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'

/** What a job's key is for; that of a sealed result is drawn, and overwritten, where it is sealed. */
export type JobKeyUse = Exclude<DestroyedKey['use'], 'result'>

/** A key of one job. */
export interface JobKey {
  readonly job: string
  readonly use: JobKeyUse
  /**
   * HMAC-SHA-256 of job and use under the key itself, written as a digest: whoever has the key can tell that it is this one, and
   * nobody learns anything of it, since it is 32 random bytes.
   */
  readonly id: Digest
  /** 32 bytes; zeros once it is destroyed. */
  readonly bytes: Uint8Array
}

/** The keys of jobs. */
export interface JobKeys {
  /** Makes a key. */
  draw(job: string, use: JobKeyUse): JobKey
  /** @returns a key that is not destroyed */
  find(job: string, id: Digest): JobKey | undefined
  /** Overwrites one. */
  destroy(key: JobKey): void
  /**
   * Overwrites all keys of a job, or those for one use.
   * @returns every key that was destroyed of the job by then, the last 200 where there are more
   */
  end(job: string, use?: JobKeyUse): readonly DestroyedKey[]
  /** Overwrites what is left of a job, and forgets that it had keys. */
  forget(job: string): void
}

const keyBytes = 32
/** As many as a receipt names beside those of results; a job that is begun anew for longer has its last ones named. */
const mostOfJob = 200
/** Jobs of which ids are remembered although nobody has asked for their receipt. */
const mostJobs = 1_000

/**
 * Makes an empty set: what an earlier process had is gone with it.
 * @param random a CSPRNG; what it gives is overwritten
 */
export function jobKeys(random: (length: number) => Uint8Array): JobKeys {
  const all = new Map<string, { readonly held: Map<Digest, JobKey>; destroyed: readonly DestroyedKey[] }>()

  const destroy = ({ job, use, id, bytes }: JobKey): void => {
    bytes.fill(0)
    const keys = all.get(job)
    if (keys?.held.delete(id) !== true) return
    keys.destroyed = [...keys.destroyed, { use, id }].slice(-mostOfJob)
  }
  const end = (job: string, use?: JobKeyUse): readonly DestroyedKey[] => {
    const keys = all.get(job)
    for (const key of keys?.held.values() ?? []) if (use === undefined || key.use === use) destroy(key)
    return keys?.destroyed ?? []
  }

  return {
    draw(job, use) {
      // The very bytes that were drawn: no copy of them is left behind.
      const bytes = random(keyBytes)
      const data = canonicalBytes({ job, use })
      const id: Digest = `sha256:${keyedFingerprint({ key: bytes, domain: 'sealpool/job-key/1', data })}`
      const keys = all.get(job) ?? { held: new Map<Digest, JobKey>(), destroyed: [] }
      all.set(job, keys)
      const key = { job, use, id, bytes }
      keys.held.set(id, key)
      for (const [name, { held }] of all) {
        if (all.size <= mostJobs) break
        if (held.size === 0) all.delete(name)
      }
      return key
    },
    find: (job, id) => all.get(job)?.held.get(id),
    destroy,
    end,
    forget(job) {
      end(job)
      all.delete(job)
    },
  }
}
