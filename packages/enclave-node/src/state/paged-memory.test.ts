import { describe, expect, it } from 'vitest'
import { scratchBytes, scratchPool } from '../testing/scratch-bytes.js'
import { PagedMemory } from './paged-memory.js'
import { PiecePool } from './piece-pool.js'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const contentOf = (memory: PagedMemory, path: string): string => {
  const into = Buffer.alloc(memory.lstat(path).size)
  memory.read(memory.open(path), into, 0, into.length, 0)
  return into.toString()
}
const filled = () =>
  new PagedMemory([
    { path: 'base/', bytes: new Uint8Array() },
    { path: 'base/1', bytes: bytes('one') },
    { path: 'base/12', bytes: bytes('twelve') },
    { path: 'top', bytes: bytes('top') },
  ])

describe('files in memory', () => {
  it('begin as they were given, and are named by folder', () => {
    const memory = filled()
    expect(memory.readdir('')).toEqual(['.', '..', 'base', 'top'])
    expect(memory.readdir('/base')).toEqual(['.', '..', '1', '12'])
    expect(contentOf(memory, '/base/12')).toBe('twelve')
    expect(memory.lstat('/base').mode & 0o170000).toBe(0o040000)
    expect(memory.lstat('/top')).toMatchObject({ mode: 0o100600, size: 3 })
  })

  it('are made, written, cut, renamed with what is in them, and removed', () => {
    const memory = filled()
    memory.mkdir('/new', { mode: 0o40700 })
    memory.writeFile('/new/a', '', { mode: 0o100600 })
    const fd = memory.open('/new/a')
    // As PGlite gives it: the whole memory, and where in it the bytes lie.
    const whole = new Uint8Array(bytes('..text..'))
    expect(memory.write(fd, whole, 2, 4, 1)).toBe(4)
    expect(contentOf(memory, '/new/a')).toBe('\0text')
    memory.truncate('/new/a', 3)
    memory.rename('/new', '/newer')
    expect(contentOf(memory, '/newer/a')).toBe('\0te')
    memory.rename('/newer/a', '/top')
    expect(contentOf(memory, '/top')).toBe('\0te')
    memory.rmdir('/newer')
    memory.unlink('/top')
    // Who has it open reads it still.
    expect(memory.fstat(fd).size).toBe(3)
    memory.close(fd)
    expect(memory.entries().map(({ path }) => path)).toEqual(['base', 'base/1', 'base/12'])
  })

  it('are refused as PGlite knows it', () => {
    const memory = filled()
    const refused = (work: () => unknown) => {
      try {
        work()
      } catch (error) {
        return (error as { readonly code: unknown }).code
      }
      return undefined
    }
    expect(refused(() => memory.lstat('/none'))).toBe(44)
    expect(refused(() => memory.unlink('/none'))).toBe(44)
    expect(refused(() => memory.open('/base'))).toBe(31)
    expect(refused(() => memory.truncate('/base', 0))).toBe(31)
    expect(refused(() => memory.mkdir('/base'))).toBe(20)
    expect(refused(() => memory.readdir('/top'))).toBe(54)
    expect(refused(() => memory.rmdir('/base'))).toBe(55)
    expect(refused(() => memory.read(99, new Uint8Array(1), 0, 1, 0))).toBe(8)
  })

  it('take over what is in another file system, but for whose it is', () => {
    const other = filled()
    other.writeFile('/postmaster.pid', '42')
    expect(other.isEmpty()).toBe(false)
    const memory = new PagedMemory()
    expect(memory.isEmpty()).toBe(true)
    const inFolder = (path: string) => path.slice('/data'.length)
    memory.takeFrom(
      {
        readdir: (path) => other.readdir(inFolder(path)),
        stat: (path) => other.lstat(inFolder(path)),
        isDir: (mode) => (mode & 0o170000) === 0o040000,
        readFile: (path) => bytes(contentOf(other, inFolder(path))),
      },
      '/data',
    )
    expect(memory.entries().map(({ path }) => path)).toEqual(['base', 'base/1', 'base/12', 'top'])
    expect(contentOf(memory, '/base/12')).toBe('twelve')
  })

  it('give their room back when nobody can read them any more', () => {
    const pool = new PiecePool()
    const memory = new PagedMemory([], pool)
    const room = (work: () => void): number => {
      work()
      return pool.presentBytes
    }
    const content = bytes('x'.repeat(1_000))
    const first = room(() => memory.writeFile('/a', content))
    expect(first).toBeGreaterThan(0)
    expect(room(() => memory.writeFile('/a', content))).toBe(first)
    expect(room(() => memory.writeFile('/b', content))).toBe(2 * first)
    expect(room(() => memory.rename('/b', '/a'))).toBe(first)
    const [one, another] = [memory.open('/a'), memory.open('/a')]
    expect(room(() => memory.close(memory.open('/a')))).toBe(first)
    expect(room(() => memory.unlink('/a'))).toBe(first)
    expect(room(() => memory.close(one))).toBe(first)
    expect(memory.fstat(another).size).toBe(1_000)
    expect(room(() => memory.close(another))).toBe(0)
    room(() => memory.writeFile('/a', content))
    expect(room(() => memory.unlink('/a'))).toBe(0)
  })

  it('tell PGlite of a failure when a part does not come back, and say which it was', () => {
    const disk = scratchBytes()
    const memory = new PagedMemory([{ path: 'a', bytes: bytes('a'.repeat(1_000)) }], scratchPool(1_000, disk))
    memory.writeFile('/b', bytes('b'.repeat(1_000)))
    memory.writeFile('/c', bytes('c'.repeat(1_000)))
    expect(memory.fault()).toBeUndefined()
    disk.bytes.fill(0)
    const fd = memory.open('/a')
    for (const work of [
      () => memory.read(fd, Buffer.alloc(10), 0, 10, 0),
      () => memory.write(fd, Buffer.alloc(10), 0, 10, 0),
      () => memory.truncate('/a', 10),
    ]) {
      expect(work).toThrow(
        expect.objectContaining({ code: 29, cause: expect.objectContaining({ code: 'SCRATCH_TAMPERED' }) }),
      )
    }
    expect(memory.fault()).toMatchObject({ code: 'SCRATCH_TAMPERED' })
  })
})
