import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Digest } from '@sealpool/crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { transferFolder } from './transfer-folder.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-transfer-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const lost = { code: 'HAND_OFF_FILES_LOST' }

describe('files of a transfer', () => {
  it('are written in any order and read as they were, also side by side', async () => {
    const files = transferFolder(folder)
    const bytes = Uint8Array.from({ length: 1_000 }, (_, index) => index % 251)
    const parts = [700, 0, 300].map((at) => ({
      at,
      part: bytes.slice(at, at + (at === 700 ? 300 : at === 0 ? 300 : 400)),
    }))
    await Promise.all(parts.map(({ at, part }) => files.write('ab', 1, at, part)))
    expect(await files.read('ab', 1, 0, 1_000)).toEqual(bytes)
    expect(await files.measure('ab', 1)).toEqual({ bytes: 1_000, digest: sha256Digest(bytes) })
    expect((await stat(join(folder, 'ab'))).mode & 0o777).toBe(0o700)
  })

  it('are missed by name when they are gone or cut', async () => {
    const files = transferFolder(folder)
    await files.write('ab', 1, 0, new Uint8Array(10))
    await expect(files.read('ab', 1, 5, 6)).rejects.toMatchObject(lost)
    await expect(files.read('ab', 2, 0, 1)).rejects.toMatchObject(lost)
    await expect(files.measure('cd', 1)).rejects.toMatchObject(lost)
  })

  it('are removed one transfer at a time, or all', async () => {
    const files = transferFolder(folder)
    for (const name of ['ab', 'cd']) await files.write(name, 0, 0, new Uint8Array(1))
    await files.remove('ab')
    await files.remove('ab')
    expect(await readdir(folder)).toEqual(['cd'])
    await files.clear()
    await files.clear()
    await expect(readdir(folder)).rejects.toThrow()
  })

  it('lie nowhere else, whatever a transfer is called', async () => {
    const files = transferFolder(folder)
    for (const name of ['..', '../x', 'a/b', '', 'A', 'g', '0'.repeat(33)]) {
      await expect(files.write(name, 0, 0, new Uint8Array(1)), name).rejects.toThrow(RangeError)
      expect(() => files.path(name, 0), name).toThrow(RangeError)
    }
  })
})
