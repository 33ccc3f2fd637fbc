import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { removeStaleOutput } from '../scripts/remove-stale-output.mjs'

const started = Date.UTC(2026, 0, 1, 12)
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-stale-output-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function place(path: string, secondsAfterTheStart = -60) {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  utimesSync(file, started / 1000 + secondsAfterTheStart, started / 1000 + secondsAfterTheStart)
}

describe('what an earlier build left in dist', () => {
  test('chunks and maps that this build did not write go, also in folders', () => {
    for (const path of ['dist/chunk-old.js', 'dist/chunk-old.js.map', 'dist/cli/old.js']) place(path)
    for (const path of ['dist/chunk-new.js', 'dist/cli/new.js']) place(path, 3)
    expect(removeStaleOutput(folder, started).toSorted()).toEqual([
      'chunk-old.js',
      'chunk-old.js.map',
      'cli/old.js',
    ])
    expect(existsSync(join(folder, 'dist/chunk-old.js'))).toBe(false)
    expect(existsSync(join(folder, 'dist/cli/new.js'))).toBe(true)
  })

  test('declarations stay as long as their source is there, however old they are', () => {
    for (const path of ['src/kept.ts', 'dist/kept.d.ts', 'dist/gone.d.ts']) place(path)
    expect(removeStaleOutput(folder, started)).toEqual(['gone.d.ts'])
  })

  test('what is neither JavaScript nor a declaration stays', () => {
    for (const path of ['dist/grammar.wasm', 'dist/.tsbuildinfo']) place(path)
    expect(removeStaleOutput(folder, started)).toEqual([])
  })

  test('a file of the very second in which the build began stays', () => {
    place('dist/chunk.js', 0)
    expect(removeStaleOutput(folder, started + 900)).toEqual([])
  })
})
