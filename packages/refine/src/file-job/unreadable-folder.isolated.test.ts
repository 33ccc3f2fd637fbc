import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bundleRefiner } from '../bundle/index.js'
import { folderInputs, runFileJob } from './index.js'

// Of the superuser, whom no permission stops, neither.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  return {
    ...real,
    readdir: async (...given: Parameters<typeof real.readdir>) => {
      if (String(given[0]).endsWith('closed')) throw Object.assign(new Error('no'), { code: 'EACCES' })
      return real.readdir(...given)
    },
  }
})

let folder: string
const exports = () => join(folder, 'exports')
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-unreadable-folder-'))
  mkdirSync(join(exports(), 'shops', 'closed'), { recursive: true })
  mkdirSync(join(folder, 'closed'))
  for (const file of ['a.csv', 'shops/b.csv'])
    writeFileSync(join(exports(), file), 'date,shop,total,paid_by\n2024-01-01,x,1.00,card\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a folder among the exports that cannot be read is refused by name, and the others are refined', async () => {
  const inputs = await folderInputs(exports(), { contributor: 0 })
  expect(inputs.map(({ id }) => id)).toEqual(['a.csv', 'shops/b.csv', 'shops/closed/'])
  const refiner = await bundleRefiner({
    entry: fileURLToPath(new URL('../testing/receipts-refiner.ts', import.meta.url)),
  })
  const { refused, tables } = await runFileJob({
    refiner,
    inputs,
    output: join(folder, 'out'),
    key: new Uint8Array(32).fill(3),
    workers: 0,
  })
  expect(refused).toEqual([
    expect.objectContaining({ id: 'shops/closed/', code: 'ARGUMENT_INVALID', place: 'input' }),
  ])
  expect(Object.values(tables).map(({ rows }) => rows)).toEqual([2])
})

test('a folder that is named itself says why it cannot be read', async () => {
  await expect(folderInputs(join(folder, 'closed'), { contributor: 0 })).rejects.toMatchObject({
    code: 'ARGUMENT_INVALID',
    message: expect.stringContaining('EACCES'),
  })
})
