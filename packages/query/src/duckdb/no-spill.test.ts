import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createDuckDbEngine } from './duckdb-engine.js'

/** Where DuckDB would spill: `.tmp` in the working folder of the child, which is the root folder. */
const spilled = () =>
  existsSync('/.tmp') ? readdirSync('/.tmp').filter((name) => name.startsWith('duckdb_temp')) : []

test('a table that does not fit into memory is refused and never spilled to a disk in the clear', async () => {
  const before = spilled()
  const engine = createDuckDbEngine({ memoryLimit: '16MB', timeoutMs: 30_000 })
  const rows = Array.from({ length: 200_000 }, (_, contributor) => ({
    contributor,
    secret: `wage ${contributor} `.padEnd(60, String(contributor * 7919)),
  }))
  const seen: string[] = []
  let over = false
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
    seen.push(...spilled().filter((name) => !before.includes(name)))
    await pause(5)
  }
  expect(await loading).toBe('refused')
  await engine.close()
  expect([...seen, ...spilled().filter((name) => !before.includes(name))]).toEqual([])
})

test('the engine`s process may write no file and no core dump', async () => {
  const { readFileSync } = await import('node:fs')
  const children = () =>
    readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
  const before = children()
  const engine = createDuckDbEngine()
  await engine.load({ name: 'pay.workers', columns: [], rows: [{ contributor: 1 }] })
  const [child] = children().filter((pid) => !before.includes(pid))
  const limits = readFileSync(`/proc/${child}/limits`, 'utf8')
  expect(limits).toMatch(/Max file size\s+0\s/)
  expect(limits).toMatch(/Max core file size\s+0\s/)
  await engine.close()
})
