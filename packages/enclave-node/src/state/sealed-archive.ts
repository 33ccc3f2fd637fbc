/**
 * Many files in one, encrypted and authenticated piece by piece: AES-256-GCM (NIST SP 800-38D) under a key of the archive's own, each
 * piece under its number and whether it is the last, so that none can be changed, moved, left out or cut off (STREAM: Hoang, Reyhanitabar,
 * Rogaway and Vizár, CRYPTO 2015). It is whole or not there: written under another name first.
 * @module
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** A file that was read from an archive. */
export interface ArchivedFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** A file that goes into an archive. */
export interface WrittenFile {
  readonly path: string
  readonly size: number
  /** @returns its bytes, part by part: a part is of no use any more once the next one was asked for */
  parts(): Iterable<Uint8Array>
}

/** @returns a file of bytes that are there */
export function writtenFile({ path, bytes }: ArchivedFile): WrittenFile {
  return { path, size: bytes.length, parts: () => [bytes] }
}

/** Where an archive lies, and what it is sealed with. */
export interface ArchivePlace {
  readonly path: string
  /** 32 secret bytes. */
  readonly key: Uint8Array
  /** What it is of: one that was sealed as something else does not open. */
  readonly about: string
}

const saltBytes = 32
const tagBytes = 16
const pieceBytes = 1 << 20
const lengthBytes = 4

/**
 * Writes an archive, a piece at a time, while others have their turn.
 * @param options `wanted`: asked before it takes its place; what is not wanted any more leaves nothing
 * @returns whether it lies there
 */
export async function writeSealedArchive(
  place: ArchivePlace,
  files: readonly WrittenFile[],
  options: { readonly random: (length: number) => Uint8Array; readonly wanted?: () => boolean },
): Promise<boolean> {
  const { random, wanted = () => true } = options
  const part = partOf(place.path)
  try {
    const handle = await open(part, 'w', 0o600)
    try {
      for (const bytes of sealed(place, random(saltBytes), files)) {
        if (!wanted()) break
        await handle.writeFile(bytes)
      }
    } finally {
      await handle.close()
    }
    // In one go: nobody can begin not to want it between the two.
    if (wanted()) renameSync(part, place.path)
    return wanted()
  } finally {
    // After a failure as well: a disk that is full needs the room.
    rmSync(part, { force: true })
  }
}

/** Takes an archive away, and what a kill left of one. */
export function removeSealedArchive(path: string): void {
  for (const one of [path, partOf(path)]) rmSync(one, { force: true })
}

/**
 * Reads an archive.
 * @param mostBytes a larger one is not read
 * @returns undefined when it is not there, or not as it was written with this key
 */
export function readSealedArchive(
  place: ArchivePlace,
  mostBytes: number,
): readonly ArchivedFile[] | undefined {
  const content = readSealed(place, mostBytes)
  if (content === undefined || content.length < lengthBytes) return undefined
  let at = lengthBytes + content.readUInt32BE(0)
  // Authenticated: only this node has written it.
  const index = JSON.parse(content.toString('utf8', lengthBytes, at)) as readonly (readonly [
    string,
    number,
  ])[]
  return index.map(([path, length]) => {
    const bytes = content.subarray(at, at + length)
    at += length
    return { path, bytes }
  })
}

const partOf = (path: string): string => `${path}.part`

function* sealed(
  { key, about }: ArchivePlace,
  salt: Uint8Array,
  files: readonly WrittenFile[],
): Generator<Uint8Array> {
  const index = Buffer.from(JSON.stringify(files.map(({ path, size }) => [path, size])))
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32BE(index.length)
  const own = keyOf(key, salt)
  yield salt
  let number = 0
  for (const { bytes, last } of pieces(contents([length, index], files))) {
    const cipher = createCipheriv('aes-256-gcm', own, nonceOf(number, last))
    cipher.setAAD(Buffer.from(about))
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
    number += 1
  }
}

function* contents(first: readonly Uint8Array[], files: readonly WrittenFile[]): Generator<Uint8Array> {
  yield* first
  for (const file of files) yield* file.parts()
}

/** Cuts bytes into pieces of one length; the last one is shorter, or as long. */
function* pieces(parts: Iterable<Uint8Array>): Generator<{ readonly bytes: Buffer; readonly last: boolean }> {
  const piece = Buffer.alloc(pieceBytes)
  let filled = 0
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      if (filled === pieceBytes) {
        yield { bytes: piece, last: false }
        filled = 0
      }
      const some = part.subarray(from, from + pieceBytes - filled)
      piece.set(some, filled)
      filled += some.length
      from += some.length
    }
  }
  yield { bytes: piece.subarray(0, filled), last: true }
}

function readSealed({ path, key, about }: ArchivePlace, mostBytes: number): Buffer | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return undefined
  }
  try {
    const { size } = fstatSync(file)
    const count = Math.ceil((size - saltBytes) / (pieceBytes + tagBytes))
    const length = size - saltBytes - count * tagBytes
    if (count < 1 || length < 0 || length > mostBytes) return undefined
    const salt = Buffer.alloc(saltBytes)
    if (readSync(file, salt) !== saltBytes) return undefined
    const own = keyOf(key, salt)
    const content = Buffer.alloc(length)
    const piece = Buffer.alloc(pieceBytes + tagBytes)
    for (let number = 0; number < count; number += 1) {
      const read = readSync(file, piece)
      if (read < tagBytes) return undefined
      const opened = openPiece(piece.subarray(0, read), {
        key: own,
        nonce: nonceOf(number, number === count - 1),
        about,
      })
      if (opened === undefined) return undefined
      content.set(opened, number * pieceBytes)
    }
    return content
  } finally {
    closeSync(file)
  }
}

function openPiece(
  piece: Uint8Array,
  { key, nonce, about }: { readonly key: Uint8Array; readonly nonce: Uint8Array; readonly about: string },
): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(about))
  decipher.setAuthTag(piece.subarray(-tagBytes))
  const opened = decipher.update(piece.subarray(0, -tagBytes))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return opened
}

/** No two archives have one key, so that numbers are nonces enough. */
function keyOf(key: Uint8Array, salt: Uint8Array): Buffer {
  return createHmac('sha256', key).update('sealpool/sealed-archive/1\n').update(salt).digest()
}

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(number, 7)
  nonce.writeUInt8(last ? 1 : 0, 11)
  return nonce
}
