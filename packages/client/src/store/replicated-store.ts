/**
 * One blob store made of several, so that the loss of one loses nothing.
 * @module
 */
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { type BlobStore, type BlobWriteOptions, parseBlobLocator, type StoredBlob } from './blob-store.js'
import { BlobStoreError, type BlobStoreErrorCode } from './blob-store-error.js'

/** What was found of a blob in one of the stores. */
export type ReplicaState = 'good' | 'repaired' | 'missing' | 'corrupt' | 'away'

/** A blob store over several. */
export interface ReplicatedBlobStore extends BlobStore {
  /** How many stores there are. */
  readonly replicas: number
  /**
   * Reads a blob from every store, and writes it anew where it is missing or altered and another store has it whole. Takes turns with
   * {@link BlobStore.remove} of the same blob, so that what is removed stays removed.
   * @param options - `isNeeded`: asked right before anything is written; `maximumBytes` and `signal` as of `get`
   * @returns what was found in each store, in their order; `repaired` where it was written anew, `missing` or `corrupt` where no store has it
   *   whole or writing failed, `away` where the store did not answer
   * @throws BlobStoreError `BLOB_LOCATOR_INVALID`; the signal's reason
   */
  audit(
    locator: string,
    options?: {
      readonly isNeeded?: () => Promise<boolean>
      readonly maximumBytes?: number
      readonly signal?: AbortSignal
    },
  ): Promise<readonly ReplicaState[]>
}

/**
 * A blob store over several stores. A write is done when `writeQuorum` of them have taken it; the others go on behind it. A read asks one
 * after the other until one has the bytes that the digest names; a store that is silent for `patienceMs` is not waited for alone. A removal is
 * done when every store has removed. A part of a blob cannot be checked, so that the first store that has the blob gives it. An audit waits no
 * longer than `patienceMs` for a store that was silent in the one before.
 *
 * A store that was silent at a read is asked last for `silenceMs`, so that one that stands still costs the patience once and not at every
 * read; it is asked all the same where no other store has the blob, and by every audit.
 *
 * @param options - `stores`: two to eight, the one that is asked first first; `writeQuorum`: how many must have taken a write, 1 to all of
 *   them, default all; `patienceMs`: default 2,000; `silenceMs`: default 60,000, 0 for never; `clock`: milliseconds that only go forward
 * @returns the store
 * @throws BlobStoreError `BLOB_STORE_FAILED` for settings that cannot be
 */
