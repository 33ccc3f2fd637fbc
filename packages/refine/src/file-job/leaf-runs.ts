/**
 * Leaf hashes of more rows than fit into memory: sorted runs on disk, encrypted, because a hash of a row can be tested against
 * guesses; and the Merkle root over all of them in order, with one slice of the hashes in memory at a time.
 */
import * as nodeCrypto from 'node:crypto'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { RefineError } from '../errors.js'

/** Bytes of a leaf hash. */
export const leafBytes = 32
const frameLeaves = 1024
const framesAtOnce = 32

/** A sorted run in a file. */
export interface LeafRun {
  /** Where it begins. */
  readonly offset: number
  readonly leaves: number
}

/**
 * SHA-256 of bytes, put where it is wanted: there is one for each row and one for each node of the tree. A string of bytes is the form
 * in which Node hands it over without memory of its own outside of the heap, at a third of the time.
 *
 * @param bytes - the bytes
 * @param into - where the 32 bytes go
 * @param at - from which place on
 */
export function sha256Into(bytes: Uint8Array, into: Uint8Array, at: number): void {
  const text = nodeCrypto.hash('sha256', bytes, 'binary')
  for (let index = 0; index < leafBytes; index += 1) into[at + index] = text.charCodeAt(index)
}

/** SHA-256 of bytes. @param parts - bytes, hashed one behind the other @returns 32 bytes */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = new Uint8Array(leafBytes)
  sha256Into(Buffer.concat(parts), hash, 0)
  return hash
}

