import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { nodeLibraries } from './node-libraries.js'

const folder = mkdtempSync(join(tmpdir(), 'sealpool-node-libraries-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A program that says something, whatever it is asked. */
function programThatSays(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\nprintf '%s' '${text}'\n`)
  chmodSync(path, 0o755)
  return path
}
const library = join(folder, 'there.so.1')
writeFileSync(library, '')

test.runIf(process.platform === 'linux')(
  'what node loads by itself, and nothing that this process has loaded beside',
  async () => {
    const report = vi.spyOn(process.report, 'getReport')
    report.mockReturnValue({ sharedObjects: [library] })
    // By a name of its own, which nobody has asked for yet.
    const node = join(folder, 'node')
    symlinkSync(process.execPath, node)
    const paths = await nodeLibraries(node)
    report.mockRestore()
    expect(paths).toContainEqual(expect.stringMatching(/\/libc\.so/))
    expect(paths).not.toContain(library)
  },
)

test('libraries that are there, and none of what else a program has mapped', async () => {
  const said = JSON.stringify([library, join(folder, 'gone.so'), 'linux-vdso.so.1', folder, 7])
  expect(await nodeLibraries(programThatSays('lists', said))).toEqual([library])
})

test.each([
  ['is not there', () => join(folder, 'none')],
  ['says nothing', () => programThatSays('silent', '')],
  ['says something else', () => programThatSays('other', '{}')],
])('a program that %s has none to tell, and is asked again', async (_, program) => {
  const path = program()
  await expect(nodeLibraries(path)).rejects.toThrow()
  writeFileSync(path, `#!/bin/sh\necho '[]'\n`)
  chmodSync(path, 0o755)
  expect(await nodeLibraries(path)).toEqual([])
})
