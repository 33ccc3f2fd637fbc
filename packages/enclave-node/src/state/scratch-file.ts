/**
 * Where pieces of the working database lie that its memory has no room for: one file beside the state, without a name from the moment it is
 * open, so that nothing of it is left after a stop or a kill. The host can read and write it all the same: each piece is sealed (AES-256-GCM,
 * NIST SP 800-38D) under a key that this process alone has, with a number that is never used again, its place and that number authenticated
 * and remembered here. A piece that is changed, moved, cut off, or put back as it was before, does not open.
 * @module
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { NodeError } from '../errors.js'

/** A file by places, as the scratch file needs one. */
export interface PlacedBytes {
  /** @returns how many bytes were written @throws what the system says, as for a disk that is full */
  write(bytes: Uint8Array, at: number): number
  /** @returns how many bytes were read; 0 at the end */
  read(into: Uint8Array, at: number): number
  close(): void
}

/** Where a sealed piece lies, and which it is: remembered in memory alone. */
export interface ScratchPlace {
  readonly slot: number
  /** Of all pieces ever sealed here; the nonce. */
  readonly number: number
  /** Bytes of the piece. */
  readonly length: number
}

/** What the file is called while it is opened. */
export const scratchPrefix = 'memory-scratch-'
const tagBytes = 16
const about = 'sealpool/scratch/1'

/** Sealed pieces in a file. */
export class ScratchFile {
  readonly #key: Uint8Array
  readonly #slotBytes: number
  readonly #open: () => PlacedBytes
  readonly #free: number[] = []
  /** A piece as it is written or read: one for all of them, so that none is left behind for the collector. */
  readonly #sealedPiece: Buffer
  #file: PlacedBytes | undefined
  #slots = 0
  #sealed = 0

  /**
   * @param options `open`: opens an empty file, when the first piece is put there; `pieceBytes`: of the largest piece; `random`: gives the key
   */
  constructor(options: {
    readonly open: () => PlacedBytes
    readonly pieceBytes: number
    readonly random: (length: number) => Uint8Array
  }) {
    this.#open = options.open
    this.#slotBytes = options.pieceBytes + tagBytes
    this.#sealedPiece = Buffer.alloc(this.#slotBytes)
    this.#key = options.random(32)
  }

  /** Puts a piece there. @throws NodeError `SCRATCH_FAILED` when there is no room, or the disk is broken */
  put(bytes: Uint8Array): ScratchPlace {
    const slot = this.#free.pop() ?? this.#slots
    // Also when writing fails: a number is used once.
    this.#sealed += 1
    const place = { slot, number: this.#sealed, length: bytes.length }
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(place))
    cipher.setAAD(Buffer.from(aboutPiece(place)))
    const sealed = this.#sealedPiece.subarray(0, bytes.length + tagBytes)
    sealed.set(cipher.update(bytes))
    cipher.final()
    sealed.set(cipher.getAuthTag(), bytes.length)
    try {
      this.#file ??= this.#open()
      for (let done = 0; done < sealed.length; ) {
        const written = this.#file.write(sealed.subarray(done), slot * this.#slotBytes + done)
        if (written === 0) throw new RangeError('nothing was written')
        done += written
      }
    } catch (cause) {
      this.#free.push(slot)
      throw failed('be written', cause)
    } finally {
      this.#slots = Math.max(this.#slots, slot + 1)
    }
    return place
  }

  /**
   * Reads a piece back; it stays there.
   * @throws NodeError `SCRATCH_TAMPERED` when it is not the one that was put there last; `SCRATCH_FAILED` when it cannot be read
   */
  get(place: ScratchPlace): Uint8Array {
    const sealed = this.#sealedPiece.subarray(0, place.length + tagBytes)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(place), { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(aboutPiece(place)))
    if (this.#read(sealed, place.slot * this.#slotBytes) < sealed.length) throw tampered()
    decipher.setAuthTag(sealed.subarray(place.length))
    const bytes = decipher.update(sealed.subarray(0, place.length))
    try {
      decipher.final()
    } catch (cause) {
      throw tampered(cause)
    }
    return bytes
  }

  /** Gives the room of a piece back that is of no use any more. */
  free({ slot }: ScratchPlace): void {
    this.#free.push(slot)
  }

  /** Closes the file, which is gone then. */
  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #read(into: Uint8Array, at: number): number {
    try {
      let done = 0
      while (done < into.length) {
        const read = this.#file?.read(into.subarray(done), at + done) ?? 0
        if (read === 0) break
        done += read
      }
      return done
    } catch (cause) {
      throw failed('be read', cause)
    }
  }
}

/**
 * Removes what a kill has left in a folder: an empty file, which had its name still.
 * @param directory the node's data folder; one that is not there yet has nothing in it
 * @throws what the system says
 */
export function removeLeftScratch(directory: string): void {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory))
    if (name.startsWith(scratchPrefix)) rmSync(join(directory, name), { force: true })
}

/**
 * Opens an empty file in a folder and takes its name away.
 * @param directory the node's data folder
 * @throws what the system says
 */
export function namelessFile(directory: string): PlacedBytes {
  const path = join(directory, `${scratchPrefix}${process.pid}`)
  const file = openSync(path, 'wx+', 0o600)
  rmSync(path, { force: true })
  return {
    write: (bytes, at) => writeSync(file, bytes, 0, bytes.length, at),
    read: (into, at) => readSync(file, into, 0, into.length, at),
    close: () => closeSync(file),
  }
}

function nonceOf({ number }: ScratchPlace): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(number), 4)
  return nonce
}

function aboutPiece({ slot, number, length }: ScratchPlace): string {
  return `${about} ${slot} ${number} ${length}`
}

function tampered(cause?: unknown): NodeError {
  return new NodeError(
    'SCRATCH_TAMPERED',
    'data directory',
    'a part of the memory that lay on the disk is not what the node put there; nothing that was committed is lost: find out who writes to the disk, then start the node again',
    { cause },
  )
}

function failed(what: string, cause: unknown): NodeError {
  return new NodeError(
    'SCRATCH_FAILED',
    'data directory',
    `a part of the memory cannot ${what} there, as on a disk that is full; nothing that was committed is lost: make room, then start the node again`,
    { cause },
  )
}