/** Does leaf `a` come behind leaf `b`? Two that are equal do not. */
function isBehind(hashes: Uint8Array, a: number, b: number): boolean {
  for (let index = 0; index < leafBytes; index += 1) {
    const difference = (hashes[a * leafBytes + index] ?? 0) - (hashes[b * leafBytes + index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}

/** Sorts hashes in place. @param hashes - one behind the other @param common - bytes at the front in which all are equal, 0 or more */
export type LeafSorter = (hashes: Uint8Array, common: number) => void

/**
 * Makes a sorter of hashes. They are spread evenly, so that 16 bits behind what they have in common put them almost in order. Its
 * tables are used again each time: made anew they would be megabytes of garbage per run until the collector sees them.
 *
 * @returns the sorter
 */
export function createLeafSorter(): LeafSorter {
  const starts = new Uint32Array(65_537)
  const next = new Uint32Array(65_537)
  const moved = new Uint8Array(leafBytes)
  let scratch = new Uint8Array()
  const leafWords = leafBytes / 4
  return (hashes, common) => {
    const count = hashes.length / leafBytes
    const bucketOf = (from: number) => ((hashes[from + common] ?? 0) << 8) | (hashes[from + common + 1] ?? 0)
    if (scratch.length < hashes.length) scratch = new Uint8Array(hashes.length)
    const sorted = scratch.subarray(0, hashes.length)
    const sortedWords = new Uint32Array(scratch.buffer, 0, hashes.length >> 2)
    // Four bytes at a time where the memory lies so.
    const words =
      hashes.byteOffset % 4 === 0
        ? new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length >> 2)
        : undefined
    starts.fill(0)
    for (let leaf = 0; leaf < count; leaf += 1) {
      const bucket = bucketOf(leaf * leafBytes)
      starts[bucket + 1] = (starts[bucket + 1] ?? 0) + 1
    }
    for (let bucket = 0; bucket < 65_536; bucket += 1)
      starts[bucket + 1] = (starts[bucket + 1] ?? 0) + (starts[bucket] ?? 0)
    next.set(starts)
    for (let leaf = 0; leaf < count; leaf += 1) {
      const from = leaf * leafBytes
      const bucket = bucketOf(from)
      const to = (next[bucket] ?? 0) * leafBytes
      next[bucket] = (next[bucket] ?? 0) + 1
      if (words === undefined) {
        for (let index = 0; index < leafBytes; index += 1) sorted[to + index] = hashes[from + index] ?? 0
        continue
      }
      const [toWord, fromWord] = [to >> 2, from >> 2]
      for (let index = 0; index < leafWords; index += 1)
        sortedWords[toWord + index] = words[fromWord + index] ?? 0
    }
    for (let bucket = 0; bucket < 65_536; bucket += 1) {
      const first = starts[bucket] ?? 0
      const end = starts[bucket + 1] ?? 0
      if (end - first < 2) continue
      // Few to a bucket: each goes to its place among those before it.
      for (let leaf = first + 1; leaf < end; leaf += 1) {
        let to = leaf
        while (to > first && isBehind(sorted, to - 1, leaf)) to -= 1
        if (to === leaf) continue
        moved.set(sorted.subarray(leaf * leafBytes, (leaf + 1) * leafBytes))
        sorted.copyWithin((to + 1) * leafBytes, to * leafBytes, leaf * leafBytes)
        sorted.set(moved, to * leafBytes)
      }
    }
    hashes.set(sorted)
  }
}

/** Frames of one file under one key; the place of a frame goes into its tag. */
function frameAad(name: string, run: number, frame: number): Buffer {
  return Buffer.from(`sealpool/leaves\n${name}\n${run}\n${frame}`)
}

/** Takes the leaves of one table of one input. */
export interface LeafWriter {
  /** Adds leaves. @param hashes - one behind the other */
  add(hashes: Uint8Array): Promise<void>
  /** Writes what is left and closes. @returns the runs in the file */
  finish(): Promise<readonly LeafRun[]>
  /** Closes without finishing. */
  abandon(): Promise<void>
}

/**
 * Writes leaves as sorted, encrypted runs.
 *
 * @param options - `path`: new file; `name`: of the file inside the job, bound to every frame; `key`: 32 bytes; `runLeaves`: leaves in
 *   memory before a run is written
 * @returns the writer
 */
export async function createLeafWriter(options: {
  readonly path: string
  readonly name: string
  readonly key: Uint8Array
  readonly runLeaves: number
}): Promise<LeafWriter> {
  const { name, key, runLeaves } = options
  const file = await open(options.path, 'w', 0o600)
  const runs: LeafRun[] = []
  let held = Buffer.alloc(Math.min(runLeaves, 65_536) * leafBytes)
  const sort = createLeafSorter()
  let length = 0
  let offset = 0
  const flush = async () => {
    const leaves = length / leafBytes
    if (leaves === 0) return
    sort(held.subarray(0, length), 0)
    runs.push({ offset, leaves })
    // Frames are written many at a time: each write waits for another thread.
    let sealedFrames: Buffer[] = []
    for (let frame = 0, from = 0; from < length; frame += 1, from += frameLeaves * leafBytes) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(frameAad(name, runs.length - 1, frame))
      const plain = held.subarray(from, Math.min(length, from + frameLeaves * leafBytes))
      const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      sealedFrames.push(sealed)
      offset += sealed.length
      if (sealedFrames.length < framesAtOnce && from + frameLeaves * leafBytes < length) continue
      await file.writev(sealedFrames)
      sealedFrames = []
    }
    length = 0
  }
  return {
    async add(hashes) {
      for (let from = 0; from < hashes.length; ) {
        const take = Math.min(hashes.length - from, runLeaves * leafBytes - length)
        if (length + take > held.length) {
          const grown = Buffer.alloc(
            Math.min(runLeaves * leafBytes, Math.max(2 * held.length, length + take)),
          )
          held.copy(grown, 0, 0, length)
          held = grown
        }
        held.set(hashes.subarray(from, from + take), length)
        length += take
        from += take
        if (length === runLeaves * leafBytes) await flush()
      }
    },
    async finish() {
      await flush()
      await file.sync()
      await file.close()
      return runs
    },
    abandon: () => file.close(),
  }
}

/**
 * Bytes of the file that a {@link LeafWriter} wrote.
 *
 * @param runs - its runs
 * @returns the size
 */
export function leafFileBytes(runs: readonly LeafRun[]): number {
  return runs.reduce((sum, { leaves }) => sum + leaves * leafBytes + 28 * Math.ceil(leaves / frameLeaves), 0)
}

/** A run that is read from its front. */
interface OpenRun {
  take(first: number): Promise<Uint8Array[]>
}

function openRun(
  file: FileHandle,
  options: { name: string; key: Uint8Array; index: number; run: LeafRun },
): OpenRun {
  const { name, key, index, run } = options
  let frame = 0
  let offset = run.offset
  let left = run.leaves
  let plain: Buffer = Buffer.alloc(0)
  let at = 0
  let under: Promise<{ readonly bytesRead: number; readonly buffer: Buffer }> | undefined
  /** Asks for the next frame, which is read while the one before is used. */
  const ask = () => {
    const leaves = Math.min(left, frameLeaves)
    if (leaves === 0) return
    const size = 12 + leaves * leafBytes + 16
    under = file.read(Buffer.allocUnsafe(size), 0, size, offset)
    // It is waited for in its turn; a fault that comes early must not be unhandled.
    under.catch(() => undefined)
    offset += size
    left -= leaves
  }
  ask()
  const refill = async (): Promise<boolean> => {
    if (under === undefined) return false
    const { bytesRead, buffer: sealed } = await under
    under = undefined
    ask()
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
    decipher.setAAD(frameAad(name, index, frame))
    decipher.setAuthTag(sealed.subarray(-16))
    try {
      if (bytesRead !== sealed.length) throw new Error('short')
      plain = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
    } catch {
      throw new RefineError(
        'JOB_INVALID',
        name,
        'A file of the job is damaged or under another key; begin the job anew',
      )
    }
    at = 0
    frame += 1
    return true
  }
  return {
    async take(first) {
      const taken: Uint8Array[] = []
      for (;;) {
        if (at >= plain.length && !(await refill())) return taken
        let end = at
        while (end < plain.length && plain[end] === first) end += leafBytes
        if (end > at) taken.push(plain.subarray(at, end))
        at = end
        if (at < plain.length) return taken
      }
    },
  }
}

/** Folds leaf hashes that come in order into the root of RFC 6962, 2.1, holding one hash per level. */
export function createRootFolder(): { add(hashes: Uint8Array, at: number): void; root(): Uint8Array } {
  const node = new Uint8Array(1 + 2 * leafBytes)
  node[0] = 1
  // A level holds the root of 2^level leaves that wait for as many more, or nothing.
  const levels: { readonly hash: Uint8Array; waits: boolean }[] = []
  const joinInto = (left: Uint8Array, right: Uint8Array, into: Uint8Array) => {
    node.set(left, 1)
    node.set(right, 1 + leafBytes)
    sha256Into(node, into, 0)
  }
  const carried = new Uint8Array(leafBytes)
  return {
    add(hashes, at) {
      for (let index = 0; index < leafBytes; index += 1) carried[index] = hashes[at + index] ?? 0
      let height = 0
      for (let level = levels[height]; level?.waits === true; level = levels[height]) {
        joinInto(level.hash, carried, carried)
        level.waits = false
        height += 1
      }
      const level = levels[height] ?? { hash: new Uint8Array(leafBytes), waits: false }
      levels[height] = level
      level.hash.set(carried)
      level.waits = true
    },
    root() {
      const [lowest, ...higher] = levels.filter(({ waits }) => waits)
      if (lowest === undefined) return sha256()
      const hash = Uint8Array.from(lowest.hash)
      for (const level of higher) joinInto(level.hash, hash, hash)
      return hash
    },
  }
}

/** A file of runs, as {@link createLeafWriter} left it. */
export interface LeafFile {
  readonly path: string
  readonly name: string
  readonly runs: readonly LeafRun[]
}

/**
 * The Merkle root over the leaves of many files in the order of their hashes.
 *
 * @param files - the files
 * @param key - 32 bytes
 * @returns root and number of leaves
 * @throws RefineError with `JOB_INVALID` when a file is damaged or under another key
 */
export async function rootOfRuns(
  files: readonly LeafFile[],
  key: Uint8Array,
): Promise<{ readonly root: Uint8Array; readonly leaves: number }> {
  const handles: FileHandle[] = []
  const folder = createRootFolder()
  const sort = createLeafSorter()
  let room = new Uint8Array()
  let leaves = 0
  try {
    const runs: OpenRun[] = []
    for (const { path, name, runs: list } of files) {
      if (list.length === 0) continue
      const handle = await open(path, 'r')
      handles.push(handle)
      for (const [index, run] of list.entries()) runs.push(openRun(handle, { name, key, index, run }))
    }
    for (let first = 0; first < 256; first += 1) {
      const parts: Uint8Array[] = []
      for (const run of runs) parts.push(...(await run.take(first)))
      const length = parts.reduce((sum, part) => sum + part.length, 0)
      if (room.length < length) room = new Uint8Array(length + (length >> 2))
      const slice = room.subarray(0, length)
      let end = 0
      for (const part of parts) {
        slice.set(part, end)
        end += part.length
      }
      sort(slice, 1)
      for (let at = 0; at < slice.length; at += leafBytes) folder.add(slice, at)
      leaves += slice.length / leafBytes
    }
  } finally {
    for (const handle of handles) await handle.close()
  }
  return { root: folder.root(), leaves }
}