export function replicatedBlobStore(options: {
  readonly stores: readonly BlobStore[]
  readonly writeQuorum?: number
  readonly patienceMs?: number
  readonly silenceMs?: number
  readonly clock?: () => number
}): ReplicatedBlobStore {
  const stores = [...options.stores]
  const { writeQuorum = stores.length, patienceMs = 2_000, silenceMs = 60_000 } = options
  requireSettings(stores, { writeQuorum, patienceMs, silenceMs })
  const turns = turnsByDigest()
  const silence = silentStores(silenceMs, options.clock ?? (() => performance.now()))
  /** Places of stores that did not answer the last audit that asked them. */
  const quiet = new Set<number>()

  /** Asks one store after the other, the next one also when the last is silent. */
  function first<Result>(
    digest: Digest,
    signal: AbortSignal | undefined,
    ask: (store: BlobStore, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted()
    const enough = new AbortController()
    const both = signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal])
    const codes: BlobStoreErrorCode[] = []
    const order = silence.inOrder(stores)
    return new Promise<Result>((resolve, reject) => {
      let asked = 0
      let answered = 0
      let timer: ReturnType<typeof setTimeout> | undefined
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        settle()
        enough.abort()
      }
      const next = (): void => {
        clearTimeout(timer)
        const store = order[asked]
        if (store === undefined) return
        asked += 1
        let quick = true
        timer = setTimeout(() => {
          quick = false
          silence.note(store)
          next()
        }, patienceMs)
        ask(store, both).then(
          (result) => {
            if (quick) silence.forget(store)
            end(() => resolve(result))
          },
          (error: unknown) => {
            answered += 1
            if (quick && !both.aborted) silence.forget(store)
            if (signal?.aborted === true || !(error instanceof BlobStoreError))
              return end(() => reject(error))
            codes.push(error.code)
            if (answered === stores.length) return end(() => reject(worst(digest, codes)))
            next()
          },
        )
      }
      next()
    })
  }

  return {
    name: 'replicated',
    replicas: stores.length,
    async put(bytes, write = {}) {
      write.signal?.throwIfAborted()
      // Later changes of the caller's bytes must reach none of the stores.
      const own = bytes.slice()
      return new Promise<StoredBlob>((resolve, reject) => {
        void turns.take(sha256Digest(own), async () => {
          const writes = stores.map(async (store) => store.put(own, write))
          quorumOf(writes, writeQuorum, write).then(resolve, reject)
          await Promise.allSettled(writes)
        })
      })
    },
    async get(locator, read = {}) {
      const { digest } = parseBlobLocator(locator)
      return first(digest, read.signal, (store, signal) => store.get(locator, { ...read, signal }))
    },
    async getRange(locator, range) {
      const { digest } = parseBlobLocator(locator)
      // What cannot be asked of the first is told as it tells it: no other store would say otherwise.
      return first(digest, range.signal, (store, signal) => store.getRange(locator, { ...range, signal }))
    },
    async remove(locator, write = {}) {
      const { digest } = parseBlobLocator(locator)
      write.signal?.throwIfAborted()
      await turns.take(digest, async () => {
        const done = await Promise.allSettled(stores.map(async (store) => store.remove(locator, write)))
        write.signal?.throwIfAborted()
        const left = done.flatMap(({ status }, place) => (status === 'rejected' ? [`${place + 1}`] : []))
        if (left.length === 0) return
        throw new BlobStoreError(
          'BLOB_STORE_FAILED',
          digest,
          `the stores ${left.join(', ')} of ${stores.length} did not remove it, the others did; remove it again`,
          { cause: done.find((one) => one.status === 'rejected')?.reason },
        )
      })
    },
    async audit(locator, { isNeeded, maximumBytes, signal } = {}) {
      const { digest } = parseBlobLocator(locator)
      const read = {
        ...(maximumBytes === undefined ? {} : { maximumBytes }),
        ...(signal === undefined ? {} : { signal }),
      }
      return turns.take(digest, async () => {
        let whole: Uint8Array | undefined
        const states: ReplicaState[] = []
        // One after the other: of a blob no more than two copies are in memory.
        for (const [place, store] of stores.entries()) {
          try {
            if (quiet.has(place)) await requireAnswer(store, locator, { signal, patienceMs })
            whole = await store.get(locator, read)
            states.push('good')
          } catch (error) {
            signal?.throwIfAborted()
            states.push(stateOf(error))
          }
          if (states[place] === 'away') quiet.add(place)
          else quiet.delete(place)
        }
        const bytes = whole
        if (bytes === undefined || states.every((state) => state === 'good' || state === 'away'))
          return states
        if (isNeeded !== undefined && !(await isNeeded())) return states
        for (const [place, store] of stores.entries()) {
          if (states[place] !== 'missing' && states[place] !== 'corrupt') continue
          try {
            await store.put(bytes, signal === undefined ? {} : { signal })
            states[place] = 'repaired'
          } catch (error) {
            signal?.throwIfAborted()
            if (!(error instanceof BlobStoreError)) throw error
          }
        }
        return states
      })
    },
  }
}

/**
 * Sees to it that a store answers at all. Else one that is silent would be waited for at every blob, and a round over all of them take many times
 * the time in which it is to mend what the other stores lost.
 */
async function requireAnswer(
  store: BlobStore,
  locator: string,
  { signal, patienceMs }: { readonly signal: AbortSignal | undefined; readonly patienceMs: number },
): Promise<void> {
  const enough = AbortSignal.timeout(patienceMs)
  const both = signal === undefined ? enough : AbortSignal.any([signal, enough])
  try {
    await store.getRange(locator, { start: 0, length: 1, signal: both })
  } catch (cause) {
    signal?.throwIfAborted()
    if (!enough.aborted || cause instanceof BlobStoreError) throw cause
    throw new BlobStoreError('BLOB_STORE_FAILED', 'replica', 'it does not answer in time', { cause })
  }
}

