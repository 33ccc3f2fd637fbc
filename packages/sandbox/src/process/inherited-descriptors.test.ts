import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { withoutInherited } from './inherited-descriptors.js'

const folder = mkdtempSync(join(tmpdir(), 'sealpool-descriptors-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A process's list of descriptors, as the system would show it. */
function tableOf(open: Readonly<Record<number, string>>): string {
  const table = mkdtempSync(join(folder, 'table-'))
  for (const part of ['fd', 'fdinfo']) mkdirSync(join(table, part))
  for (const [descriptor, flags] of Object.entries(open)) {
    writeFileSync(join(table, 'fd', descriptor), '')
    writeFileSync(join(table, 'fdinfo', descriptor), `pos:\t0\nflags:\t${flags}\nmnt_id:\t15\n`)
  }
  return table
}

const covered = (used: number, table: string) => withoutInherited(used, (entries) => entries, table)

test('every number up to the highest that outlives an exec is opened on nothing', () => {
  const table = tableOf({ 0: '0100000', 5: '02100000', 40: '0100002', 77: '02100002' })
  expect(covered(3, table)).toHaveLength(38)
  expect(covered(41, table)).toEqual([])
  expect(covered(3, tableOf({ 0: '0100000', 2: '0100001' }))).toEqual([])
  expect(covered(3, join(folder, 'none'))).toEqual([])
})

test('a descriptor whose flags cannot be read counts as open, one that is gone does not', () => {
  const table = tableOf({ 9: 'x' })
  expect(covered(3, table)).toHaveLength(7)
  rmSync(join(table, 'fdinfo', '9'))
  expect(covered(3, table)).toEqual([])
})

test('one too high to be covered is refused', () => {
  expect(covered(3, tableOf({ 4095: '0100000' }))).toHaveLength(4093)
  expect(() => covered(3, tableOf({ 4096: '0100000' }))).toThrow(
    expect.objectContaining({ code: 'RUNTIME_UNAVAILABLE', place: 'isolation' }),
  )
})

test.runIf(process.platform === 'linux')(
  'a file that whoever started Node left open does not reach a child',
  () => {
    const script = join(folder, 'script.mjs')
    buildSync({
      stdin: {
        contents: `
        import { spawnSync } from 'node:child_process'
        import { withoutInherited } from './inherited-descriptors.ts'
        const list = (covered) => spawnSync('ls', ['-l', '/proc/self/fd'], { stdio: ['pipe', 'pipe', 'pipe', ...covered] })
        for (const { stdout } of [list([]), withoutInherited(3, list)]) console.log(String(stdout).includes('left-open'))`,
        resolveDir: dirname(fileURLToPath(import.meta.url)),
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
      logLevel: 'silent',
    })
    writeFileSync(join(folder, 'left-open'), 'private')
    const shell = spawnSync(
      '/bin/bash',
      ['-c', 'exec 90<"$1"; exec "$2" "$3"', 'bash', join(folder, 'left-open'), process.execPath, script],
      { encoding: 'utf8' },
    )
    // The first line shows that it would without them.
    expect(shell.stdout).toBe('true\nfalse\n')
  },
)
