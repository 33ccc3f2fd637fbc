import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { expect, test } from 'vitest'
import { filesOf } from './files-of.js'
import { isSystemFile } from './system-file.js'
import { exampleNames } from './test-folder.js'

/** The cases that `@sealpool/refine` is held to as well: what is refined is judged. */
const cases = JSON.parse(
  readFileSync(new URL('../../../../conformance/system-files/cases.json', import.meta.url), 'utf8'),
) as { readonly leftOut: readonly string[]; readonly kept: readonly string[] }

test.each(cases.leftOut)('%s is of a system', (path) => expect(isSystemFile(path)).toBe(true))
test.each(cases.kept)('%s is of an export', (path) => expect(isSystemFile(path)).toBe(false))

test.each(cases.leftOut)('of a folder %s is not judged', async (path) => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-system-files-'))
  try {
    for (const one of [path, ...cases.kept]) {
      mkdirSync(dirname(join(folder, one)), { recursive: true })
      writeFileSync(join(folder, one), 'x')
    }
    const { files } = await filesOf(folder, async () => false)
    const found = files.map((file) => relative(folder, file).replaceAll(sep, '/'))
    expect(found.sort()).toEqual([...cases.kept].sort())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a folder of them alone holds no file, and none of them is an example without a label', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-system-files-'))
  try {
    for (const name of ['Thumbs.db', 'desktop.ini']) writeFileSync(join(folder, name), 'x')
    await expect(filesOf(folder, async () => false)).rejects.toThrow('holds no file')
    expect(exampleNames(['Thumbs.db', 'desktop.ini', 'a.csv'])).toEqual({ labelled: [], others: ['a.csv'] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
