import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { platformRandom } from '@sealpool/crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { diskFull, scratchBytes } from '../testing/scratch-bytes.js'
import { memoryPool } from './memory-room.js'
import { namelessFile, ScratchFile, type ScratchPlace, scratchPrefix } from './scratch-file.js'

const pieceBytes = 64
const tagBytes = 16
const opened = () => {
  const disk = scratchBytes()
  return { disk, file: new ScratchFile({ open: () => disk, pieceBytes, random: platformRandom }) }
}
const piece = (text: string): Uint8Array => Buffer.from(text.padEnd(pieceBytes, '.'))
const tampered = expect.objectContaining({ code: 'SCRATCH_TAMPERED', place: 'data directory' })
const failed = expect.objectContaining({ code: 'SCRATCH_FAILED', place: 'data directory' })

describe('the scratch file', () => {
  it('gives back what was put there, of any length, and has nothing legible', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: pieceBytes }), { maxLength: 12 }), (pieces) => {
        const { file } = opened()
        const places = pieces.map((bytes) => file.put(bytes))
        for (const [index, place] of places.entries())
          expect(Buffer.from(file.get(place)).equals(Buffer.from(pieces[index] ?? []))).toBe(true)
      }),
    )
    const { disk, file } = opened()
    file.put(piece('a canary in a row'))
    expect(disk.bytes.length).toBe(pieceBytes + tagBytes)
    expect(disk.bytes.includes('canary')).toBe(false)
  })

  it('finds out any byte that was changed, and leaves the other pieces as they were', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: pieceBytes + tagBytes - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, change) => {
          const { disk, file } = opened()
          const [first, second] = [file.put(piece('first')), file.put(piece('second'))]
          disk.bytes.writeUInt8(disk.bytes.readUInt8(at) ^ change, at)
          expect(() => file.get(first)).toThrow(tampered)
          expect(file.get(second)).toEqual(piece('second'))
        },
      ),
    )
  })

  it('finds out pieces that were swapped, cut off, or put back as they were before', () => {
    const { disk, file } = opened()
    const slot = pieceBytes + tagBytes
    const [first, second] = [file.put(piece('first')), file.put(piece('second'))]
    const before = Buffer.from(disk.bytes)
    disk.bytes = Buffer.concat([before.subarray(slot), before.subarray(0, slot)])
    for (const place of [first, second]) expect(() => file.get(place)).toThrow(tampered)
    disk.bytes = before
    expect(file.get(second)).toEqual(piece('second'))
    // What was read just now is not taken for what is missing.
    for (const missing of [1, pieceBytes, pieceBytes + tagBytes]) {
      disk.bytes = before.subarray(0, -missing)
      expect(() => file.get(second)).toThrow(tampered)
    }
    expect(file.get(first)).toEqual(piece('first'))
    disk.bytes = Buffer.from(before)
    file.free(first)
    const newer = file.put(piece('newer'))
    expect(newer.slot).toBe(first.slot)
    expect(file.get(newer)).toEqual(piece('newer'))
    disk.bytes.set(before.subarray(0, slot))
    expect(() => file.get(newer)).toThrow(tampered)
    disk.bytes = Buffer.alloc(0)
    expect(() => file.get(second)).toThrow(tampered)
  })

  it('holds a piece to its place and its length as well as to its number', () => {
    const { disk, file } = opened()
    const place = file.put(piece('one'))
    disk.bytes = Buffer.concat([disk.bytes, disk.bytes])
    const moved: ScratchPlace = { ...place, slot: 1 }
    expect(() => file.get(moved)).toThrow(tampered)
    expect(() => file.get({ ...place, number: place.number + 1 })).toThrow(tampered)
    expect(() => file.get({ ...place, length: place.length - 1 })).toThrow(tampered)
    expect(file.get(place)).toEqual(piece('one'))
  })

  it('never seals two pieces alike, not after writing one has failed either', () => {
    const { disk, file } = opened()
    const seen = new Set<string>()
    for (let round = 0; round < 6; round += 1) {
      disk.writeError = round % 2 === 0 ? diskFull() : undefined
      try {
        file.free(file.put(piece('the same')))
      } catch (error) {
        expect(error).toEqual(failed)
      }
      seen.add(disk.bytes.toString('hex'))
    }
    // All in one place.
    expect(disk.bytes.length).toBe(pieceBytes + tagBytes)
    expect(seen.size).toBe(6)
  })

  it('writes on where the system took a part, and says what a full or broken disk says', () => {
    const { disk, file } = opened()
    disk.mostWritten = 7
    const place = file.put(piece('in parts'))
    expect(file.get(place)).toEqual(piece('in parts'))
    disk.mostWritten = 0
    expect(() => file.put(piece('none'))).toThrow(failed)
    disk.mostWritten = 1000
    disk.writeError = diskFull()
    expect(() => file.put(piece('full'))).toThrow(
      expect.objectContaining({ code: 'SCRATCH_FAILED', cause: disk.writeError }),
    )
    disk.readError = new Error('EIO: i/o error, read')
    expect(() => file.get(place)).toThrow(failed)
    disk.writeError = undefined
    disk.readError = undefined
    expect(file.get(file.put(piece('room again')))).toEqual(piece('room again'))
    const last = file.put(piece('of before the end'))
    file.close()
    expect(disk.closed).toBe(true)
    expect(() => file.get(last)).toThrow(tampered)
  })
})

