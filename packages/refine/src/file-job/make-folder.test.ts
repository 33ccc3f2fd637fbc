import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeFolder, removeFolders } from './make-folder.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const inside = (...parts: string[]) => join(folder, ...parts)

describe('makeFolder', () => {
  test('makes what is missing, tells it, and takes it back as far as it is empty', async () => {
    const made = await makeFolder(inside('a', 'b', 'c'), { place: 'x' })
    expect(made).toEqual([inside('a'), inside('a', 'b'), inside('a', 'b', 'c')])
    expect(statSync(inside('a')).mode & 0o777).toBe(0o700)
    expect(await makeFolder(inside('a', 'b', 'c'), { place: 'x' })).toEqual([])
    writeFileSync(inside('a', 'letter'), '')
    await removeFolders(made)
    expect(readdirSync(inside('a'))).toEqual(['letter'])
  })

  test('a folder behind a link is one', async () => {
    symlinkSync(folder, inside('link'))
    expect(await makeFolder(inside('link'), { place: 'x' })).toEqual([])
    expect(await makeFolder(inside('link', 'a'), { place: 'x' })).toEqual([inside('link', 'a')])
  })

  test('two at once make it together', async () => {
    const both = [makeFolder(inside('a', 'b'), { place: 'x' }), makeFolder(inside('a', 'b'), { place: 'x' })]
    const made = (await Promise.all(both)).flat().sort()
    expect(made).toEqual([inside('a'), inside('a', 'b')])
  })

  test('where none can be, says so and leaves none', async () => {
    writeFileSync(inside('file'), '')
    symlinkSync('/nowhere/at/all', inside('gone'))
    const paths = [
      inside('file'),
      inside('file', 'a'),
      inside('gone'),
      inside('new', 'x'.repeat(300)),
      inside('a\0b'),
    ]
    if (existsSync('/proc/self')) paths.push('/proc/x/y', '/proc/x', '/proc/self/fd/9999/x')
    for (const path of paths) {
      await expect(makeFolder(path, { place: 'x' }), path).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
        place: 'x',
      })
    }
    expect(readdirSync(folder).sort()).toEqual(['file', 'gone'])
  })

  test.skipIf(process.getuid?.() === 0)('where nothing may be written', async () => {
    chmodSync(folder, 0o500)
    await expect(makeFolder(inside('a'), { place: 'x' })).rejects.toMatchObject({
      message: expect.stringContaining('EACCES'),
    })
  })
})
