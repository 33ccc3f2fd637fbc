import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import { property } from '../testing/property.js'
import type { ArchiveEntry } from './archive-entry.js'
import { defaultSourceLimits, fullLimits, type SourceLimits } from './source-limits.js'
import { readTar } from './tar-archive.js'

const made = pathToFileURL(fileURLToPath(new URL('../../../../conformance/refine/tar.mjs', import.meta.url)))
const { tar, pax } = (await import(made.href)) as {
  tar(members: readonly object[], options?: object): Uint8Array
  pax(records: readonly unknown[], kind?: string): object
}

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function textOf(entry: ArchiveEntry): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of entry.open()) parts.push(part)
  return Buffer.concat(parts).toString('latin1')
}

/** Paths with their content; what `isRead` leaves out is passed over and told as null. */
async function read(
  bytes: Uint8Array,
  options: { size?: number; limits?: Partial<SourceLimits>; isRead?: (path: string) => boolean } = {},
) {
  const { size = 1000, limits, isRead = () => true } = options
  const found: [string, string | null][] = []
  for await (const entry of readTar(
    inPieces(bytes, size),
    fullLimits({ ...defaultSourceLimits, ...limits }),
  )) {
    const content = isRead(entry.path) ? await textOf(entry) : null
    if (content !== null) expect(content.length).toBe(entry.size)
    found.push([entry.path, content])
  }
  return found
}

const program = (() => {
  try {
    return execFileSync('tar', ['--version'], { encoding: 'utf8' }).includes('GNU tar')
  } catch {
    return false
  }
})()
if (!program) console.warn('GNU tar is not installed, tests against it are skipped')

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-tar-'))
  folders.push(folder)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content, 'latin1')
  }
  return folder
}
const packed = (folder: string, ...options: string[]) =>
  new Uint8Array(
    execFileSync('tar', [...options, '-C', folder, '-cf', '-', '.'], {
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  )

describe('archives that GNU tar made', () => {
  const part = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9 _-]{1,12}$/),
    fc.constantFrom('Übung', '写真', 'Mail, "all"', 'x'.repeat(120)),
  )
  const path = fc
    .array(part, { minLength: 1, maxLength: 3 })
    // A folder that ends in a blank, or a name of case alone, is another matter than this one.
    .map((parts) => [...parts.map((each) => each.trim() || 'y'), 'f'].join('/'))
  const content = fc.oneof(
    fc.string({ maxLength: 30, unit: 'binary-ascii' }),
    fc.constantFrom('', 'x'.repeat(511), 'x'.repeat(512), 'x'.repeat(70_000)),
  )
  const files = fc
    .uniqueArray(fc.tuple(path, content), {
      maxLength: 6,
      selector: ([name]) => name.normalize('NFC').toLowerCase(),
    })
    .map((list) => Object.fromEntries(list.map(([name, text], index) => [`${index}/${name}`, text])))

  test.skipIf(!program)('whatever the names, sizes, form and pieces, are read as they were packed', () =>
    fc.assert(
      fc.asyncProperty(
        files,
        fc.constantFrom('gnu', 'pax', 'posix'),
        fc.integer({ min: 1, max: 5000 }),
        async (given, form, size) => {
          const bytes = packed(folderOf(given), `--format=${form}`)
          expect(Object.fromEntries(await read(bytes, { size }))).toEqual(given)
          const passed = await read(bytes, { size, isRead: () => false })
          expect(passed.map(([name]) => name).sort()).toEqual(Object.keys(given).sort())
        },
      ),
      { numRuns: 25 },
    ),
  )

  test.skipIf(!program)('in the form of ustar, with a path in two parts', async () => {
    const name = `${'d'.repeat(90)}/${'e'.repeat(50)}/f.csv`
    const bytes = packed(folderOf({ [name]: 'a\n1\n' }), '--format=ustar')
    expect(await read(bytes)).toEqual([[name, 'a\n1\n']])
  })

  test.skipIf(!program)('with links, holes, or in the form before POSIX are refused', async () => {
    const folder = folderOf({ 'a.csv': 'a\n' })
    const refusal = (bytes: Uint8Array) => expect(read(bytes)).rejects
    await refusal(packed(folder, '--format=v7')).toMatchObject({ code: 'ARCHIVE_INVALID' })
    symlinkSync('a.csv', join(folder, 'b.csv'))
    await refusal(packed(folder)).toMatchObject({ code: 'ARCHIVE_INVALID' })
    const holes = folderOf({ 'a.csv': 'a\n' })
    truncateSync(join(holes, 'a.csv'), 1 << 20)
    for (const form of ['gnu', 'pax'])
      await refusal(packed(holes, `--format=${form}`, '--sparse')).toMatchObject({ code: 'ARCHIVE_INVALID' })
    await refusal(packed(folderOf({ a: '' }), '--format=gnu', '--label=x')).toMatchObject({
      code: 'ARCHIVE_INVALID',
    })
  })
})

