/**
 * Leaf hashes of more rows than fit into memory: sorted runs on disk, encrypted, because a hash of a row can be tested against
 * guesses.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { RefineError } from '../errors.js'
import { leafBytes } from './leaf-hash.js'
import { createLeafSorter } from './leaf-sorter.js'

const frameLeaves = 1024
const framesAtOnce = 32

/** A sorted run in a file. */
export interface LeafRun {
  /** Where it begins. */
  readonly offset: number
  readonly leaves: number
}

/** Frames of one file under one key; the place of a frame goes into its tag. */
function frameAad(name: string, run: number, frame: number): Buffer {
  return Buffer.from(`sealpool/leaves\n${name}\n${run}\n${frame}`)
}

/** A file of runs and what its frames are bound to. */
interface RunFile {
  readonly file: FileHandle
  /** Of the file inside the job. */
  readonly name: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/**
 * Writes leaves as frames of a run, at the end of the file.
 *
 * @param to - the file
 * @param run - which run of the file
 * @param firstFrame - which frame of the run is the first of these
 * @param plain - leaves in order; whole frames, but for the last of a run
 * @returns bytes written
 */
async function writeFrames(to: RunFile, run: number, firstFrame: number, plain: Uint8Array): Promise<number> {
  let bytes = 0
  // Frames are written many at a time: each write waits for another thread.
  let sealedFrames: Buffer[] = []
  const frameBytes = frameLeaves * leafBytes
  for (let frame = firstFrame, from = 0; from < plain.length; frame += 1, from += frameBytes) {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', to.key, nonce)
    cipher.setAAD(frameAad(to.name, run, frame))
    const part = plain.subarray(from, Math.min(plain.length, from + frameBytes))
    const sealed = Buffer.concat([nonce, cipher.update(part), cipher.final(), cipher.getAuthTag()])
    sealedFrames.push(sealed)
    bytes += sealed.length
    if (sealedFrames.length < framesAtOnce && from + frameBytes < plain.length) continue
    await writeAll(to.file, sealedFrames)
    sealedFrames = []
  }
  return bytes
}

/** A write may be short where the disk is full; the next one then says so. */
async function writeAll(file: FileHandle, parts: readonly Buffer[]): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const { bytesWritten } = await file.writev([...parts])
  if (bytesWritten < length) await file.writeFile(Buffer.concat(parts).subarray(bytesWritten))
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
    const plain = held.subarray(0, length)
    sort(plain)
    runs.push({ offset, leaves })
    offset += await writeFrames({ file, name, key }, runs.length - 1, 0, plain)
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
 * Writes leaves that come in order as one run.
 *
 * @param options - `path`: new file; `name`: of the file inside the job, bound to every frame; `key`: 32 bytes
 * @param slices - leaves in order, in pieces of any size
 * @returns the run
 */
export async function writeSortedRun(
  options: { readonly path: string; readonly name: string; readonly key: Uint8Array },
  slices: AsyncIterable<Uint8Array>,
): Promise<LeafRun> {
  const file = await open(options.path, 'wx', 0o600)
  try {
    const to: RunFile = { file, name: options.name, key: options.key }
    const frameBytes = frameLeaves * leafBytes
    let rest: Uint8Array = new Uint8Array()
    let [frame, leaves] = [0, 0]
    for await (const slice of slices) {
      leaves += slice.length / leafBytes
      const all = Buffer.concat([rest, slice])
      const whole = all.length - (all.length % frameBytes)
      await writeFrames(to, 0, frame, all.subarray(0, whole))
      frame += whole / frameBytes
      rest = Uint8Array.from(all.subarray(whole))
    }
    await writeFrames(to, 0, frame, rest)
    return { offset: 0, leaves }
  } finally {
    await file.close()
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

/** A run that is read from its front, frame by frame. */
export interface LeafFrames {
  /** The next frame. @returns up to 1,024 leaves in order, or undefined behind the last @throws RefineError with `JOB_INVALID` */
  next(): Promise<Uint8Array | undefined>
}

/**
 * Reads a run.
 *
 * @param from - its file, which stays open, the file's name inside the job, and the key
 * @param index - which run of the file it is
 * @param run - where it stands
 * @param ahead - read the next frame while the one before is used
 * @returns its frames
 */
export function readRun(from: RunFile, index: number, run: LeafRun, ahead: boolean): LeafFrames {
  const { file, name, key } = from
  let frame = 0
  let offset = run.offset
  let left = run.leaves
  let under: Promise<{ readonly bytesRead: number; readonly buffer: Buffer }> | undefined
  const ask = () => {
    const leaves = Math.min(left, frameLeaves)
    if (leaves === 0 || under !== undefined) return
    const size = 12 + leaves * leafBytes + 16
    under = file.read(Buffer.allocUnsafe(size), 0, size, offset)
    // It is waited for in its turn; a fault that comes early must not be unhandled.
    under.catch(() => undefined)
    offset += size
    left -= leaves
  }
  return {
    async next() {
      ask()
      if (under === undefined) return undefined
      const { bytesRead, buffer: sealed } = await under
      under = undefined
      if (ahead) ask()
      try {
        if (bytesRead !== sealed.length) throw new Error('short')
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
        decipher.setAAD(frameAad(name, index, frame))
        decipher.setAuthTag(sealed.subarray(-16))
        frame += 1
        const plain = decipher.update(sealed.subarray(12, -16))
        decipher.final()
        return plain
      } catch {
        throw new RefineError(
          'JOB_INVALID',
          name,
          'A file of the job is damaged or under another key; begin the job anew',
        )
      }
    },
  }
}
