import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Digest } from '@sealpool/crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareLeaves, leafBytes, leafPrefix, sha256 } from './leaf-hash.js'
import { createLeafWriter } from './leaf-runs.js'
import { createLeafSorter } from './leaf-sorter.js'
import { createRootFolder } from './root-folder.js'
import { isMergedRun, type LeafFile, rootOfRuns } from './root-of-runs.js'

const key = new Uint8Array(32).fill(3)
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-leaves-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const leaves = (count: number, of = count) =>
  Array.from({ length: count }, (_, index) => sha256(Buffer.from(String(index % of))))
const rootOf = (all: readonly Uint8Array[]) => {
  const root = createRootFolder()
  for (const leaf of [...all].sort(Buffer.compare)) root.add(leaf, 0)
  return Buffer.from(root.root()).toString('hex')
}
async function write(all: readonly Uint8Array[], runLeaves: number, name = 'f'): Promise<LeafFile> {
  const path = join(folder, `${name}.leaves`)
  const writer = await createLeafWriter({ path, name, key, runLeaves })
  await writer.add(Buffer.concat(all))
  return { path, name, runs: await writer.finish() }
}
const told = async (files: readonly LeafFile[], most?: number) => {
  const given = { folder, ...(most === undefined ? {} : { most }) }
  const { root, leaves: count } = await rootOfRuns(files, key, given)
  return [Buffer.from(root).toString('hex'), count]
}

describe('the root of runs', () => {
  test.each([0, 1, 2, 3, 7, 100, 5000, 70_000])(
    'is that of %i sorted leaves, over any runs and files',
    async (count) => {
      const all = leaves(count)
      const files = [
        await write(all.slice(0, count / 3), 700, 'a'),
        await write(all.slice(count / 3), count > 10_000 ? 9_000 : 700, 'b'),
      ]
      expect(await told(files)).toEqual([rootOf(all), count])
      if (count === 0) return
      const damaged = { code: 'JOB_INVALID' }
      await expect(rootOfRuns(files, new Uint8Array(32), { folder })).rejects.toMatchObject(damaged)
      const swapped = files.map((file) => ({ ...file, name: 'other' }))
      await expect(rootOfRuns(swapped, key, { folder })).rejects.toMatchObject(damaged)
      const path = files[1]?.path ?? ''
      writeFileSync(path, readFileSync(path).subarray(0, -1))
      await expect(rootOfRuns(files, key, { folder })).rejects.toMatchObject(damaged)
    },
  )

  test.each([1, 2, 3, 20])(
    'of rows that repeat, %i of them different, is that of all of them',
    async (of) => {
      const all = leaves(20_000, of)
      expect(await told([await write(all, 3_000)])).toEqual([rootOf(all), 20_000])
    },
  )

  test('of more runs than may be open is the same, and what was merged on the way is gone', async () => {
    const all = [...leaves(4_000), ...leaves(3_000, 5)]
    const files = [await write(all.slice(0, 3_900), 100, 'a'), await write(all.slice(3_900), 1_100, 'b')]
    const want = [rootOf(all), 7_000]
    for (const most of [2, 3, 10, 41, 42, 768]) expect(await told(files, most)).toEqual(want)
    expect(readdirSync(folder).sort()).toEqual(['a.leaves', 'b.leaves'])
    await expect(rootOfRuns(files, new Uint8Array(32), { folder, most: 3 })).rejects.toMatchObject({
      code: 'JOB_INVALID',
    })
    expect(readdirSync(folder).sort()).toEqual(['a.leaves', 'b.leaves'])
  })

  test('of leaves that begin alike is in their order to the last byte', async () => {
    const leaf = (number: number) => {
      const bytes = Buffer.alloc(leafBytes, 9)
      bytes.writeUInt32BE(number, 28)
      return bytes
    }
    const low = Array.from({ length: 70_000 }, (_, number) => leaf(number))
    const high = Array.from({ length: 2_000 }, (_, number) => leaf(100_000 + number))
    const files = [await write(high, 10_000, 'a'), await write(low, 100_000, 'b')]
    expect(await told(files)).toEqual([rootOf([...low, ...high]), 72_000])
  })

  test('knows what a killed job leaves of it', () => {
    expect(['.merged.0.leaves', '.merged.12.leaves'].every(isMergedRun)).toBe(true)
    expect(['000000.merged.leaves', '.merged.x.leaves', '.merged.1.leaves.bak'].some(isMergedRun)).toBe(false)
  })
})

describe('sorting', () => {
  test('puts any hashes in order, wherever they lie in memory', () => {
    const sort = createLeafSorter()
    // Few different bytes, so that prefixes and whole hashes are often equal.
    const leaf = fc.tuple(fc.nat(2), fc.nat(2), fc.constantFrom(0, 1, 254, 255)).map(([a, b, last]) => {
      const bytes = Buffer.alloc(leafBytes, a)
      bytes[5] = b
      bytes[31] = last
      return bytes
    })
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 200 }), fc.nat(5), (all, offset) => {
        const memory = Buffer.concat([Buffer.alloc(offset), ...all])
        const hashes = Uint8Array.from(memory).subarray(offset)
        sort(hashes)
        expect(Buffer.from(hashes)).toEqual(Buffer.concat([...all].sort(Buffer.compare)))
      }),
      { numRuns: 300 },
    )
  })

  test('of hashes that somebody chose to begin alike takes no square of their number', () => {
    // Two that share a bucket, by turns, and two far away from them: by insertion 60,000 would need 450 million comparisons.
    const chosen = (middle: number) => {
      const bytes = Buffer.alloc(leafBytes, 128)
      bytes[6] = middle
      return bytes
    }
    const pair = Buffer.concat([chosen(2), chosen(1)])
    const hashes = new Uint8Array(
      Buffer.concat([Buffer.alloc(32, 255), ...Array.from({ length: 30_000 }, () => pair), Buffer.alloc(32)]),
    )
    const started = performance.now()
    createLeafSorter()(hashes)
    expect(performance.now() - started).toBeLessThan(3_000)
    for (let at = leafBytes; at < hashes.length; at += leafBytes)
      if (compareLeaves(hashes, at - leafBytes, hashes, at) > 0) throw new Error(`out of order at ${at}`)
    expect(leafPrefix(hashes, 0)).toBe(0)
  })

  test('sha256 is that of the platform', () => {
    expect(`sha256:${Buffer.from(sha256(Buffer.from('ab'), Buffer.from('c'))).toString('hex')}`).toBe(
      sha256Digest(Buffer.from('abc')),
    )
  })
})
