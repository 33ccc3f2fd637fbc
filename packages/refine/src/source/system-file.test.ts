import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { folderInputs } from '../file-job/folder-inputs.js'
import { isSystemFile } from './system-file.js'

/** The cases that `@sealpool/poc` is held to as well: what is refined is judged. */
const cases = JSON.parse(
  readFileSync(new URL('../../../../conformance/system-files/cases.json', import.meta.url), 'utf8'),
) as { readonly leftOut: readonly string[]; readonly kept: readonly string[] }

test.each(cases.leftOut)('%s is of a system', (path) => expect(isSystemFile(path)).toBe(true))
test.each(cases.kept)('%s is of an export', (path) => expect(isSystemFile(path)).toBe(false))

test.each(cases.leftOut)('of a folder %s is not refined', async (path) => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-system-files-'))
  try {
    for (const one of [path, ...cases.kept]) {
      mkdirSync(dirname(join(folder, one)), { recursive: true })
      writeFileSync(join(folder, one), 'x')
    }
    const inputs = await folderInputs(folder, { contributor: 0 })
    expect(inputs.map(({ id }) => id).sort()).toEqual([...cases.kept].sort())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a folder of them alone holds no files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-system-files-'))
  try {
    writeFileSync(join(folder, 'Thumbs.db'), 'x')
    await expect(folderInputs(folder, { contributor: 0 })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: expect.stringContaining('holds no files'),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
