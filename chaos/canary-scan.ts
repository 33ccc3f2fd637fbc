/**
 * Looks for private text where it must not be: in bytes, files and folders, as it is and in the encodings in which programs
 * commonly write bytes down.
 * @module
 */
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { base64Cores } from '../packages/enclave-node/src/testing/secret-forms.js'

/** One place where private text stands. */
export interface Leak {
  /** File or stream. */
  readonly place: string
  readonly encoding: string
  /** What was found, by name and never by value. */
  readonly what: string
}

/** What is looked for. */
export interface Canary {
  readonly what: string
  readonly text: string
}

interface Pattern {
  readonly what: string
  readonly encoding: string
  readonly bytes: Buffer
}

/** Looks for canaries. */
export interface CanaryScan {
  /** @returns what stands in the bytes; `place` is only passed on */
  bytes(place: string, bytes: Uint8Array): Leak[]
  /** @returns what stands in a file, read as a stream */
  file(path: string): Promise<Leak[]>
  /** @returns what stands in the files of a folder and in their names, and how much was read */
  folder(path: string): Promise<{ readonly leaks: Leak[]; readonly files: number; readonly bytes: number }>
}

function patternsOf({ what, text }: Canary): Pattern[] {
  const forms: [string, string][] = [
    ['as it is', text],
    ['hexadecimal', Buffer.from(text).toString('hex')],
    ['hexadecimal, capitals', Buffer.from(text).toString('hex').toUpperCase()],
    ['backwards', [...text].reverse().join('')],
    ...base64Cores(Buffer.from(text)).flatMap((core): [string, string][] => [
      ['base64', core],
      ['base64url', core.replaceAll('+', '-').replaceAll('/', '_')],
    ]),
  ]
  const patterns = forms.map(([encoding, form]) => ({ what, encoding, bytes: Buffer.from(form) }))
  patterns.push({ what, encoding: 'UTF-16', bytes: Buffer.from(text, 'utf16le') })
  // Equal forms (base64 without + and /) are looked for once.
  return patterns.filter(
    (one, index) => patterns.findIndex((other) => other.bytes.equals(one.bytes)) === index,
  )
}

/**
 * Makes a scan.
 * @param canaries texts of at least 12 characters that stand nowhere by chance
 */
export function canaryScan(canaries: readonly Canary[]): CanaryScan {
  for (const { what, text } of canaries) {
    if (text.length < 12) throw new RangeError(`the canary ${what} is too short to mean anything`)
  }
  const patterns = canaries.flatMap(patternsOf)
  const longest = Math.max(0, ...patterns.map(({ bytes }) => bytes.length))
  const find = (place: string, bytes: Buffer): Leak[] =>
    patterns
      .filter((pattern) => bytes.includes(pattern.bytes))
      .map(({ what, encoding }) => ({ place, what, encoding }))
  const packed = (place: string, bytes: Buffer): Leak[] => {
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return []
    try {
      return find(`${place} (unpacked)`, gunzipSync(bytes, { maxOutputLength: 64 * 1024 * 1024 }))
    } catch {
      return []
    }
  }
  const scan: CanaryScan = {
    bytes(place, given) {
      const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
      return [...find(place, bytes), ...packed(place, bytes)]
    },
    async file(path) {
      const leaks = new Map<string, Leak>()
      let tail: Buffer = Buffer.alloc(0)
      let first = true
      for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
        const bytes = Buffer.concat([tail, chunk as Buffer])
        const found = [...find(path, bytes), ...(first ? packed(path, bytes) : [])]
        for (const leak of found) leaks.set(`${leak.what} ${leak.encoding} ${leak.place}`, leak)
        tail = bytes.subarray(Math.max(0, bytes.length - longest))
        first = false
      }
      return [...leaks.values()]
    },
    async folder(path) {
      const leaks: Leak[] = []
      let files = 0
      let bytes = 0
      for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
        const place = join(entry.parentPath, entry.name)
        leaks.push(...find(`name of ${place}`, Buffer.from(entry.name)))
        if (!entry.isFile()) continue
        files += 1
        // A file that is gone since it was listed leaves nothing to read.
        const found = await scan.file(place).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return []
          throw error
        })
        leaks.push(...found)
        bytes += await sizeOf(place)
      }
      return { leaks, files, bytes }
    },
  }
  return scan
}

async function sizeOf(path: string): Promise<number> {
  const { stat } = await import('node:fs/promises')
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
