import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { createDuckDbEngine } from './duckdb-engine.js'
import { isGuardedFolder, mountOf } from './spill-folder.js'

const folder = mkdtempSync(join(tmpdir(), 'sealpool-spill-'))
afterAll(() => rmSync(folder, { recursive: true }))

const mountinfo = [
  '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
  '30 25 0:27 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=1k',
  '31 27 253:1 / /var/spill rw shared:5 - ext4 /dev/mapper/spill rw',
  '32 27 0:30 / /a\\040b rw - ramfs ramfs rw',
  '33 31 254:0 / /var/spill rw - xfs /dev/vda rw',
  'nonsense',
].join('\n')

describe('where what spills would lie', () => {
  it.each([
    ['/tmp/x', '254:0', 'ext4'],
    ['/dev/shm', '0:27', 'tmpfs'],
    ['/dev/shm/x/y', '0:27', 'tmpfs'],
    ['/dev/shmx', '254:0', 'ext4'],
    // The later of two mounts at one place covers the earlier.
    ['/var/spill/x', '254:0', 'xfs'],
    ['/a b/c', '0:30', 'ramfs'],
  ])('%s is on %s (%s)', (path, device, type) => {
    expect(mountOf(path, mountinfo)).toMatchObject({ device, type })
  })

  it('is nowhere without mounts, and a folder that is not there guards nothing', () => {
    expect(mountOf('/x', '')).toBeNull()
    expect(isGuardedFolder(join(folder, 'missing'))).toBe(false)
  })

  it('is told through links: a link in memory to a disk is a disk', (context) => {
    if (!isGuardedFolder('/dev/shm') || isGuardedFolder(folder))
      context.skip('no tmpfs, or /tmp is in memory')
    const link = `/dev/shm/sealpool-${process.pid}`
    symlinkSync(folder, link)
    try {
      expect(isGuardedFolder(link)).toBe(false)
    } finally {
      rmSync(link)
    }
  })
})

describe('an engine that spills', () => {
  it('does not start on a plain disk', async (context) => {
    if (isGuardedFolder(folder)) context.skip('the temporary folder is in memory here')
    const engine = createDuckDbEngine({ spillFolder: folder })
    await expect(engine.load({ name: 'pay.workers', columns: [], rows: [] })).rejects.toMatchObject({
      code: 'SPILL_FOLDER_UNGUARDED',
    })
    await engine.close()
  })

  it('writes nothing in the clear, and leaves nothing behind', async () => {
    const spillFolder = join(folder, 'spill')
    mkdirSync(spillFolder)
    const engine = createDuckDbEngine({
      memoryLimit: '48MB',
      threads: 1,
      spillFolder,
      spillOnPlainDisk: true,
    })
    const rows = Array.from({ length: 120_000 }, (_, contributor) => ({
      contributor,
      secret: `PRIVATEWAGE${contributor}`.padEnd(200, 'z'),
    }))
    let [written, clear, over] = [0, 0, false]
    const loading = engine
      .load({ name: 'pay.workers', columns: [{ name: 'secret', type: 'text' }], rows })
      .then(
        () => 'loaded',
        () => 'refused',
      )
      .finally(() => {
        over = true
      })
    while (!over) {
      for (const name of readdirSync(spillFolder)) {
        try {
          const bytes = readFileSync(join(spillFolder, name))
          written += bytes.length
          if (bytes.includes('PRIVATEWAGE') || bytes.includes('zzzzzzzzzzzz')) clear += 1
        } catch {
          // DuckDB removes its files when it likes.
        }
      }
      await pause(2)
    }
    await loading
    await engine.close()
    expect(written).toBeGreaterThan(100_000)
    expect(clear).toBe(0)
  }, 60_000)
})
