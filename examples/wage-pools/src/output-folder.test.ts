import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { prepareOutputFolder } from './output-folder.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-out-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('a folder that an earlier demo made is emptied', () => {
  prepareOutputFolder(folder)
  writeFileSync(join(folder, 'report.html'), 'old')
  prepareOutputFolder(folder)
  expect(readdirSync(folder)).toEqual(['SEALPOOL-DEMO-OUTPUT.txt'])
})

test('a folder with somebody else’s files is refused and left as it is', () => {
  writeFileSync(join(folder, 'thesis.txt'), 'mine')
  expect(() => prepareOutputFolder(folder)).toThrow('--out')
  expect(existsSync(join(folder, 'thesis.txt'))).toBe(true)
})

test('a folder that is not there is made', () => {
  const fresh = join(folder, 'a/b')
  prepareOutputFolder(fresh)
  expect(existsSync(fresh)).toBe(true)
})
