import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { progressLine } from './report.js'
import { runRefineCli } from './run.js'
import { systemFault } from './system-fault.js'

// Inside of the repository, so that the new refiner finds this package.
const root = fileURLToPath(new URL('../../../../.tmp/', import.meta.url))
let folder: string
beforeEach(() => {
  mkdirSync(root, { recursive: true })
  folder = mkdtempSync(join(root, 'refine-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function cli(...args: string[]) {
  let out = ''
  let err = ''
  const code = await runRefineCli(args, {
    write: (text) => (out += text),
    writeError: (text) => (err += text),
    live: false,
  })
  return { code, out, err }
}
const inside = (...parts: string[]) => join(folder, 'new', ...parts)

describe('sealpool-refine', () => {
  test('create, check, run, run again, mock, describe', async () => {
    expect((await cli('create', join(folder, 'new'))).code).toBe(0)
    expect((await cli('create', join(folder, 'new'))).code).toBe(2)
    const entry = inside('refiner.ts')
    const checked = await cli('check', entry, inside('exports'), '--json')
    expect([checked.code, checked.err]).toEqual([0, ''])
    const refused = await cli('check', entry, inside('refused'))
    expect(refused.code).toBe(1)
    expect(refused.out).toContain('VALUE_TYPE at receipts[0].day')
    expect(refused.out + refused.err).not.toContain('2024-02-30')
    const first = await cli('run', entry, inside('exports'), '--out', inside('out'))
    expect(first.code).toBe(0)
    expect(first.out).toContain('4 rows')
    expect(statSync(inside('out.key')).mode & 0o777).toBe(0o600)
    expect(first.out + first.err).not.toContain(readFileSync(inside('out.key'), 'utf8').trim())
    const again = await cli('run', entry, inside('exports'), '--out', inside('out'), '--json')
    const told = JSON.parse(again.out) as { contentDigest: string; resumed: number }
    expect(told).toMatchObject({
      resumed: 2,
      contentDigest: (JSON.parse(checked.out) as { contentDigest: string }).contentDigest,
    })
    expect(readdirSync(inside('out')).some((name) => name.endsWith('.part'))).toBe(false)
    const mock = await cli('mock', entry, '--rows', '3', '--seed', 's', '--format', 'csv')
    expect(mock.out.trim().split('\n')).toHaveLength(4)
    for (const as of [
      'duckdb',
      'postgresql',
      'sqlite',
      'json-schema',
      'croissant',
      'types',
      'dictionary',
      'id',
    ]) {
      expect((await cli('describe', entry, '--as', as)).code, as).toBe(0)
    }
  })

  test('an embedder is a module; without one no key is made', async () => {
    mkdirSync(join(folder, 'in'))
    writeFileSync(join(folder, 'in', 'a.csv'), 'note\nhello\n')
    const entry = fileURLToPath(new URL('../testing/notes-refiner.ts', import.meta.url))
    const model = `sha256:${'0'.repeat(64)}`
    const given = (name: string, text: string) => {
      writeFileSync(join(folder, `${name}.mjs`), text)
      return ['--embedder', join(folder, `${name}.mjs`)]
    }
    const run = (...own: string[]) =>
      cli('run', entry, join(folder, 'in'), '--out', join(folder, 'out'), ...own)
    const missing = await run()
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('EMBEDDER_MISSING')])
    for (const [name, text] of [
      ['none', 'export const other = 7'],
      ['short', `export default { model: 'sha256:00', dimensions: 3, embed: () => [] }`],
      ['broken', 'export default {'],
    ] as const)
      expect((await run(...given(name, text))).err, name).toContain('embedder')
    expect((await run('--embedder', join(folder, 'nowhere.mjs'))).code).toBe(2)
    expect(readdirSync(folder).some((name) => name.endsWith('.key'))).toBe(false)
    const text = `export default { model: '${model}', dimensions: 3, embed: (texts) => texts.map(() => [0, 3, 4]) }`
    const done = await run(...given('good', text))
    expect([done.code, done.err]).toEqual([0, expect.stringContaining('made a key')])
    expect(done.out).toContain('1 row')
    const failing = `export default { model: '${model}', dimensions: 3, embed: () => { throw new Error('hello') } }`
    const failed = await cli('check', entry, join(folder, 'in'), ...given('failing', failing))
    expect([failed.code, failed.err]).toEqual([2, expect.stringContaining('EMBEDDER_FAILED')])
    expect(failed.out + failed.err).not.toContain('hello')
  })

  test('--table is for databases, and says so where it could name nothing', async () => {
    await cli('create', join(folder, 'new'))
    const { code, err } = await cli('check', inside('refiner.ts'), inside('exports'), '--table', 'receipts')
    expect([code, err]).toEqual([2, expect.stringContaining('--table names a table of SQLite databases')])
    const none = await cli(
      'run',
      inside('refiner.ts'),
      inside('exports'),
      '--table',
      'x',
      '--out',
      inside('out'),
    )
    expect([none.code, readdirSync(inside()).includes('out.key')]).toEqual([2, false])
    // A database beside them, though one that cannot be read: that is told of the file.
    writeFileSync(inside('exports', 'a.db'), 'SQLite format 3\0')
    const mixed = await cli('check', inside('refiner.ts'), inside('exports'), '--table', 'receipts')
    expect([mixed.code, mixed.out]).toEqual([1, expect.stringContaining('2 refined, 1 refused')])
  })

  test('the file that the report goes to is no export', async () => {
    await cli('create', join(folder, 'new'))
    const report = inside('exports', 'report.json')
    writeFileSync(report, '')
    const outputs = [statSync(report, { bigint: true })]
    let said = ''
    const io = {
      write: (text: string) => (said += text),
      writeError: (text: string) => (said += text),
      live: false,
    }
    expect(await runRefineCli(['check', inside('refiner.ts'), inside('exports')], { ...io, outputs })).toBe(0)
    expect(said).toContain('2 refined, 0 refused')
    expect(await runRefineCli(['check', inside('refiner.ts'), report], { ...io, outputs })).toBe(2)
  })

  test('a file that cannot be looked at is refused by its name, and the others are read, wherever the report goes', async () => {
    await cli('create', join(folder, 'new'))
    // A name that is no UTF-8 comes back from the folder as another one.
    const name = Buffer.concat([Buffer.from(`${inside('exports')}/`), Buffer.of(0xff), Buffer.from('.csv')])
    writeFileSync(name, 'date,shop,total,paid_by\n')
    const report = join(folder, 'report.txt')
    writeFileSync(report, '')
    for (const outputs of [[], [statSync(report, { bigint: true })]]) {
      let said = ''
      const write = (text: string) => (said += text)
      const io = { write, writeError: write, live: false, outputs }
      expect(await runRefineCli(['check', inside('refiner.ts'), inside('exports')], io)).toBe(1)
      expect(said).toContain('2 refined, 1 refused')
      expect(said).toContain('ARGUMENT_INVALID at input: not a regular file that you may read')
    }
    writeFileSync(inside('exports', 'a.db'), 'SQLite format 3\0')
    const mixed = await cli('check', inside('refiner.ts'), inside('exports'), '--table', 'receipts')
    expect([mixed.code, mixed.out]).toEqual([1, expect.stringContaining('2 refined, 2 refused')])
  })

  test('a check that is ended leaves nothing behind', async () => {
    await cli('create', join(folder, 'new'))
    const stop = new AbortController()
    mkdirSync(join(folder, 'tmp'))
    vi.stubEnv('TMPDIR', join(folder, 'tmp'))
    const seen: string[][] = []
    const io = {
      write: () => undefined,
      // Of the first line of progress: the folder is there, and gone once the signal was told.
      writeError: () => {
        seen.push(readdirSync(join(folder, 'tmp')))
        stop.abort()
        seen.push(readdirSync(join(folder, 'tmp')))
      },
      live: true,
      signal: stop.signal,
    }
    await runRefineCli(['check', inside('refiner.ts'), inside('exports')], io)
    vi.unstubAllEnvs()
    expect(seen.slice(0, 2)).toEqual([[expect.stringContaining('sealpool-refine-check-')], []])
  })

  test('Croissant takes what the tables do not say from a file', async () => {
    await cli('create', join(folder, 'new'))
    const bare = await cli('describe', inside('refiner.ts'), '--as', 'croissant')
    expect(JSON.parse(bare.out)).toMatchObject({ '@type': 'sc:Dataset', recordSet: [{ name: 'receipts' }] })
    expect(bare.err).toContain('license, url, datePublished, creator')
    const told = { license: 'https://l.example', url: 'https://u.example', datePublished: '2024-02-29' }
    writeFileSync(inside('dataset.json'), JSON.stringify({ ...told, creator: { name: 'A pool' } }))
    const whole = await cli(
      'describe',
      inside('refiner.ts'),
      '--as',
      'croissant',
      '--dataset',
      inside('dataset.json'),
    )
    expect([whole.code, whole.err]).toEqual([0, ''])
    expect(JSON.parse(whole.out)).toMatchObject({ ...told, creator: { name: 'A pool' } })
    for (const wrong of ['{', '[]', '{"licence":"x"}', '{"datePublished":"2024-02-30"}']) {
      writeFileSync(inside('dataset.json'), wrong)
      const args = ['--dataset', inside('dataset.json')]
      expect((await cli('describe', inside('refiner.ts'), '--as', 'croissant', ...args)).code).toBe(2)
      expect((await cli('describe', inside('refiner.ts'), '--as', 'id', ...args)).code).toBe(2)
    }
  })

  test('a folder without files is an error, and no key is made for it', async () => {
    await cli('create', join(folder, 'new'))
    mkdirSync(inside('empty'))
    writeFileSync(inside('empty', '.hidden'), 'x')
    const ran = await cli('run', inside('refiner.ts'), inside('empty'), '--out', inside('out'))
    expect([ran.code, ran.out]).toEqual([2, ''])
    expect(ran.err).toContain('no files')
    expect(readdirSync(inside())).not.toContain('out.key')
    expect((await cli('check', inside('refiner.ts'), inside('empty'))).code).toBe(2)
  })

  test('no key is made where no job can begin, and nothing is left there', async () => {
    await cli('create', join(folder, 'new'))
    const run = (...out: string[]) =>
      cli('run', inside('refiner.ts'), inside('exports'), ...out.map((path) => `--out=${path}`))
    writeFileSync(inside('file'), '')
    mkdirSync(inside('mine'))
    writeFileSync(inside('mine', 'letter.txt'), '')
    mkdirSync(inside('lost.key'))
    mkdirSync(inside('short'))
    writeFileSync(inside('short.key'), 'short')
    const before = readdirSync(inside()).sort()
    for (const [path, told] of [
      [inside('file'), 'ARGUMENT_INVALID'],
      [inside('file', 'below'), 'ARGUMENT_INVALID'],
      ['/proc/x/y', 'ARGUMENT_INVALID'],
      [inside('mine'), 'JOB_INVALID'],
      // Its key is a folder, or none.
      [inside('lost'), 'the key file cannot be read'],
      [inside('short'), 'must hold 32 bytes'],
      [inside('deep', 'er', 'x'.repeat(252)), 'the key file cannot be'],
    ] as const) {
      const { code, err } = await run(path)
      expect([code, err], path).toEqual([2, expect.stringContaining(told)])
      expect(readdirSync(inside()).sort(), path).toEqual(before)
    }
    const unlucky = [
      'run',
      inside('refiner.ts'),
      inside('exports'),
      '--out',
      inside('out'),
      '--workers',
      '65',
    ]
    expect((await cli(...unlucky)).err).toContain('--workers')
    expect(readdirSync(inside()).sort()).toEqual(before)
  })

  test('a job that lies among its exports does not refine what it wrote itself', async () => {
    await cli('create', join(folder, 'new'))
    const key = inside('exports', 'own.key')
    writeFileSync(key, Buffer.alloc(32, 7))
    const out = inside('exports', 'out')
    for (const how of [[], ['--key-file', key]]) {
      rmSync(out, { recursive: true, force: true })
      const args = ['run', inside('refiner.ts'), inside('exports'), '--out', out, '--json', ...how]
      const runs = [await cli(...args), await cli(...args)].map(({ out: said }) => JSON.parse(said))
      const strangers = how.length === 0 ? ['own.key'] : ['out.key']
      for (const { refused } of runs) expect(refused.map(({ id }: { id: string }) => id)).toEqual(strangers)
      expect(runs[1]).toMatchObject({ resumed: 3, contentDigest: runs[0].contentDigest })
    }
    const { code, err } = await cli(
      'run',
      inside('refiner.ts'),
      inside('exports'),
      '--out',
      inside('exports'),
    )
    expect([code, err]).toEqual([2, expect.stringContaining('--out')])
  })

  test('each file that is refused is told with a reason', async () => {
    await cli('create', join(folder, 'new'))
    const files = {
      'a.csv': 'date,shop,total,paid_by\n2024-02-29,a,1.005,card\n',
      'b.csv': 'date,shop,date\n',
      'c.json': '{}',
      'd.zip': 'PK\u0003\u0004',
      'e.parquet': 'PAR1',
      'f.db': 'SQLite format 3\u0000',
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(inside('refused', name), text)
    const { out } = await cli('check', inside('refiner.ts'), inside('refused'))
    const told = out.split('\n').filter((line) => / at /.test(line))
    expect(told).toHaveLength(7)
    for (const line of told) expect(line).toMatch(/^ {6}[A-Z_]+ at .+: .{20}/)
  })

  test('columns that say hash are hashed under the secret that a file holds, one secret in one job', async () => {
    await cli('create', join(folder, 'new'))
    const entry = inside('refiner.ts')
    writeFileSync(entry, readFileSync(entry, 'utf8').replace('maxLength: 80,', "maxLength: 80, pii: 'hash',"))
    writeFileSync(
      inside('exports', 'good.csv'),
      'date,shop,total,paid_by\n2024-02-29,anna@example.org,12.50,card\n',
    )
    expect(await cli('check', entry, inside('exports'))).toMatchObject({ code: 0, err: '' })
    const args = ['run', entry, inside('exports'), '--out', inside('out'), '--json']
    const missing = await cli(...args)
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('--pii-key-file')])
    expect(readdirSync(inside())).not.toContain('out.key')
    const digests: string[] = []
    for (const byte of [1, 1, 2]) {
      writeFileSync(inside(`${byte}.secret`), Buffer.alloc(32, byte))
      const { code, out, err } = await cli(...args, '--pii-key-file', inside(`${byte}.secret`))
      if (byte === 2) expect([code, err]).toEqual([2, expect.stringContaining('JOB_INVALID')])
      else digests.push((JSON.parse(out) as { contentDigest: string }).contentDigest)
    }
    expect(new Set(digests).size).toBe(1)
  })

  test('made-up rows as CSV are one table, one header and rows under it', async () => {
    await cli('create', join(folder, 'new'))
    const entry = inside('refiner.ts')
    const second =
      "notes: { description: 'Notes.', columns: { note: { type: 'text', description: 'Note.' } } },"
    const text = readFileSync(entry, 'utf8').replace('  tables: {', `  tables: { ${second}`)
    writeFileSync(entry, text.replace(/ {2}direct: [\s\S]*$/, '  map: () => ({}),\n})\n'))
    const several = await cli('mock', entry, '--format', 'csv')
    expect([several.code, several.err]).toEqual([2, expect.stringContaining('--table')])
    expect((await cli('mock', entry, '--format', 'csv', '--table', 'toString')).code).toBe(2)
    const header = await cli('mock', entry, '--format', 'csv', '--table', 'notes', '--rows', '0')
    const { out } = await cli('mock', entry, '--format', 'csv', '--table', 'notes', '--rows', '2')
    expect([header.out, header.out.startsWith('contributor,')]).toEqual([`${out.split('\n')[0]}\n`, true])
    expect(out.trim().split('\n')).toEqual(['contributor,note', expect.any(String), expect.any(String)])
    const json = await cli('mock', entry, '--rows', '1')
    expect(Object.keys(JSON.parse(json.out))).toEqual(['notes', 'receipts'])
  })

  test('a job whose key is gone gets no other one', async () => {
    await cli('create', join(folder, 'new'))
    const args = ['run', inside('refiner.ts'), inside('exports'), '--out', `${inside('out')}/`]
    expect((await cli(...args)).code).toBe(0)
    rmSync(inside('out.key'))
    const { code, err } = await cli(...args)
    expect([code, err]).toEqual([2, expect.stringContaining('--key-file')])
    expect(readdirSync(inside())).not.toContain('out.key')
  })

  test('one file under two names is refused before a key is made', async () => {
    await cli('create', join(folder, 'new'))
    const good = inside('exports', 'good.csv')
    for (const twice of [
      [good, good],
      [inside('exports'), good],
      [good, join(inside('exports'), '..', 'exports', 'good.csv')],
    ]) {
      const { code, err } = await cli('run', inside('refiner.ts'), ...twice, '--out', inside('out'))
      expect([code, err]).toEqual([2, expect.stringMatching(/good\.csv is named twice/)])
      expect((await cli('check', inside('refiner.ts'), ...twice)).code).toBe(2)
    }
    expect(readdirSync(inside())).not.toContain('out.key')
    const linked = inside('link.csv')
    symlinkSync(good, linked)
    expect((await cli('check', inside('refiner.ts'), linked)).err).toContain('Links are not followed')
  })

  test('a job that had more files before is not told as if it had these alone', async () => {
    await cli('create', join(folder, 'new'))
    const run = (path: string) => cli('run', inside('refiner.ts'), path, '--out', inside('out'))
    expect((await run(inside('exports'))).code).toBe(0)
    rmSync(inside('exports', 'same.jsonl'))
    const { code, err } = await run(inside('exports'))
    expect([code, err]).toEqual([2, expect.stringMatching(/JOB_INVALID: .*missing now.*at inputs/)])
  })

  test('what a module lacks is told by the bundler’s own words', async () => {
    const entry = join(folder, 'broken.ts')
    writeFileSync(entry, 'const a = 1\nexport default {\n')
    const { code, err } = await cli('describe', entry, '--as', 'id')
    expect([code, err]).toEqual([2, expect.stringMatching(/BUNDLE_FAILED[\s\S]*broken\.ts:\d+/)])
  })

  test('help is given wherever it is asked for', async () => {
    for (const args of [['help'], ['-h'], ['run', '--help'], ['check', 'a', '-h'], ['--help', 'run']])
      expect(await cli(...args), args.join(' ')).toMatchObject({
        code: 0,
        err: '',
        out: expect.stringContaining('Exit codes'),
      })
    expect((await cli('create', '--', join(folder, '--help'))).code).toBe(0)
    expect(readdirSync(folder)).toContain('--help')
  })

  test('help tells every option, fits a terminal, and goes to standard error where nobody asked for it', async () => {
    const { out } = await cli('--help')
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    const options =
      'out key-file contributor salt-file pii-key-file table workers embedder rows seed format as dataset json'
    for (const option of options.split(' ')) expect(out).toMatch(new RegExp(`^  --${option} `, 'm'))
    expect(await cli()).toEqual({ code: 2, out: '', err: out })
  })

  test('the version is the package’s', async () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    const { version } = JSON.parse(manifest) as { version: string }
    for (const word of ['--version', 'version'])
      expect(await cli(word)).toEqual({ code: 0, out: `sealpool-refine ${version}\n`, err: '' })
  })

  test('what goes wrong is told to programs as well, and an unknown option only when it looks like one', async () => {
    const twice = await cli('run', 'a', 'b', '--out', 'x', '--out', 'y', '--json')
    expect([twice.code, JSON.parse(twice.out)]).toEqual([
      2,
      { error: { code: 'OPTION_INVALID', message: '--out is given twice' } },
    ])
    expect((await cli('mock', 'a', '--out', 'x')).err).toContain('mock does not take --out')
    const key = `--0x${'5e'.repeat(32)}`
    expect((await cli('mock', 'a', key)).err).not.toContain(key)
    const absent = await cli('check', 'absent.ts', '.', '--json')
    expect([absent.code, JSON.parse(absent.out)]).toMatchObject([2, { error: { code: 'BUNDLE_FAILED' } }])
    const made = JSON.parse((await cli('create', join(folder, 'new'), '--json')).out) as { files: string[] }
    expect(made.files).toContain(join(folder, 'new', 'refiner.ts'))
  })

  test('faults of the system have a way out, and tell no path', () => {
    const full = Object.assign(new Error("ENOSPC: no space left, write '/secret/path'"), { code: 'ENOSPC' })
    expect(systemFault(full)).toBe('ENOSPC: the disk is full; make room and run the same command again')
    expect(systemFault(Object.assign(new Error('x'), { code: 'EXDEV' }))).toBe('EXDEV')
    for (const other of [new Error('secret'), 'secret', null, { code: 'constructor' }])
      expect(systemFault(other)).toBe('the command failed')
  })

  test('create makes no folder where there can be none', async () => {
    writeFileSync(join(folder, 'file'), '')
    for (const path of ['/proc/x/y', join(folder, 'file'), join(folder, 'file', 'x')]) {
      const { code, err } = await cli('create', path)
      expect([code, err], path).toEqual([2, expect.stringContaining('ARGUMENT_INVALID')])
    }
  })

  test.each([
    [[]],
    [['fly']],
    [['run']],
    [['run', 'absent.ts', '.', '--out', '/tmp/x']],
    [['check', 'absent.ts']],
    [['mock', 'absent.ts', '--rows', '-1']],
    [['mock', 'absent.ts', '--format', 'xml']],
    [['describe', 'absent.ts', '--as', 'toString']],
    [['run', 'a', '--out']],
    [['run', 'a', '--out', 'x', '--out', 'y']],
    [['check', 'a', '--constructor', 'x']],
  ])('%j is refused with a way out', async (args) => {
    const { code, err } = await cli(...args)
    expect(code).toBe(2)
    expect(err).toMatch(/sealpool-refine/)
  })

  test('an option is no value of another one, unless it is written behind its =', async () => {
    expect((await cli('run', 'a', 'b', '--out', '--json')).err).toContain('--out needs a value')
    expect((await cli('run', 'a', 'b', '--out=--json')).err).not.toContain('needs a value')
  })

  test('a key that is none is refused, and an argument never holds one', async () => {
    await cli('create', join(folder, 'new'))
    writeFileSync(inside('bad.key'), 'short')
    const bad = await cli(
      'run',
      inside('refiner.ts'),
      inside('exports'),
      '--out',
      inside('out'),
      '--key-file',
      inside('bad.key'),
    )
    expect(bad.code).toBe(2)
    expect((await cli('--help')).out).not.toMatch(/--key\b(?!-file)/)
  })

  test('the progress line is as long as it says', () => {
    const line = progressLine({ inputs: 4, inputsDone: 1, bytes: 100, bytesDone: 50, rows: 1000 }, 8)
    expect(line).toBe('███░░░░░  37 %  1/4 files  1,000 rows')
    expect(progressLine({ inputs: 0, inputsDone: 0, bytes: 0, bytesDone: 0, rows: 0 }, 4)).toBe(
      '████ 100 %  0/0 files',
    )
  })
})
