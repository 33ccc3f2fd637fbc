import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { parseJsonText } from './json-source.js'
import { defaultSourceLimits } from './source-limits.js'

const limits = { ...defaultSourceLimits, records: 1_000_000_000 }
const times = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at))
const list = (parts: readonly string[]) => `[${parts.join(',')}]`
const object = (names: readonly string[]) => `{${names.map((name) => `"${name}":1`).join(',')}}`

const isRead = (text: string, memory: number) => {
  try {
    expect(parseJsonText(text, limits, { memory })).toEqual(JSON.parse(text))
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', message: expect.stringContaining('memory') })
    return false
  }
}

describe('what a document takes is counted', () => {
  test('rows of the same names take less than rows of names of their own, or in an order of their own', () => {
    const names = times(6, (at) => `name${at}`)
    const turned = (by: number) => names.map((_, at) => names[(at * (1 + (by % 5)) + by) % 6] ?? '')
    const same = list(times(100, () => object(names)))
    const own = list(times(100, (row) => object(names.map((name) => `${name.slice(1)}${row}`))))
    expect(isRead(same, 60_000)).toBe(true)
    expect(isRead(own, 60_000)).toBe(false)
    expect(isRead(own, 240_000)).toBe(true)
    // Thirty orders are known after a while.
    expect(isRead(list(times(100, (row) => object([...new Set(turned(row))]))), 60_000)).toBe(true)
  })
  test.each<[string, string, number]>([
    ['numbers', list(times(100, String)), 4_400],
    ['texts', list(times(100, () => '"abcdefgh"')), 6_900],
    ['long texts', JSON.stringify(['x'.repeat(10_000)]), 20_100],
    ['characters of two bytes', JSON.stringify(['\u20ac'.repeat(10_000)]), 40_100],
    ['lists', list(times(100, () => '[]')), 20_300],
    ['objects', list(times(100, () => '{}')), 9_900],
    ['an object of many names', object(times(100, (at) => `n${at}`)), 24_000],
    ['a long name', object(['n'.repeat(10_000)]), 20_200],
  ])('%s', (_, text, most) => {
    const behind = `[${text},0]`
    expect(isRead(behind, most)).toBe(false)
    expect(isRead(behind, most * 1.2 + 500)).toBe(true)
  })
})

test('a document in its worst shapes is refused before the heap is full', async () => {
  const bundled = await build({
    entryPoints: [fileURLToPath(new URL('./json-source.ts', import.meta.url))],
    bundle: true,
    format: 'cjs',
    write: false,
  })
  // A scale model: the memory of a document is half of the heap (of 2 GB it is three quarters), and without the count each is out of memory.
  const script = `
    const { workerData, parentPort } = require('node:worker_threads')
    const module = { exports: {} }
    ${bundled.outputFiles[0]?.text ?? ''}
    for (const bytes of workerData.documents) {
      try {
        module.exports.parseJsonText(new TextDecoder().decode(bytes), workerData.limits, { memory: 48 * 2 ** 20 })
        parentPort.postMessage('read')
      } catch (error) {
        parentPort.postMessage(error.code)
      }
    }`
  const count = 1_000_000
  const name = (at: number) => at.toString(36)
  const documents = [
    list(times(count / 60, () => '['.repeat(60) + ']'.repeat(60))),
    list(
      times(
        count / 60,
        (at) => `${times(59, (depth) => `{"${name(at * 59 + depth)}":`).join('')}1${'}'.repeat(59)}`,
      ),
    ),
    object(times(count, name)),
  ].map((text) => new TextEncoder().encode(text))
  const worker = new Worker(script, {
    eval: true,
    workerData: { documents, limits },
    resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 },
  })
  const told: unknown[] = []
  const code = await new Promise<unknown>((resolve) => {
    worker.on('message', (message) => told.push(message))
    worker.on('error', (error) => resolve(error))
    worker.on('exit', resolve)
  })
  expect([code, ...told]).toEqual([0, ...documents.map(() => 'LIMIT_EXCEEDED')])
})
