import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Calls that put something else in a module's place. */
const replacesModules = /\bvi\.(mock|doMock|unmock|doUnmock|resetModules|hoisted)\b/

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return testFiles(path)
    return entry.name.endsWith('.test.ts') ? [relative(root, path).split(sep).join('/')] : []
  })
}

test('a test file is named as one with a worker of its own just when it puts something else in the place of a module', () => {
  const files = ['packages', 'examples', 'architecture', 'chaos', 'docs']
    .flatMap((folder) => testFiles(join(root, folder)))
    .filter((path) => path !== 'architecture/isolated-tests.test.ts')
  const replacing = files.filter((path) => replacesModules.test(readFileSync(join(root, path), 'utf8')))
  expect(files.length).toBeGreaterThan(700)
  expect(files.filter((path) => path.endsWith('.isolated.test.ts'))).toEqual(replacing)
})
