/**
 * How the working database stood after some commit, in one file beside the state: a start reads that file, and of the rows those alone
 * that were written since. It is a copy and decides nothing: what the sealed head says of all rows holds, and an image that does not
 * come to it with the rows since, or is damaged, another node's or another release's, only costs the time of reading all rows.
 * @module
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { captureForm } from './change-capture.js'
import { type KnownRows, parseKnownRows } from './known-rows.js'
import { memoryPool } from './memory-room.js'
import { type MemoryStore, openMemoryStore } from './pglite-store.js'
import type { PiecePool } from './piece-pool.js'
import {
  readSealedArchive,
  removeSealedArchive,
  type WrittenFile,
  writeSealedArchive,
  writtenFile,
} from './sealed-archive.js'
import { pgliteRelease } from './working-template.js'

/** Name of the file in the data folder. */
export const memoryImageFile = 'memory-image'
/** Of a larger database none is kept: reading it would take the node's memory twice. */
const mostImageBytes = 512_000_000

/** Which state an image is of. */
export interface ImagedState {
  /** Random bytes of the sealed store. */
  readonly store: Uint8Array
  /** Number of the last commit that is in it. */
  readonly version: number
}

/** A working database that stands as it stood. */
export interface MemoryImage extends ImagedState {
  readonly working: MemoryStore
  readonly known: KnownRows
}

/** What an image is made of, taken at one moment. */
export interface TakenImage extends ImagedState {
  /** The known rows, as bytes. */
  readonly known: Uint8Array
  readonly files: readonly WrittenFile[]
}

/** Where the image is kept. */
export interface MemoryImages {
  /** @returns the image, opened; undefined when there is none that can be used */
  load(): Promise<MemoryImage | undefined>
  /**
   * Keeps an image in the place of the one that is there.
   * @param wanted asked until it lies there
   * @returns whether it does: not when it is too large, or not wanted any more
   */
  keep(image: TakenImage, wanted: () => boolean): Promise<boolean>
  /** Takes the image away, and one that is being written once it is not wanted any more. */
  remove(): void
}

/**
 * The image of a folder.
 * @param options `key`: 32 secret bytes of the node; `random`: what no two images have in common
 */
export function memoryImages(options: {
  readonly directory: string
  readonly key: Uint8Array
  readonly random: (length: number) => Uint8Array
  /** Of the image. */
  readonly mostBytes?: number
  /** Keeps the files of one that is opened; as for any database of the node when absent. */
  readonly pool?: () => PiecePool
}): MemoryImages {
  const { directory, key, random, mostBytes = mostImageBytes } = options
  const pool = options.pool ?? (() => memoryPool({ directory, random }))
  const path = join(directory, memoryImageFile)
  const release = pgliteRelease()
  const place = { path, key, about: aboutImages(release) }
  return {
    async load() {
      if (release === undefined) return undefined
      const [head, known, ...files] = readSealedArchive(place, mostBytes) ?? []
      if (head === undefined || known === undefined) return undefined
      const { store, version } = JSON.parse(Buffer.from(head.bytes).toString('utf8')) as {
        readonly store: string
        readonly version: number
      }
      return {
        store: Uint8Array.from(Buffer.from(store, 'hex')),
        version,
        known: parseKnownRows(known.bytes),
        working: await openMemoryStore(files, pool()),
      }
    },
    async keep({ store, version, known, files }, wanted) {
      const bytes = files.reduce((sum, file) => sum + file.size, known.length)
      if (release === undefined || bytes > mostBytes) return false
      const head = Buffer.from(JSON.stringify({ store: Buffer.from(store).toString('hex'), version }))
      return writeSealedArchive(
        place,
        [writtenFile({ path: 'head', bytes: head }), writtenFile({ path: 'known', bytes: known }), ...files],
        { random, wanted },
      )
    },
    remove: () => removeSealedArchive(path),
  }
}

/** @returns what images are of: files of a release of PGlite, in which changes are noted as here */
export function aboutImages(release = pgliteRelease()): string {
  const form = createHash('sha256').update(captureForm).digest('hex')
  return `sealpool/memory-image/2 ${release ?? ''} ${form}`
}
