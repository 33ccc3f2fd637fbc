import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { documentationGaps } from './docstrings.js'
import { readArchitecture } from './rules.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

describe('public symbols', () => {
  test.each(Object.keys(readArchitecture(root).packages))('of %s are documented', (name) => {
    const gaps = documentationGaps({ root, name })
    expect(gaps.map(({ file, line, symbol, missing }) => `${file}:${line} ${symbol}: ${missing}`)).toEqual([])
  })
})

describe('the rule of docstrings', () => {
  let planted: string

  beforeEach(() => {
    planted = mkdtempSync(join(tmpdir(), 'sealpool-docstrings-'))
  })
  afterEach(() => {
    rmSync(planted, { recursive: true, force: true })
  })

  const missing = (text: string, files: Readonly<Record<string, string>> = {}) => {
    const folder = join(planted, 'packages/low')
    mkdirSync(join(folder, 'src'), { recursive: true })
    const exports = { '.': { '@sealpool/source': './src/index.ts' }, './package.json': './package.json' }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ exports }))
    for (const [path, content] of Object.entries({ 'index.ts': text, ...files }))
      writeFileSync(join(folder, 'src', path), content)
    return documentationGaps({ root: planted, name: 'low' }).map(
      ({ symbol, missing }) => `${symbol}: ${missing}`,
    )
  }

  test('finds a symbol without a docstring', () => {
    expect(missing('export const limit = 3')).toEqual(['limit: docstring'])
    expect(missing('export interface Limit { readonly rows: number }')).toEqual(['Limit: docstring'])
    expect(missing('/** Rows at most. */\nexport const limit = 3')).toEqual([])
  })

  test('finds a parameter without words', () => {
    const body = '(rows: number): void {}'
    expect(missing(`/** Keeps rows. */\nexport function keep${body}`)).toEqual(['keep: @param rows'])
    expect(missing(`/** Keeps rows.\n * @param rows\n */\nexport function keep${body}`)).toEqual([
      'keep: @param rows',
    ])
    expect(missing(`/** Keeps rows.\n * @param other - How many.\n */\nexport function keep${body}`)).toEqual(
      ['keep: @param rows'],
    )
    expect(missing(`/** Keeps rows.\n * @param rows - How many.\n */\nexport function keep${body}`)).toEqual(
      [],
    )
  })

  test('wants one description for each destructured parameter', () => {
    const body = '({ rows }: { readonly rows: number }): void {}'
    expect(missing(`/** Keeps rows. */\nexport function keep${body}`)).toEqual(['keep: @param of place 1'])
    expect(
      missing(`/** Keeps rows.\n * @param options - \`rows\`.\n */\nexport function keep${body}`),
    ).toEqual([])
  })

  test('finds an answer that nobody describes', () => {
    expect(missing('/** Counts. */\nexport function count(): number { return 1 }')).toEqual([
      'count: @returns',
    ])
    expect(missing('/** Counts.\n * @returns\n */\nexport function count(): number { return 1 }')).toEqual([
      'count: @returns',
    ])
    expect(
      missing('/** Counts.\n * @returns How many.\n */\nexport function count(): number { return 1 }'),
    ).toEqual([])
    expect(missing('/** Stops. */\nexport async function stop(): Promise<void> {}')).toEqual([])
  })

  test('follows what an entry exports from other files, and only that', () => {
    const files = { 'other.ts': 'export const shown = 1\nexport const hidden = 2' }
    expect(missing("export { shown as limit } from './other.js'", files)).toEqual(['limit: docstring'])
  })
})
