import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { nativeIsolations } from '../testing/native-isolations.js'
import { here } from '../testing/native-program.js'
import { inFolder, type ProgramPlace } from './place-program.js'
import { probe } from './probe.js'

const works = (await nativeIsolations()).length > 0

describe.skipIf(!works)('before a runtime is given out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-probe-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'program')
  /** Starts programs by a shell, which says what the launcher says and sets up nothing. */
  const unguarded = (script: string): ProgramPlace => ({
    place(program) {
      rmSync(path, { force: true })
      writeFileSync(path, program, { mode: 0o700 })
      return { command: { program: '/bin/sh', args: ['-c', script] }, feeds: [], remove() {} }
    },
  })

  test('a place with its walls is taken', async () => {
    await expect(probe(here, inFolder)).resolves.toBeUndefined()
  })
  test.each<[string, ProgramPlace, string]>([
    ['no filter', unguarded(`printf '\\006'; exec ${path}`), 'not filtered'],
    [
      'a launcher that does not say that its walls stand',
      unguarded(`printf x; exec ${path}`),
      'no program starts',
    ],
    ['a launcher that gives up', unguarded('echo why >&2; exit 125'), 'no program starts (125): why'],
    ['another answer', unguarded(`printf '\\006[1]'`), 'no program starts (0)'],
    [
      'no command',
      { place: () => ({ command: { program: join(folder, 'none'), args: [] }, feeds: [], remove() {} }) },
      'no program starts (127)',
    ],
  ])('%s is refused', async (_name, place, why) => {
    await expect(probe(here, place)).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      message: expect.stringContaining(why),
    })
  })
})
