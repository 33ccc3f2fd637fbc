import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/* The codes of a ClientError stand in four places: the type, its comment, the README, and wherever one is thrown. */

const here = fileURLToPath(new URL('.', import.meta.url))
const codesIn = (text: string, pattern: RegExp) =>
  [...new Set([...text.matchAll(pattern)].map(([, code = '']) => code))].sort()
const errors = readFileSync(`${here}errors.ts`, 'utf8')
const declared = codesIn(errors, /^ {2}\| '([A-Z_]+)'$/gm)

test('every error code has its line in the comment of the type', () => {
  expect(declared.length).toBeGreaterThan(25)
  expect(codesIn(errors, /^ \* - `([A-Z_]+)`: /gm)).toEqual(declared)
})

test('every error code has its row in the README, and no other has', () => {
  const readme = readFileSync(`${here}../README.md`, 'utf8')
  const [, table = ''] = /\n## Errors\n([\s\S]*?)\n## /.exec(readme) ?? []
  const firstCells = table.split('\n').map((line) => /^\|(.*?)\|/.exec(line)?.[1] ?? '')
  expect(codesIn(firstCells.join(' '), /`([A-Z_]+)`/g)).toEqual(declared)
})

test('every error code is given by something', () => {
  const sources = readdirSync(here, { recursive: true, encoding: 'utf8' })
    .filter(
      (path) => path.endsWith('.ts') && path !== 'errors.ts' && !/\.test\.ts$|(^|\/)testing\//.test(path),
    )
    .map((path) => readFileSync(`${here}${path}`, 'utf8'))
  // Some are chosen before the error is made. One that is not declared does not compile.
  const given = new Set(codesIn(sources.join('\n'), /'([A-Z_]+)'/g))
  expect(declared.filter((code) => !given.has(code))).toEqual([])
})
