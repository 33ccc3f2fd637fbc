import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { readSealedArchive, removeSealedArchive, writeSealedArchive, writtenFile } from './sealed-archive.js'

const directory = mkdtempSync(join(tmpdir(), 'sealpool-archive-'))
afterAll(() => rmSync(directory, { recursive: true }))
const place = { path: join(directory, 'kept'), key: new Uint8Array(32).fill(1), about: 'a test' }
const room = 10_000_000
const random = platformRandom
const piece = 2 ** 20

const text = (value: string): Uint8Array => Buffer.from(value)
const written = async (files: Readonly<Record<string, Uint8Array>>, to = place): Promise<boolean> =>
  writeSealedArchive(
    to,
    Object.entries(files).map(([path, bytes]) => writtenFile({ path, bytes })),
    { random },
  )
const read = (from = place, mostBytes = room) => {
  const files = readSealedArchive(from, mostBytes)
  // As digests: a matcher takes seconds over megabytes.
  return files && Object.fromEntries(files.map(({ path, bytes }) => [path, digestOf(bytes)]))
}
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('a sealed archive', () => {
  beforeEach(() => removeSealedArchive(place.path))

  it.each([0, 1, piece - 100, piece, 3 * piece + 5])(
    'gives back files of %i bytes, and others',
    async (length) => {
      const files = {
        'folder/': new Uint8Array(),
        'folder/é': text('secret text'),
        long: Buffer.alloc(length, 'secret text'),
      }
      expect(await written(files)).toBe(true)
      expect(read()).toEqual(
        Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, digestOf(bytes)])),
      )
      expect(readFileSync(place.path).includes('secret')).toBe(false)
      expect(statSync(place.path).mode & 0o777).toBe(0o600)
      expect(readdirSync(directory)).toEqual(['kept'])
    },
  )

  it('is not read when one byte is another, or one is missing or added, wherever', async () => {
    await written({ long: Buffer.alloc(2 * piece, 7) })
    const whole = readFileSync(place.path)
    for (const at of [0, 31, 32, piece, 32 + piece + 16, whole.length - 17, whole.length - 1]) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      writeFileSync(place.path, changed)
      expect(read()).toBeUndefined()
    }
    for (const length of [0, 1, 32, 40, 48, 32 + piece + 16, 32 + 2 * (piece + 16), whole.length - 1]) {
      writeFileSync(place.path, whole.subarray(0, length))
      expect(read()).toBeUndefined()
    }
    writeFileSync(place.path, Buffer.concat([whole, Buffer.alloc(1)]))
    expect(read()).toBeUndefined()
    const at = (number: number) =>
      whole.subarray(32 + number * (piece + 16), 32 + (number + 1) * (piece + 16))
    writeFileSync(place.path, Buffer.concat([whole.subarray(0, 32), at(1), at(0), at(2)]))
    expect(read()).toBeUndefined()
    writeFileSync(place.path, whole)
    expect(read()).toBeDefined()
  })

  it('is not read with another key, as something else, or with pieces of another one', async () => {
    await written({ a: Buffer.alloc(piece, 1) })
    expect(read({ ...place, key: new Uint8Array(32).fill(2) })).toBeUndefined()
    expect(read({ ...place, about: 'another test' })).toBeUndefined()
    expect(read({ ...place, path: join(directory, 'none') })).toBeUndefined()
    expect(read(place, piece)).toBeUndefined()
    const first = readFileSync(place.path)
    await written({ a: Buffer.alloc(piece, 2) })
    const second = readFileSync(place.path)
    const cut = 32 + piece + 16
    writeFileSync(place.path, Buffer.concat([first.subarray(0, cut), second.subarray(cut)]))
    expect(read()).toBeUndefined()
  })

  it('is the old one, whole, until the new one is: at each step of the writing', async () => {
    await written({ a: text('old') })
    const found: unknown[] = []
    let steps = 0
    const wanted = () => {
      steps += 1
      if (steps < 6) found.push(read())
      return true
    }
    const files = [writtenFile({ path: 'a', bytes: Buffer.alloc(3 * piece, 1) })]
    expect(await writeSealedArchive(place, files, { random, wanted })).toBe(true)
    expect(found).toEqual(Array(5).fill({ a: digestOf(text('old')) }))
    expect(read()).toEqual({ a: digestOf(Buffer.alloc(3 * piece, 1)) })
  })

  it('that is not wanted any more leaves nothing, whenever that is', async () => {
    const files = [writtenFile({ path: 'a', bytes: Buffer.alloc(3 * piece, 1) })]
    for (let last = 0; last < 6; last += 1) {
      let steps = 0
      const wanted = () => steps++ < last
      expect(await writeSealedArchive(place, files, { random, wanted })).toBe(false)
      expect(readdirSync(directory)).toEqual([])
    }
  })

  it('that cannot be written is told and leaves nothing, and what a kill left is taken away', async () => {
    const below = { ...place, path: join(directory, 'none', 'kept') }
    await expect(written({ a: text('b') }, below)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(
      writeSealedArchive(place, [writtenFile({ path: 'a', bytes: Buffer.alloc(3 * piece) })], {
        random,
        wanted() {
          // As a disk says it that is full.
          throw Object.assign(new Error('No space left on device'), { code: 'ENOSPC' })
        },
      }),
    ).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(readdirSync(directory)).toEqual([])
    for (const name of ['kept', 'kept.part']) writeFileSync(join(directory, name), 'half of it')
    expect(read()).toBeUndefined()
    removeSealedArchive(place.path)
    expect(existsSync(`${place.path}.part`)).toBe(false)
    expect(existsSync(place.path)).toBe(false)
  })
})
