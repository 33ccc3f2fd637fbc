/**
 * The Merkle root over the leaves of any number of runs in the order of their hashes, in memory that does not grow with them: of
 * each run one frame is held, and of more runs than that allows some are merged into one on disk before.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { compareLeaves, leafBytes, leafPrefix } from './leaf-hash.js'
import { type LeafFrames, type LeafRun, readRun, writeSortedRun } from './leaf-runs.js'
import { createLeafSorter } from './leaf-sorter.js'
import { createRootFolder } from './root-folder.js'

/** A file of runs, as `createLeafWriter` left it. */
export interface LeafFile {
  readonly path: string
  readonly name: string
  readonly runs: readonly LeafRun[]
}

/** A run and where it is read. */
interface PlacedRun {
  readonly path: string
  readonly name: string
  readonly index: number
  readonly run: LeafRun
}

/** Frames of 32 KiB that are held at once; each may be of another file, and a process may have 1,024 files open. */
const mostRuns = 768
/** With as few runs the next frame of each is read while the one before is used. */
const fewRuns = 128
/** Leaves that are put in order at once. */
const sliceLeaves = 65_536

/** A frame of a run and how far it is used. */
interface Head {
  readonly frames: LeafFrames
  plain: Uint8Array
  at: number
  /** Prefixes of the next leaf and of the frame's last one. */
  first: number
  last: number
}

/**
 * Gives a frame to each run that has used its own up.
 *
 * @returns the runs that have leaves
 */
async function refilled(heads: readonly Head[]): Promise<readonly Head[]> {
  for (const head of heads) {
    if (head.at < head.plain.length) continue
    head.plain = (await head.frames.next()) ?? new Uint8Array()
    head.at = 0
    if (head.plain.length === 0) continue
    head.first = leafPrefix(head.plain, 0)
    head.last = leafPrefix(head.plain, head.plain.length - leafBytes)
  }
  return heads.every(({ plain }) => plain.length > 0) ? heads : heads.filter(({ plain }) => plain.length > 0)
}

/** The least of the frames' last leaves: what is not behind it comes before everything that is not read. */
function borderOf(heads: readonly Head[]): Head | undefined {
  let border: Head | undefined
  for (const head of heads) {
    if (border === undefined || head.last < border.last) border = head
    else if (head.last === border.last) {
      const [own, other] = [head.plain.length - leafBytes, border.plain.length - leafBytes]
      if (compareLeaves(head.plain, own, border.plain, other) < 0) border = head
    }
  }
  return border
}

/** Where a frame's leaves lie behind a border. */
function endWithin(head: Head, border: { readonly plain: Uint8Array; readonly last: number }): number {
  const at = border.plain.length - leafBytes
  let end = head.at
  let prefix = head.first
  while (
    prefix < border.last ||
    (prefix === border.last && compareLeaves(head.plain, end, border.plain, at) <= 0)
  ) {
    end += leafBytes
    if (end === head.plain.length) return end
    prefix = leafPrefix(head.plain, end)
  }
  head.first = prefix
  return end
}

/** The leaves of runs in order. A slice is valid until the next is asked for. */
async function* mergedSlices(
  runs: readonly PlacedRun[],
  key: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const files = new Map<string, FileHandle>()
  const sort = createLeafSorter()
  let room = new Uint8Array(2 * sliceLeaves * leafBytes)
  let length = 0
  try {
    const opened: Head[] = []
    for (const { path, name, index, run } of runs) {
      const file = files.get(path) ?? (await open(path, 'r'))
      files.set(path, file)
      const frames = readRun({ file, name, key }, index, run, runs.length <= fewRuns)
      opened.push({ frames, plain: new Uint8Array(), at: 0, first: 0, last: 0 })
    }
    let heads: readonly Head[] = opened
    for (;;) {
      heads = await refilled(heads)
      const border = borderOf(heads)
      if (border === undefined) break
      // The border's own frame is used up in its turn, so what it says is kept.
      const { plain, last } = border
      for (const head of heads) {
        if (head.first > last) continue
        const end = endWithin(head, { plain, last })
        const taken = head.plain.subarray(head.at, end)
        if (length + taken.length > room.length) {
          const grown = new Uint8Array(2 * room.length)
          grown.set(room.subarray(0, length))
          room = grown
        }
        room.set(taken, length)
        length += taken.length
        head.at = end
      }
      if (length < sliceLeaves * leafBytes) continue
      sort(room.subarray(0, length))
      yield room.subarray(0, length)
      length = 0
    }
    sort(room.subarray(0, length))
    yield room.subarray(0, length)
  } finally {
    for (const file of files.values()) await file.close()
  }
}

/**
 * The Merkle root over the leaves of many files in the order of their hashes.
 *
 * @param files - the files
 * @param key - 32 bytes
 * @param options - `folder`: where runs are merged when there are too many, in files `.merged.<number>.leaves` that are gone at the
 *   end; `most`: how many are not too many, default 768
 * @returns root and number of leaves
 * @throws RefineError with `JOB_INVALID` when a file is damaged or under another key; the system's error when the disk is full
 */
export async function rootOfRuns(
  files: readonly LeafFile[],
  key: Uint8Array,
  options: { readonly folder: string; readonly most?: number },
): Promise<{ readonly root: Uint8Array; readonly leaves: number }> {
  const { folder, most = mostRuns } = options
  let runs: readonly PlacedRun[] = files.flatMap(({ path, name, runs: list }) =>
    list.map((run, index) => ({ path, name, index, run })),
  )
  const made: string[] = []
  try {
    while (runs.length > most) {
      // As few as it takes, and the shortest: each of them is written once more.
      const sorted = [...runs].sort((a, b) => a.run.leaves - b.run.leaves)
      const group = sorted.slice(0, Math.min(most, runs.length - most + 1))
      const name = mergedName(made.length)
      const path = join(folder, name)
      made.push(path)
      const run = await writeSortedRun({ path, name, key }, mergedSlices(group, key))
      runs = [...sorted.slice(group.length), { path, name, index: 0, run }]
    }
    const root = createRootFolder()
    let leaves = 0
    for await (const slice of mergedSlices(runs, key)) {
      for (let at = 0; at < slice.length; at += leafBytes) root.add(slice, at)
      leaves += slice.length / leafBytes
    }
    return { root: root.root(), leaves }
  } finally {
    // One that was not made yet is not there.
    for (const path of made) await unlink(path).catch(() => undefined)
  }
}

const mergedName = (number: number) => `.merged.${number}.leaves`

/**
 * Is this a file of {@link rootOfRuns}, left by a job that was killed?
 *
 * @param name - of a file in the job's folder
 * @returns true when nobody needs it
 */
export function isMergedRun(name: string): boolean {
  return /^\.merged\.\d+\.leaves$/.test(name)
}
