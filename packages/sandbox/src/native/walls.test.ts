import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { JobRuntime } from '../runtime.js'
import { limits } from '../testing/job.js'
import { nativeAttempts } from '../testing/native-attempts.js'
import { nativeIsolations } from '../testing/native-isolations.js'
import { attempt, exit, program, programFile, say, spin } from '../testing/native-program.js'
import { descendants, eventually, isAlive } from '../testing/processes.js'
import { createNativeRuntime } from './index.js'

const isolations = await nativeIsolations()
const endless = {
  code: program(spin),
  entry: 'go',
  input: 'canary-4711',
  limits: { ...limits, timeMs: 60_000 },
}

const read = (id: number, file: string): string => {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Programs of jobs under way that were started by a process, by id. */
const programs = (root?: number): number[] =>
  descendants(root).filter((id) => read(id, 'cmdline') === 'program\0go\0')

describe.each(isolations)('the walls of %s', (isolation) => {
  let runtime: JobRuntime
  beforeAll(async () => {
    runtime = await createNativeRuntime({ isolation })
  })
  afterAll(() => runtime.close())

  test.each(nativeAttempts.map((one) => [one.name, one] as const))('%s', async (_name, { steps, met }) => {
    const result = await runtime.run({ ...endless, code: program(attempt(steps)), limits })
    if (met === 'refused') expect(result).toEqual({ ok: true, output: false, logs: [] })
    else expect(result).toMatchObject({ ok: false, code: 'THREW', place: 'run' })
    expect(JSON.stringify(result)).not.toContain('canary')
  })

  test('the kernel says that they stand while a program runs, and closing ends it', async () => {
    const own = await createNativeRuntime({ isolation })
    const run = own.run(endless)
    expect(await eventually(() => programs().length === 1)).toBe(true)
    const [id = 0] = programs()
    const status = read(id, 'status')
    for (const line of ['Seccomp:\t2', 'NoNewPrivs:\t1', 'Threads:\t1']) expect(status).toContain(line)
    const bound = (name: string) => new RegExp(`^${name} +(\\d+) +\\1 `, 'm').exec(read(id, 'limits'))?.[1]
    expect({
      memory: bound('Max address space'),
      stack: bound('Max stack size'),
      files: bound('Max open files'),
      written: bound('Max file size'),
      core: bound('Max core file size'),
      processes: bound('Max processes'),
      locked: bound('Max locked memory'),
      seconds: bound('Max cpu time'),
    }).toEqual({
      ...{ memory: String(limits.memoryBytes), stack: String(256 * 1024), files: '3', written: '0' },
      ...{ core: '0', processes: '0', locked: '0', seconds: '62' },
    })
    expect(readdirSync(`/proc/${id}/fd`).sort()).toEqual(['0', '1', '2'])
    expect(read(id, 'environ')).toBe('')
    if (isolation === 'bubblewrap') {
      expect(status).toMatch(/^CapEff:\t0+$/m)
      expect(readdirSync(`/proc/${id}/root`).sort()).toEqual(['launcher', 'program'])
      expect(status).toMatch(/^NSpid:.*\t1$/m)
    }
    await own.close()
    expect(await run).toMatchObject({ ok: false, code: 'RUNTIME_LOST' })
    // The kernel ends it with its namespace, a moment after bubblewrap.
    expect(await eventually(() => !isAlive(id))).toBe(true)
    await expect(own.run(endless)).rejects.toMatchObject({ code: 'RUNTIME_CLOSED' })
  })

  test('a program that is killed from outside is lost, and did nothing wrong', async () => {
    const run = runtime.run(endless)
    expect(await eventually(() => programs().length === 1)).toBe(true)
    for (const id of programs()) process.kill(id, 'SIGKILL')
    expect(await run).toMatchObject({ ok: false, code: 'RUNTIME_LOST', place: 'run' })
    const answer = program([say('5'), exit(0)])
    expect(await runtime.run({ ...endless, code: answer })).toMatchObject({ output: 5 })
  })

  test('a program ends with the process that asked for it, and has nothing that was left open', async () => {
    const source = new URL('../../dist/native/index.js', import.meta.url).href
    const script = `
      const { createNativeRuntime } = await import(${JSON.stringify(source)})
      const runtime = await createNativeRuntime({ isolation: ${JSON.stringify(isolation)} })
      void runtime.run(${JSON.stringify(endless)})
      console.log('running')`
    const folder = mkdtempSync(join(tmpdir(), 'sealpool-walls-'))
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TMPDIR: folder },
      // One more, beyond those that Node closes to what it starts.
      stdio: ['ignore', 'pipe', 'inherit', ...Array<'ignore'>(17).fill('ignore'), 'pipe'],
    })
    expect(await eventually(() => programs(parent.pid).length === 1)).toBe(true)
    expect(readdirSync(`/proc/${parent.pid}/fd`)).toContain('20')
    expect(readdirSync(`/proc/${programs(parent.pid)[0]}/fd`).sort()).toEqual(['0', '1', '2'])
    const mine = descendants(parent.pid)
    parent.kill('SIGKILL')
    expect(await eventually(() => !mine.some(isAlive))).toBe(true)
    rmSync(folder, { recursive: true })
  })

  test('nothing of it stays on the disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealpool-walls-'))
    vi.stubEnv('TMPDIR', folder)
    await runtime.run({ ...endless, code: program([exit(0)]) })
    await runtime.run({ ...endless, code: program([exit(1)]) })
    vi.unstubAllEnvs()
    expect(readdirSync(folder)).toEqual([])
    rmSync(folder, { recursive: true })
  })
})

describe.skipIf(isolations.length === 0)('without walls', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-attempts-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('the attempts that should work do, so that it is the walls that they fail at', () => {
    const working = nativeAttempts.filter((one) => one.works)
    expect(working.length).toBeGreaterThan(40)
    const path = join(folder, 'attempt')
    const failed = working.filter(({ steps }) => {
      rmSync(path, { force: true })
      writeFileSync(path, programFile(attempt(steps)), { mode: 0o700 })
      const { stdout, error } = spawnSync(path, { cwd: folder, env: {}, timeout: 10_000 })
      return error !== undefined || stdout.toString() === 'false'
    })
    expect(failed.map(({ name }) => name)).toEqual([])
  })

  test('there are many attempts, each with a name of its own', () => {
    expect(new Set(nativeAttempts.map(({ name }) => name)).size).toBe(nativeAttempts.length)
    expect(nativeAttempts.length).toBeGreaterThan(80)
  })
})