describe('a file without a name', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sealpool-scratch-'))
  afterAll(() => rmSync(directory, { recursive: true }))

  it('is read and written by place, and nothing of it is in the folder while it is open or after', () => {
    writeFileSync(join(directory, 'state'), 'what is none of its')
    const file = namelessFile(directory)
    expect(readdirSync(directory)).toEqual(['state'])
    rmSync(join(directory, 'state'))
    expect(file.write(piece('there'), 100)).toBe(pieceBytes)
    const into = Buffer.alloc(pieceBytes)
    expect(file.read(into, 100)).toBe(pieceBytes)
    expect(into).toEqual(piece('there'))
    expect(file.read(into, 1_000)).toBe(0)
    file.close()
    expect(readdirSync(directory)).toEqual([])
    expect(() => file.read(into, 100)).toThrow('EBADF')
  })

  it.runIf(process.platform === 'linux')('is no other’s in the same folder, and goes to no child', () => {
    const pieces = ['first', 'second'].map(piece)
    const files = pieces.map((bytes) => {
      const file = namelessFile(directory)
      file.write(bytes, 0)
      return file
    })
    const into = Buffer.alloc(pieceBytes)
    for (const [index, file] of files.entries()) {
      file.read(into, 0)
      expect(into).toEqual(pieces[index])
    }
    const modes = readdirSync('/proc/self/fd').flatMap((descriptor) => {
      const path = `/proc/self/fd/${descriptor}`
      try {
        const isOne = readlinkSync(path).startsWith(join(directory, scratchPrefix))
        return isOne ? [statSync(path).mode & 0o777] : []
      } catch {
        // The folder itself, which is closed by now.
        return []
      }
    })
    expect(modes).toEqual([0o600, 0o600])
    const descriptors = (of: string) => {
      const { stdout } = spawnSync('ls', ['-l', `/proc/${of}/fd`], { encoding: 'utf8' })
      return stdout.split(`${directory}/${scratchPrefix}`).length - 1
    }
    expect([descriptors(String(process.pid)), descriptors('self')]).toEqual([2, 0])
    for (const file of files) file.close()
  })

  /** Opens one in a process of its own, and writes to it. @returns how that ended */
  const opensOne = (before: string, after: string) => {
    const source = fileURLToPath(new URL('./scratch-file.ts', import.meta.url))
    const { signal, stderr } = spawnSync(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '--eval',
        `${before}
         const { namelessFile } = await import(${JSON.stringify(source)})
         const file = namelessFile(${JSON.stringify(directory)})
         file.write(Buffer.alloc(1000, 1), 0)
         ${after}`,
      ],
      { encoding: 'utf8' },
    )
    return [signal, stderr]
  }
  const killed = `process.kill(process.pid, 'SIGKILL')
    setInterval(() => {}, 1000)`

  it('is gone after a kill', { timeout: 120_000 }, () => {
    expect(opensOne('', killed)).toEqual(['SIGKILL', ''])
    expect(readdirSync(directory)).toEqual([])
  })

  it('is gone at the next start after a kill while it still had its name, empty', {
    timeout: 120_000,
  }, () => {
    const atOnce = `import fs from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      const { openSync } = fs
      fs.openSync = (path, ...how) => {
        const file = openSync(path, ...how)
        if (how[0] === 'wx+') ${killed.split('\n')[0]}
        return file
      }
      syncBuiltinESMExports()`
    expect(opensOne(atOnce, '')).toEqual(['SIGKILL', ''])
    const [left, ...more] = readdirSync(directory)
    expect(left).toMatch(scratchPrefix)
    expect(more).toEqual([])
    expect(statSync(join(directory, left ?? '')).size).toBe(0)
    writeFileSync(join(directory, 'state'), 'what is none of its')
    // Each start opens a database, before it needs such a file if it ever does.
    memoryPool({ directory, random: platformRandom }).close()
    expect(readdirSync(directory)).toEqual(['state'])
    rmSync(join(directory, 'state'))
    // Nor does it mind a folder that is not there yet.
    memoryPool({ directory: join(directory, 'none'), random: platformRandom }).close()
    expect(readdirSync(directory)).toEqual([])
  })
})