describe('readTar', () => {
  const two = [
    { name: 'a.csv', data: Buffer.from('one') },
    { name: 'b.csv', data: Buffer.alloc(600, 'b') },
  ]

  test('a file is read once, before the next one, and what is left of it is passed over', async () => {
    const once = { code: 'ARCHIVE_INVALID', message: expect.stringContaining('read once') }
    const entries: ArchiveEntry[] = []
    let half: AsyncIterator<Uint8Array> | undefined
    const third = { name: 'c.csv', data: Buffer.from('three') }
    for await (const entry of readTar(inPieces(tar([...two, third]), 100), fullLimits(defaultSourceLimits))) {
      entries.push(entry)
      if (entry.path === 'a.csv') {
        await textOf(entry)
        await expect(textOf(entry)).rejects.toMatchObject(once)
      }
      if (entry.path === 'b.csv') {
        half = entry.open()[Symbol.asyncIterator]()
        await half.next()
      }
    }
    expect(entries.map(({ path }) => path)).toEqual(['a.csv', 'b.csv', 'c.csv'])
    for (const entry of entries) await expect(textOf(entry)).rejects.toMatchObject(once)
    // What was left of it is gone: it does not end as if it were whole.
    await expect(half?.next()).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
  })

  test('the stream is let go when the archive is not read to its end', async () => {
    let closed = false
    async function* source() {
      try {
        yield* inPieces(tar(two), 100)
      } finally {
        closed = true
      }
    }
    for await (const _ of readTar(source(), fullLimits(defaultSourceLimits))) break
    expect(closed).toBe(true)
  })

  test('sizes may stand in an extended header, also those that octal digits cannot hold', async () => {
    const sized = [pax([['size', '3']]), two[0] ?? {}]
    expect(await read(tar(sized))).toEqual([['a.csv', 'one']])
    const large = tar([pax([['size', String(8 ** 11)]]), { ...two[0], size: '00000000000\0' }])
    await expect(read(large, { limits: { expandedBytes: 8 ** 11 - 1 } })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    })
    await expect(read(large, { limits: { expandedBytes: 8 ** 11 } })).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      place: 'entry 1',
    })
    const binary = tar([{ ...two[0], form: 'gnu', size: `\x80${'\0'.repeat(10)}\x03` }])
    expect(await read(binary)).toEqual([['a.csv', 'one']])
  })

  test('a header that other readers know to be of Schily’s tar is refused: they would read another path', async () => {
    const prefix = `${'p'.repeat(131)}${'00000000000 00000000000 '}`
    expect(await read(tar([{ ...two[0], prefix }]))).toEqual([[`${prefix}/a.csv`, 'one']])
    const marked = tar([{ ...two[0], prefix, raw: [[508, Buffer.from('tar\0')]] }])
    await expect(read(marked)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID', place: 'entry 1' })
  })

  test('what is read counts with all that the export expands to', async () => {
    const limits = fullLimits({ ...defaultSourceLimits, expandedBytes: 1000 })
    const expansion = { bytes: 500 }
    const all = async () => {
      for await (const entry of readTar(inPieces(tar(two), 100), limits, expansion)) await textOf(entry)
    }
    await expect(all()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', place: 'entry 2' })
  })

  const good = tar([pax([['path', 'c.csv']]), ...two])
  property(
    'a change of a byte is refused, or changes no path and no size',
    [fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })],
    async (at, change) => {
      const changed = Uint8Array.from(good)
      changed[at] = (changed[at] ?? 0) ^ change
      try {
        const found = await read(changed)
        // The content of an extended header has no sum: another path may stand there.
        expect(found.map(([, text]) => text?.length)).toEqual([3, 600])
        if (at < 512 || at >= 1024) expect(found.map(([path]) => path)).toEqual(['c.csv', 'b.csv'])
      } catch (error) {
        expect(error).toBeInstanceOf(RefineError)
      }
    },
  )
})
