import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { saidByCli } from '../testing/said-by-cli.js'
import { ownOutputOf } from './own-output.js'
import { runPocCli } from './run.js'

const here = fileURLToPath(new URL('.', import.meta.url))
let folder = ''
beforeAll(async () => {
  // Beside the sources, so that `@sealpool/poc/define` resolves without an installation.
  folder = mkdtempSync(join(here, 'cli-test-'))
  expect((await saidByCli('create', join(folder, 'new'))).code).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (...parts: string[]): string => join(folder, 'new', ...parts)
const judge = (...more: string[]) => saidByCli(...more, '--poc', at('proof.ts'), '--isolation', 'process')
const owner = ['--owner', '0x00112233445566778899aabbccddeeff00112233']

test('a new project passes its own tests, offline', async () => {
  const { code, out } = await judge('test', at('examples'))
  expect(out).toContain('6 as labelled, 0 differ')
  expect(code).toBe(0)
})
test('a score card says score, parts and checks, and nothing of the file', async () => {
  const { code, out } = await judge('run', at('examples/short.csv'), ...owner)
  expect(code).toBe(0)
  expect(out).toMatch(/^valid {5}score 0\.\d{4}\n/)
  expect(out).toMatch(/quality {7}#+\.+ 0\.\d{4}/)
  expect(out).toContain('~ enough                   partial 29 %  (rows)')
  expect(out).toContain('attributes  {"days":2}')
  expect(out).not.toContain('5100')
})
test('a refusal is exit code 1, and JSON is a verdict', async () => {
  const refused = await judge('run', at('examples/stranger.csv'), ...owner)
  expect([refused.code, refused.out.split('\n')[0]]).toEqual([1, 'refused   WRONG_OWNER at account'])
  const { out } = await judge('run', at('examples/good.csv'), ...owner, '--json')
  expect(JSON.parse(out)).toMatchObject({ valid: true, score: 1, evidence: expect.any(Array) })
})
test('an example that differs from its label is told, in words and in JSON', async () => {
  const other = join(folder, 'differing')
  await saidByCli('create', other)
  const label = join(other, 'examples/good.expected.json')
  writeFileSync(
    label,
    JSON.stringify({ valid: false, refusal: 'X', least: 1, most: 0, attributes: { days: 9 } }),
  )
  const { code, out } = await judge('test', join(other, 'examples'))
  expect(code).toBe(1)
  expect(out).toContain(
    'FAIL good: is refused with WRONG_OWNER, not with X; scores 0, below 1; attribute days is undefined',
  )
  const { outcomes } = JSON.parse((await judge('test', join(other, 'examples'), '--json')).out) as {
    outcomes: { name: string; agrees: boolean }[]
  }
  expect(outcomes.filter((one) => !one.agrees).map((one) => one.name)).toEqual(['good'])
})
describe('what cannot be read is exit code 2', () => {
  test.each<[string[], string]>([
    [['dance'], 'say run, test, create or verify'],
    [['run', 'a'], 'run needs --poc'],
    [['run', 'a', 'b', '--poc', 'x'], 'run takes one'],
    [['test', '--poc', 'x'], 'test takes one'],
    [['run', 'a', '--poc', 'x', '--owner', '0x1'], '--owner'],
    [['run', 'a', '--poc', 'x', '--at', 'now'], '--at'],
    [['run', 'a', '--poc', 'x', '--isolation', 'none'], '--isolation'],
    [['run', 'a', '--unknown'], 'unknown'],
    [['test', 'a', '--poc', 'x', '--owner', `0x${'1'.repeat(40)}`], 'test does not take --owner'],
    [['test', 'a', '--poc', 'x', '--at', '1'], 'test does not take --at'],
    [['create', 'a', '--poc', 'x'], 'create does not take --poc'],
    [['verify', 'a', '--expect', 'x', '--watch'], 'verify does not take --watch'],
    [['run', 'a', '--poc', 'x', '--expect', 'x'], 'run does not take --expect'],
  ])('%j', async (args, message) => {
    const { code, error } = await saidByCli(...args)
    expect(code).toBe(2)
    expect(error).toContain(message)
  })
  test('files and folders that are not there, labels that are none, folders that are full', async () => {
    expect((await judge('run', at('nothing.csv'))).error).toContain('cannot be read')
    expect((await judge('test', at('nothing'))).error).toContain('not a folder')
    expect((await judge('test', folder)).error).toContain('holds no')
    expect((await saidByCli('create', at())).error).toContain('not empty')
    const broken = mkdtempSync(join(folder, 'broken-'))
    writeFileSync(join(broken, 'a.expected.json'), '{"valid":1}')
    expect((await judge('test', broken)).error).toContain('has no file')
    writeFileSync(join(broken, 'a.csv'), 'x')
    expect((await judge('test', broken)).error).toContain('is no label: valid is not')
    for (const [label, field] of [
      ['{"valid":true,"leest":1}', 'leest'],
      ['{"valid":true,"refusal":"X"}', 'refusal'],
      ['{"valid":true,"at":-1}', 'at'],
      ['[]', '"valid"'],
      ['{', '"valid"'],
    ] as const) {
      writeFileSync(join(broken, 'a.expected.json'), label)
      expect(await judge('test', broken)).toMatchObject({ code: 2, error: expect.stringContaining(field) })
    }
  })
})
test('a folder is judged file by file', async () => {
  const own = mkdtempSync(join(folder, 'export-'))
  mkdirSync(join(own, 'deep', '.hidden'), { recursive: true })
  writeFileSync(join(own, 'a.csv'), readFileSync(at('examples/good.csv')))
  writeFileSync(join(own, 'deep', 'b.csv'), readFileSync(at('examples/stranger.csv')))
  writeFileSync(join(own, 'a.expected.json'), '{"valid":true}')
  writeFileSync(join(own, 'deep', '.hidden', 'c.csv'), 'x')
  const card = await judge('run', own, ...owner)
  expect(card.code).toBe(1)
  expect(card.out).toMatch(/^a\.csv\nvalid {5}score 1\.0000\n/)
  expect(card.out).toContain(`${join('deep', 'b.csv')}\nrefused   WRONG_OWNER at account\n`)
  expect(card.out).toMatch(/\n1 valid, 1 refused\n$/)
  const { out } = await judge('run', own, ...owner, '--json')
  expect(JSON.parse(out)).toMatchObject([
    { file: 'a.csv', verdict: { valid: true } },
    { file: join('deep', 'b.csv'), verdict: { valid: false } },
  ])
  rmSync(join(own, 'deep', 'b.csv'))
  expect((await judge('run', own, ...owner)).code).toBe(0)
  rmSync(join(own, 'a.csv'))
  expect(await judge('run', own)).toMatchObject({ code: 2, error: expect.stringContaining('holds no file') })
})
test('an example is judged by its own label, and one without a label is told', async () => {
  const own = mkdtempSync(join(folder, 'labels-'))
  const good = readFileSync(at('examples/good.csv'))
  writeFileSync(join(own, 'good.csv'), good)
  writeFileSync(join(own, 'good.bad.csv'), 'account,day\n')
  writeFileSync(join(own, 'good.expected.json'), readFileSync(at('examples/good.expected.json')))
  const { code, out } = await judge('test', own)
  expect(code).toBe(1)
  expect(out).toContain('ok   good\n')
  expect(out).toContain('FAIL good.bad.csv: has no label good.bad.expected.json\n')
  writeFileSync(join(own, 'good.json'), '{}')
  expect((await judge('test', own)).error).toContain('several files')
})
test('a watch on what is not there is exit code 2', async () => {
  const nowhere = join(folder, 'nowhere')
  for (const args of [
    ['run', join(nowhere, 'a.csv'), '--poc', at('proof.ts')],
    ['run', at('examples/good.csv'), '--poc', join(nowhere, 'proof.ts')],
    ['test', nowhere, '--poc', at('proof.ts')],
  ]) {
    const { code, error } = await saidByCli(...args, '--watch', '--isolation', 'process')
    expect([code, error.includes('read')]).toEqual([2, true])
  }
})
test('a proof that does not bundle is exit code 3', async () => {
  const { code, error } = await saidByCli('run', at('examples/good.csv'), '--poc', at('nothing.ts'))
  expect([code, error.startsWith('BUNDLE_FAILED')]).toEqual([3, true])
})
test('a folder that is not empty stays as it was', async () => {
  const own = mkdtempSync(join(folder, 'full-'))
  writeFileSync(join(own, 'mine'), '')
  expect(await saidByCli('create', own)).toMatchObject({
    code: 2,
    error: expect.stringContaining('is not empty'),
  })
  expect(readdirSync(own)).toEqual(['mine'])
  expect((await saidByCli('create', join(own, 'mine'))).code).toBe(2)
  expect((await saidByCli('create', join(own, 'mine', 'deeper'))).code).toBe(2)
  // Node's own recursive mkdir never returns here.
  expect(await saidByCli('create', '/proc/x/y')).toMatchObject({
    code: 2,
    error: expect.stringContaining('/proc/x/y cannot be made'),
  })
})
test('a name of a file cannot colour the terminal, and a command line that is none is one line', async () => {
  const own = mkdtempSync(join(folder, 'names-'))
  writeFileSync(join(own, 'a\u001b[2J\u202e.csv'), readFileSync(at('examples/good.csv')))
  const { out } = await judge('run', own, ...owner)
  expect(out).toMatch(/^a\ufffd\[2J\ufffd\.csv\n/)
  const missing = await judge('run', join(own, '\u001b[31m'))
  expect([missing.code, missing.error.includes('\u001b')]).toEqual([2, false])
  expect((await saidByCli('run', 'x', '--poc', '-y')).error.split('\n')).toHaveLength(3)
})
test('help is printed, of each command too, and fits a terminal', async () => {
  const { code, out } = await saidByCli('--help')
  expect([code, out]).toEqual([0, expect.stringContaining('Exit codes')])
  for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  for (const args of [['help'], ['-h'], ['run', '--help'], ['test', 'x', '-h']])
    expect(await saidByCli(...args)).toEqual({ code: 0, out, error: '' })
  // Nobody asked for it here.
  expect(await saidByCli()).toEqual({ code: 2, out: '', error: out })
})
test('the version is the package’s', async () => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  for (const word of ['--version', 'version'])
    expect(await saidByCli(word)).toEqual({ code: 0, out: `sealpool-poc ${version}\n`, error: '' })
})
test.each([
  [['create', 'x', '--watch'], 'create does not take --watch'],
  [['verify', 'x', '--expect', 'y', '--poc', 'z'], 'verify does not take --poc'],
  [['test', 'x', '--poc', 'y', '--owner', owner[1] ?? ''], 'test does not take --owner'],
  [['run', 'x'], 'run needs --poc <module>'],
])('%j is told to people, and with --json to programs', async (args, message) => {
  const forPeople = await saidByCli(...args)
  expect(forPeople).toEqual({ code: 2, out: '', error: `${message}\nTry: sealpool-poc --help\n` })
  const { code, out } = await saidByCli(...args, '--json')
  expect([code, JSON.parse(out)]).toEqual([2, { error: { code: 'OPTION_INVALID', message } }])
})
test('a proof that fails is told to programs as well, and so are the files of a new one', async () => {
  const own = join(folder, 'told')
  const made = JSON.parse((await saidByCli('create', own, '--json')).out) as { files: string[] }
  expect(made.files).toContain(join(own, 'proof.ts'))
  writeFileSync(join(own, 'proof.ts'), 'export default {')
  const { code, out } = await saidByCli(
    'test',
    join(own, 'examples'),
    '--poc',
    join(own, 'proof.ts'),
    '--json',
  )
  expect([code, JSON.parse(out)]).toMatchObject([3, { error: { code: 'BUNDLE_FAILED' } }])
})
test('a watch judges again when the proof changes, and goes on when it is broken', async () => {
  const own = join(folder, 'watched')
  await saidByCli('create', own)
  const proof = join(own, 'proof.ts')
  const source = readFileSync(proof, 'utf8')
  const stop = new AbortController()
  let out = ''
  let seen: (() => void) | undefined
  const until = async (text: string): Promise<void> => {
    while (!out.includes(text)) {
      await new Promise<void>((resolve) => {
        seen = resolve
      })
    }
    out = ''
  }
  const note = (text: string): void => {
    out += text
    seen?.()
  }
  const args = ['test', join(own, 'examples'), '--poc', proof, '--isolation', 'process', '--watch']
  const running = runPocCli(args, { write: note, writeError: note, signal: stop.signal })
  await until('6 as labelled')
  writeFileSync(proof, 'export default {')
  await until('BUNDLE_FAILED')
  writeFileSync(proof, source.replace('minimumScore: 0.5', 'minimumScore: 0.99'))
  await until('differ')
  // What the proof imports from a folder of its own, made while the watch runs.
  mkdirSync(join(own, 'parts'))
  // Another value: what bundles to the same is not judged again.
  writeFileSync(join(own, 'parts', 'least.ts'), 'export const least = 0.98')
  writeFileSync(
    proof,
    `import { least } from './parts/least.js'\n${source.replace('minimumScore: 0.5', 'minimumScore: least')}`,
  )
  await until('differ')
  writeFileSync(join(own, 'parts', 'least.ts'), 'export const least = 0.5')
  await until('6 as labelled')
  stop.abort()
  expect(await running).toBe(0)
})

test('a watch does not run again for what its verdicts do not follow from: its own answer beside the proof and the examples', async () => {
  const own = join(folder, 'told-beside')
  await saidByCli('create', own)
  const proof = join(own, 'proof.ts')
  const stop = new AbortController()
  let runs = 0
  // As `| tee` would: no descriptor of the command leads there.
  const note = (text: string): void => {
    for (const file of [join(own, 'answer.txt'), join(own, 'examples', '.answer')]) appendFileSync(file, text)
    if (text.includes('as labelled')) runs += 1
  }
  const args = ['test', join(own, 'examples'), '--poc', proof, '--isolation', 'process', '--watch']
  const running = runPocCli(args, { write: note, writeError: note, signal: stop.signal })
  const until = async (count: number): Promise<void> => {
    while (runs < count) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await until(1)
  // A run that begins again does so after a tenth of a second; each takes about as long.
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  expect(runs).toBe(1)
  writeFileSync(proof, readFileSync(proof, 'utf8').replace('minimumScore: 0.5', 'minimumScore: 0.4'))
  await until(2)
  stop.abort()
  expect(await running).toBe(0)
})

test('a watched folder into which `tee` writes the answer is not judged for ever, nor is the answer', async () => {
  const own = mkdtempSync(join(folder, 'teed-'))
  writeFileSync(join(own, 'a.csv'), readFileSync(at('examples/good.csv')))
  const log = join(own, 'log.txt')
  writeFileSync(log, '')
  const stop = new AbortController()
  const said: string[] = []
  const note = (text: string): void => {
    said.push(text)
    // Later, as another process would.
    setTimeout(() => appendFileSync(log, text), 10)
  }
  const args = ['run', own, '--poc', at('proof.ts'), '--isolation', 'process', ...owner, '--watch', '--json']
  const running = runPocCli(args, { write: note, writeError: note, signal: stop.signal })
  const until = async (count: number): Promise<void> => {
    while (said.length < count) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await until(2)
  // A run that begins again does so after a tenth of a second; each takes about as long.
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const judged = said.map((text) => (JSON.parse(text) as { file: string }[]).map(({ file }) => file))
  expect(judged).toEqual([['a.csv', 'log.txt'], ['a.csv']])
  writeFileSync(join(own, 'b.csv'), readFileSync(at('examples/short.csv')))
  await until(3)
  expect(said[2]).toContain('b.csv')
  expect(said[2]).not.toContain('log.txt')
  stop.abort()
  expect(await running).toBe(0)
})

test('the command does not judge the file that its answer goes to', async () => {
  const own = mkdtempSync(join(folder, 'into-'))
  const [file, answer] = [join(own, 'a.csv'), join(own, 'answer.json')]
  writeFileSync(file, readFileSync(at('examples/good.csv')))
  const descriptor = openSync(answer, 'w')
  const isOwnOutput = ownOutputOf([descriptor, 99_999])
  expect([await isOwnOutput(answer), await isOwnOutput(file), await isOwnOutput(join(own, 'none'))]).toEqual([
    true,
    false,
    false,
  ])
  let said = ''
  const io = {
    write: (text: string) => {
      said += text
    },
    writeError: (text: string) => {
      said += text
    },
    signal: new AbortController().signal,
    isOwnOutput,
  }
  const more = ['--poc', at('proof.ts'), '--isolation', 'process', ...owner]
  expect(await runPocCli(['run', own, ...more], io)).toBe(0)
  expect(said).toContain('1 valid, 0 refused')
  expect(await runPocCli(['run', answer, ...more], io)).toBe(2)
  expect(said).toContain('is where the answer goes')
  closeSync(descriptor)
})

test('a command that is ended does not wait for the run in the middle, and says nothing of the proof', async () => {
  const own = mkdtempSync(join(folder, 'endless-'))
  const proof = join(own, 'proof.ts')
  writeFileSync(
    proof,
    `import { definePoc } from '@sealpool/poc/define'
export default definePoc({ id: 'x/endless', version: '1', input: (raw) => { if (raw === 'stop') for (;;); return raw },
  checks: { any: () => ({ passed: true }) }, score: { quality: 1 } })`,
  )
  mkdirSync(join(own, 'files'))
  writeFileSync(join(own, 'files', 'a.txt'), 'go')
  writeFileSync(join(own, 'files', 'b.txt'), 'stop')
  const stop = new AbortController()
  let complained = ''
  const started = performance.now()
  const running = runPocCli(['run', join(own, 'files'), '--poc', proof, '--isolation', 'process'], {
    // The first file is judged; the second is being judged soon after.
    write: () => setTimeout(() => stop.abort(), 300),
    writeError: (text) => {
      complained += text
    },
    signal: stop.signal,
  })
  await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  // The proof has 30 seconds for a file.
  expect(performance.now() - started).toBeLessThan(25_000)
  expect(complained).toBe('')
})
