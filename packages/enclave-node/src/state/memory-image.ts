/**
 * The working database as it stood when the node was stopped, in one file beside the state: a start on it takes the time of reading
 * a file, where otherwise each row is opened and put in again. It is encrypted and authenticated for exactly one state of the store
 * that lasts, which alone says what holds: an image of any other state, of another node or another release of PGlite is not used, and
 * the rows are read. It lies there only while the node is stopped.
 * @module
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedPostgres } from './embedded-postgres.js'
import { type KnownRows, knownRowsText, parseKnownRows } from './known-rows.js'
import { type EmbeddedStore, pgliteStore } from './pglite-store.js'
import { pgliteRelease } from './working-template.js'

/** Name of the file in the data folder. */
export const memoryImageFile = 'memory-image'
/** Of a larger database none is kept: writing and reading it would take the node's memory twice. */
const mostImageBytes = 512_000_000

const nonceBytes = 12
const tagBytes = 16
const lengthBytes = 4

/** Which state an image is of. */
export interface ImagedState {
  readonly store: Uint8Array
  /** Number of the last commit. */
  readonly version: number
  /** What its head says of all rows together. */
  readonly rows: string
}

/** A working database that stands as it stood. */
export interface MemoryImage {
  readonly working: EmbeddedStore
  readonly known: KnownRows
}

/** Where images are kept. */
export interface MemoryImages {
  /** Whether there is one, of whatever state. */
  present(): boolean
  /** Takes the image away. @returns what it was of, or undefined when it is not of this state */
  take(state: ImagedState): Promise<MemoryImage | undefined>
  /** Keeps an image. Nothing may be under way in the database. @returns whether it was small enough */
  keep(state: ImagedState, known: KnownRows, working: EmbeddedStore): Promise<boolean>
}

/**
 * Images in a folder.
 * @param options `key`: 32 secret bytes of the node; `random`: where nonces come from
 */
export function memoryImages(options: {
  readonly directory: string
  readonly key: Uint8Array
  readonly random: (length: number) => Uint8Array
  readonly mostBytes?: number
}): MemoryImages {
  const { key, random, mostBytes = mostImageBytes } = options
  const path = join(options.directory, memoryImageFile)
  const part = `${path}.part`
  const remove = (): void => {
    for (const one of [path, part]) rmSync(one, { force: true })
  }
  return {
    present: () => existsSync(path),
    async take(state) {
      const release = pgliteRelease()
      let bytes: Buffer
      try {
        bytes = readFileSync(path)
      } catch {
        return undefined
      } finally {
        // Gone before anything is destroyed that it holds.
        remove()
      }
      const body = release === undefined ? undefined : openImage(bytes, key, associated(state, release))
      if (body === undefined) return undefined
      return openMemory(body).catch(() => undefined)
    },
    async keep(state, known, working) {
      const release = pgliteRelease()
      const files = await working.files()
      if (release === undefined || files.length > mostBytes) return false
      const rows = Buffer.from(knownRowsText(known), 'utf8')
      const length = Buffer.alloc(lengthBytes)
      length.writeUInt32BE(rows.length)
      const nonce = random(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(associated(state, release))
      const sealed = [length, rows, files].map((piece) => cipher.update(piece))
      try {
        writeFileSync(part, Buffer.concat([nonce, ...sealed, cipher.final(), cipher.getAuthTag()]), {
          mode: 0o600,
        })
        // Whole or not at all: a kill before this leaves no image.
        renameSync(part, path)
      } catch (error) {
        remove()
        throw error
      }
      return true
    },
  }
}

async function openMemory(body: Buffer): Promise<MemoryImage> {
  const rowsEnd = lengthBytes + body.readUInt32BE(0)
  const known = parseKnownRows(body.toString('utf8', lengthBytes, rowsEnd))
  const database = await openEmbeddedPostgres({
    dataDir: 'memory://',
    memory: true,
    loadDataDir: new Blob([Uint8Array.from(body.subarray(rowsEnd))]),
  })
  return { working: pgliteStore(database, () => undefined), known }
}

function associated({ store, version, rows }: ImagedState, release: string): Buffer {
  // JSON keeps the parts apart whatever is in them.
  return Buffer.from(
    JSON.stringify(['sealpool/memory-image/1', release, Buffer.from(store).toString('hex'), version, rows]),
  )
}

function openImage(bytes: Buffer, key: Uint8Array, about: Buffer): Buffer | undefined {
  if (bytes.length < nonceBytes + lengthBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAAD(about)
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  const body = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return body
}
