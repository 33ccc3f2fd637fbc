import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { createProject } from './create-project.js'

const disk = vi.hoisted(() => ({ room: 3 }))
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  return {
    ...real,
    // A disk that is full in the middle of a file, as a small one was seen to be.
    writeFile: async (...args: Parameters<typeof real.writeFile>) => {
      disk.room -= 1
      if (disk.room > 0) return real.writeFile(...args)
      await real.writeFile(args[0], '')
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    },
  }
})

const folder = mkdtempSync(join(tmpdir(), 'sealpool-create-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a disk that is full leaves nothing behind, so that the same command works once there is room', async () => {
  const own = join(folder, 'new')
  await expect(createProject(own)).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringContaining('cannot be made or written to (ENOSPC)'),
  })
  expect(readdirSync(own, { recursive: true })).toEqual(['examples'])
  disk.room = Infinity
  expect(await createProject(own)).toContain(join(own, 'proof.ts'))
})
