import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canaryScan } from './canary-scan.js'

const text = 'CANARY-8f3a1c0de5577ab1'
const scan = canaryScan([{ what: 'contribution', text }])
const encodings = (bytes: Uint8Array) => scan.bytes('here', bytes).map(({ encoding }) => encoding)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-canary-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('a canary', () => {
  it.each<[string, Uint8Array]>([
    ['as it is', Buffer.from(`{"diary":"${text}-17"}`)],
    ['hexadecimal', Buffer.from(Buffer.from(`x${text}y`).toString('hex'))],
    ['hexadecimal, capitals', Buffer.from(Buffer.from(`x${text}y`).toString('hex').toUpperCase())],
    ['backwards', Buffer.from([...text].reverse().join(''))],
    ['UTF-16', Buffer.from(`a${text}b`, 'utf16le')],
  ])('is found %s', (encoding, bytes) => {
    expect(encodings(bytes)).toContain(encoding)
  })

  it('is found in base64 and base64url, wherever in a text it begins', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (before, after) => {
        const all = Buffer.concat([before, Buffer.from(text), after])
        for (const encoding of ['base64', 'base64url'] as const) {
          expect(encodings(Buffer.from(all.toString(encoding))).length).toBeGreaterThan(0)
        }
      }),
    )
  })

  it('is found in packed bytes', () => {
    const [leak] = scan.bytes('traffic', gzipSync(`{"diary":"${text}"}`))
    expect(leak).toEqual({ place: 'traffic (unpacked)', what: 'contribution', encoding: 'as it is' })
  })

  it('is not found where it is not, and broken packed bytes are no error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => encodings(bytes).length === 0))
    expect(encodings(Buffer.from([0x1f, 0x8b, 1, 2, 3]))).toEqual([])
    expect(encodings(Buffer.from(text.slice(0, -1)))).toEqual([])
  })

  it('is too short to mean anything below 12 characters', () => {
    expect(() => canaryScan([{ what: 'a name', text: 'Ann' }])).toThrow(/a name is too short/)
  })
})

describe('a folder', () => {
  it('is read whole: files in folders, parts of large files, names of files', async () => {
    const inner = join(folder, 'data', 'pglite')
    await mkdir(inner, { recursive: true })
    await writeFile(join(inner, 'clean'), 'nothing here')
    expect((await scan.folder(folder)).leaks).toEqual([])
    // Across the border of what is read at once.
    const large = Buffer.alloc(3 << 20, 0x20)
    large.write(text, (1 << 20) - 7)
    await writeFile(join(inner, 'large'), large)
    await writeFile(join(folder, `${text}.log`), '')
    const { leaks, files, bytes } = await scan.folder(folder)
    expect(leaks.map(({ place }) => place).sort()).toEqual(
      [join(inner, 'large'), `name of ${join(folder, `${text}.log`)}`].sort(),
    )
    expect(files).toBe(3)
    expect(bytes).toBeGreaterThan(3 << 20)
  })
})
