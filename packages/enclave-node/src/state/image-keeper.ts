/**
 * Keeps the image of the memory no further behind than a start can make up for, and takes it away before rows are destroyed that it
 * holds.
 * @module
 */
import { forgetGoneRows } from './gone-rows.js'
import { countOfRows, type KnownRows, knownRowsBytes } from './known-rows.js'
import type { MemoryImages } from './memory-image.js'
import type { MemoryStore } from './pglite-store.js'
import type { StateStore } from './state-store.js'

/** How many rows make an image worth its while. */
export interface ImagePace {
  /** Rows of the state from which on one is kept: fewer are read as fast. */
  readonly rows: number
  /** Changed rows after which another one is taken, where there is one; more in a large state, so that what it costs stays the same for each. */
  readonly changes: number
  /** Changed rows after which one is taken where there is none. */
  readonly changesWithout: number
  /** Changed rows for which a stop in good order takes another one. */
  readonly changesAtStop: number
}

/** A start reads 10,000 rows in a second. */
const imagePace: ImagePace = {
  rows: 10_000,
  changes: 10_000,
  changesWithout: 5_000,
  changesAtStop: 1_000,
}
/** Of a large state this share is written anew before another image is taken. */
const changedShare = 1 / 8

/** What an image is taken of. */
interface ImagedStore {
  readonly images: MemoryImages
  readonly durable: StateStore
  readonly working: MemoryStore
  readonly store: Uint8Array
  readonly known: KnownRows
  readonly version: () => number
  /** Whether the memory still is what lasts. */
  readonly sound: () => boolean
}

/** Keeps an image. */
export interface ImageKeeper {
  /** Whether rows that go must be noted: there is an image that they are in. */
  follows(): boolean
  /** To be called before rows are destroyed: the image that holds them is away when it returns. */
  forget(): void
  /** Counts what a commit wrote and takes an image when one is due, after the commits that come meanwhile. */
  committed(rows: number): void
  /** Takes a last image when many rows were changed since. Nothing may be written afterwards. */
  close(): Promise<void>
}

/**
 * Begins to keep an image.
 * @param options `since`: rows changed since the image that lies there, or undefined when there is none; `onError`: told when one was not written
 */
export function imageKeeper(
  { images, durable, working, store, known, version, sound }: ImagedStore,
  options: {
    readonly since: number | undefined
    readonly pace?: ImagePace
    readonly onError?: (error: unknown) => void
  },
): ImageKeeper {
  const { pace = imagePace, onError = () => undefined } = options
  /** Whether an image lies there, or is being written. */
  let lies = options.since !== undefined
  // A start without one has taken its time: the next one shall not. Not at once, though, while the node still starts.
  let since = options.since ?? pace.changesWithout - pace.changesAtStop
  let forgotten = 0
  let writing: Promise<void> | undefined
  let tooLarge = false

  const due = (stopping: boolean): boolean => {
    const rows = countOfRows(known)
    if (tooLarge || !sound() || rows < pace.rows) return false
    if (!lies) return stopping || since >= pace.changesWithout
    return since >= (stopping ? pace.changesAtStop : Math.max(pace.changes, rows * changedShare))
  }

  const take = async (): Promise<void> => {
    const began = forgotten
    const wanted = (): boolean => forgotten === began
    since = 0
    try {
      const { files, release, at } = await working.snapshot(() => {
        // What goes from here on is in this image.
        if (wanted()) lies = true
        return { version: version(), known: knownRowsBytes(known) }
      })
      let kept = false
      try {
        if (!sound() || !wanted()) return
        kept = await images.keep({ store, ...at, files }, wanted)
      } finally {
        release()
      }
      if (kept) return await forgetGoneRows(durable, at.version)
      tooLarge = wanted()
    } catch (error) {
      onError(error)
    }
    if (!wanted()) return
    // An old one as well: what is noted for it would grow and grow.
    drop()
    await forgetGoneRows(durable).catch(onError)
  }

  const drop = (): void => {
    forgotten += 1
    lies = false
    images.remove()
  }

  return {
    follows: () => lies,
    forget() {
      drop()
      since = 0
    },
    committed(rows) {
      since += rows
      if (writing !== undefined || !due(false)) return
      writing = take().finally(() => {
        writing = undefined
      })
    },
    async close() {
      await writing
      if (due(true)) await take()
    },
  }
}
