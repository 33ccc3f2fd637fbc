/**
 * Looks for bytes in the memory of a running process, as somebody with its machine would (Linux).
 * @module
 */
import { open, readFile } from 'node:fs/promises'

/** What is looked for. */
export interface Needle {
  readonly what: string
  readonly bytes: Uint8Array
}

/** How often something was found: in the C heap, on a stack, or in other memory of its own, where V8 has objects, texts and buffers. */
export type Found = Readonly<Record<'heap' | 'stack' | 'anonymous', number>>

const piece = 8 * 1024 * 1024

/**
 * @param pid of a process that this one may look into: a child, or anything as root
 * @returns how often each needle stands in its own memory; what it maps from files is left out
 */
export async function scanMemory(
  pid: number,
  needles: readonly Needle[],
): Promise<{ readonly scannedBytes: number; readonly found: ReadonlyMap<string, Found> }> {
  const counts = new Map(needles.map(({ what }) => [what, { heap: 0, stack: 0, anonymous: 0 }]))
  const longest = Math.max(...needles.map(({ bytes }) => bytes.length))
  const memory = await open(`/proc/${pid}/mem`, 'r')
  let scannedBytes = 0
  try {
    for (const { from, to, kind } of await regionsOf(pid)) {
      let rest: Buffer = Buffer.alloc(0)
      for (let at = from; at < to; at += piece) {
        const buffer = Buffer.alloc(Math.min(piece, to - at))
        // A region may have been given back since it was listed.
        const bytesRead = await memory.read(buffer, 0, buffer.length, at).then(
          (read) => read.bytesRead,
          () => 0,
        )
        scannedBytes += bytesRead
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
        for (const { what, bytes: needle } of needles) {
          const count = counts.get(what)
          if (count === undefined) continue
          for (let hit = bytes.indexOf(needle); hit >= 0; hit = bytes.indexOf(needle, hit + 1)) {
            // What lies in the rest alone was counted with the piece before.
            if (hit + needle.length > rest.length) count[kind] += 1
          }
        }
        rest = bytes.subarray(Math.max(0, bytes.length - longest + 1))
      }
    }
  } finally {
    await memory.close()
  }
  return { scannedBytes, found: counts }
}

interface Region {
  readonly from: number
  readonly to: number
  readonly kind: keyof Found
}

/** Readable regions of memory that hold anything. */
async function regionsOf(pid: number): Promise<readonly Region[]> {
  const regions: Region[] = []
  let last: Region | undefined
  for (const line of (await readFile(`/proc/${pid}/smaps`, 'utf8')).split('\n')) {
    const map = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ (\d+)\s*(.*)$/.exec(line)
    if (map !== null) {
      const [, from = '', to = '', inode, name = ''] = map
      const kind = name === '[heap]' ? 'heap' : name.startsWith('[stack') ? 'stack' : 'anonymous'
      const own = inode === '0' && !['[vvar]', '[vdso]', '[vsyscall]'].includes(name)
      last = own ? { from: Number.parseInt(from, 16), to: Number.parseInt(to, 16), kind } : undefined
      continue
    }
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) last = undefined
    const used = /^(?:Rss|Swap):\s+(\d+) kB$/.exec(line)
    if (used !== null && used[1] !== '0' && last !== undefined) {
      regions.push(last)
      last = undefined
    }
  }
  return regions
}
