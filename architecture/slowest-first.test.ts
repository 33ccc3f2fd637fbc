import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { slowest, slowestFirst } from '../slowest-first.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

describe('the test files that start first', () => {
  test('are there: a file that was moved is named by its new place', () => {
    expect(slowest.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('come by what they take, the others behind them in the order that they had', () => {
    const [first = '', second = '', ...rest] = slowest
    expect(rest.length).toBeGreaterThan(0)
    expect(slowestFirst(['z.test.ts', second, 'a.test.ts', first, 'm.test.ts'], (path) => path)).toEqual([
      first,
      second,
      'z.test.ts',
      'a.test.ts',
      'm.test.ts',
    ])
  })
})