/** Who was silent, and until when that counts. */
function silentStores(silenceMs: number, clock: () => number) {
  const until = new Map<BlobStore, number>()
  const isSilent = (store: BlobStore, at: number): boolean => (until.get(store) ?? at) > at
  return {
    /** Those that were silent last, each part in the order of the settings. */
    inOrder(stores: readonly BlobStore[]): readonly BlobStore[] {
      const at = clock()
      return [
        ...stores.filter((store) => !isSilent(store, at)),
        ...stores.filter((store) => isSilent(store, at)),
      ]
    },
    note: (store: BlobStore): void => void until.set(store, clock() + silenceMs),
    forget: (store: BlobStore): void => void until.delete(store),
  }
}

function requireSettings(
  stores: readonly BlobStore[],
  settings: { readonly writeQuorum: number; readonly patienceMs: number; readonly silenceMs: number },
): void {
  const { writeQuorum, patienceMs, silenceMs } = settings
  const fine =
    stores.length >= 2 &&
    stores.length <= 8 &&
    Number.isInteger(writeQuorum) &&
    writeQuorum >= 1 &&
    writeQuorum <= stores.length &&
    Number.isSafeInteger(patienceMs) &&
    patienceMs >= 1 &&
    patienceMs <= 600_000 &&
    Number.isSafeInteger(silenceMs) &&
    silenceMs >= 0 &&
    silenceMs <= 86_400_000
  if (fine) return
  throw new BlobStoreError(
    'BLOB_STORE_FAILED',
    'settings',
    'give two to eight stores, a writeQuorum of 1 to all of them, a patienceMs of 1 to 600,000, and a silenceMs of 0 to 86,400,000',
  )
}

/**
 * What is told when no store has the blob: a store that may have it and does not answer comes first, since only that may pass when it is tried
 * again; that it is missing is told when every store says so.
 */
const gravity: readonly BlobStoreErrorCode[] = [
  'BLOB_RANGE_INVALID',
  'BLOB_STORE_FAILED',
  'BLOB_TOO_LARGE',
  'BLOB_DIGEST_MISMATCH',
  'BLOB_MISSING',
]

function worst(digest: Digest, codes: readonly BlobStoreErrorCode[]): BlobStoreError {
  const code = gravity.find((one) => codes.includes(one)) ?? 'BLOB_STORE_FAILED'
  return new BlobStoreError(code, digest, `none of the stores gave it: ${codes.join(', ')}`)
}

function stateOf(error: unknown): ReplicaState {
  if (!(error instanceof BlobStoreError)) throw error
  if (error.code === 'BLOB_MISSING') return 'missing'
  return error.code === 'BLOB_DIGEST_MISMATCH' || error.code === 'BLOB_TOO_LARGE' ? 'corrupt' : 'away'
}

/** Done when enough have; failed when enough cannot any more. */
function quorumOf(
  writes: readonly Promise<StoredBlob>[],
  quorum: number,
  { signal }: BlobWriteOptions,
): Promise<StoredBlob> {
  return new Promise((resolve, reject) => {
    let [taken, failed] = [0, 0]
    for (const write of writes) {
      write.then(
        (stored) => {
          taken += 1
          if (taken === quorum) resolve(stored)
        },
        (error: unknown) => {
          failed += 1
          if (failed !== writes.length - quorum + 1) return
          reject(
            signal?.aborted === true || !(error instanceof BlobStoreError) ? error : tooFew(error, quorum),
          )
        },
      )
    }
  })
}

function tooFew(cause: BlobStoreError, quorum: number): BlobStoreError {
  return new BlobStoreError(
    cause.code,
    cause.place,
    `fewer than ${quorum} of the stores took it; some may have it`,
    { cause },
  )
}

/** Work on one blob, one after the other. */
function turnsByDigest() {
  const last = new Map<Digest, Promise<unknown>>()
  return {
    take<Result>(digest: Digest, act: () => Promise<Result>): Promise<Result> {
      const before = last.get(digest)
      const work = before === undefined ? act() : before.then(act)
      const done = Promise.allSettled([work]).then(() => {
        if (last.get(digest) === done) last.delete(digest)
      })
      last.set(digest, done)
      return work
    },
  }
}
