import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobRuntime, JsonValue, RunResult } from '../runtime.js'
import { limits } from '../testing/job.js'
import { nativeIsolations } from '../testing/native-isolations.js'
import * as native from '../testing/native-program.js'
import { createNativeRuntime } from './index.js'

const { attempt, echo, exit, program, say } = native
const isolations = await nativeIsolations()

describe.each(isolations)('native programs, %s', (isolation) => {
  let runtime: JobRuntime
  beforeAll(async () => {
    runtime = await createNativeRuntime({ isolation, programs: 2 })
  })
  afterAll(() => runtime.close())
  const go = (
    steps: readonly native.TestStep[],
    input: JsonValue = 'canary-4711',
    own: Partial<typeof limits> = {},
  ): Promise<RunResult> =>
    runtime.run({ code: program(steps), entry: 'go', input, limits: { ...limits, ...own } })

  test('the runtime says what is in force, and that nobody counts on its answers twice', () => {
    expect(runtime).toMatchObject({ isolation, repeatable: false })
  })

  describe('values', () => {
    test.each<[string, JsonValue]>([
      ['a number', 7],
      ['nested values', { a: [1, null, { b: 'é😀\0' }] }],
      ['a megabyte', 'x'.repeat(1_000_000)],
    ])('%s goes in and comes out', async (_name, value) => {
      expect(await go(echo, value, { outputBytes: 2_000_000 })).toEqual({ ok: true, output: value, logs: [] })
    })
    test('the output limit counts bytes and allows exactly as many', async () => {
      expect(await go(echo, 'é'.repeat(10), { outputBytes: 22 })).toMatchObject({ ok: true })
      expect(await go(echo, 'é'.repeat(10), { outputBytes: 21 })).toMatchObject({ code: 'OUTPUT_TOO_LARGE' })
    })
    test('the entry is the program’s argument', async () => {
      // At the start the stack holds the count of arguments, then their addresses; the second is the entry.
      const bytes = {
        // mov rdi, 1; mov rsi, [rsp + 16]; mov edx, 4; mov eax, 1; syscall
        x64: [0xbf, 1, 0, 0, 0, 0x48, 0x8b, 0x74, 0x24, 16, 0xba, 4, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0x0f, 0x05],
        // mov x0, 1; ldr x1, [sp, #16]; mov x2, 4; mov x8, 64; svc #0
        arm64: [
          ...[0x20, 0, 0x80, 0xd2, 0xe1, 0x0b, 0x40, 0xf9, 0x82, 0, 0x80, 0xd2],
          ...[0x08, 0x08, 0x80, 0xd2, 0x01, 0, 0, 0xd4],
        ],
      }[process.arch as 'x64' | 'arm64']
      const job = { code: program([{ bytes }, exit(0)]), entry: '1234', input: null, limits }
      expect(await runtime.run(job)).toMatchObject({ output: 1234 })
      expect(await runtime.run({ ...job, entry: 'x'.repeat(257) })).toMatchObject({ code: 'ENTRY_MISSING' })
      expect(await runtime.run({ ...job, entry: 'a\0b' })).toMatchObject({ code: 'ENTRY_MISSING' })
    })
    test.each<[string, readonly native.TestStep[], string]>([
      ['no answer', [exit(0)], 'OUTPUT_NOT_JSON'],
      ['half an answer', [say('[1'), exit(0)], 'OUTPUT_NOT_JSON'],
      ['an infinity', [say('1e999'), exit(0)], 'OUTPUT_NOT_JSON'],
      ['a deep nesting', [say('['.repeat(300)), exit(0)], 'OUTPUT_NOT_JSON'],
      [
        'bytes that are no text',
        [say('"'), { do: 'write', with: [1, { text: 'é' }, 1] }, say('"'), exit(0)],
        'OUTPUT_NOT_JSON',
      ],
      ['an answer and a failure', [say('1'), exit(1)], 'THREW'],
      ['no such entry', [exit(64)], 'ENTRY_MISSING'],
      ['no memory', [exit(12)], 'OUT_OF_MEMORY'],
      ['an answer that looks like the launcher’s', [say('\u0006'), exit(125)], 'THREW'],
      ['code that does nothing', [{ bytes: [0, 0, 0, 0] }], 'THREW'],
    ])('%s', async (_name, steps, code) => {
      const result = await go(steps)
      expect(result).toMatchObject({ ok: false, code })
      expect(JSON.stringify(result)).not.toMatch(/canary|125/)
    })
    test('what it complains is nobody’s to read', async () => {
      const complaint: native.TestStep = { do: 'write', with: [2, { text: 'canary' }, 6] }
      expect(await go([complaint, say('1'), exit(0)])).toEqual({ ok: true, output: 1, logs: [] })
    })
  })

  describe('what is no job', () => {
    const job = { code: 'AA==', entry: 'go', input: null, limits }
    const good = program(echo)
    test.each<[string, string]>([
      ['no program', 'AA=='],
      ['no text', ''],
      ['no base64', 'no base64!'],
      ['another spelling of its base64', `${good}\n`],
      ['a script', 'globalThis.sealpool = {}'],
      [
        'a program of another machine',
        Buffer.from(native.programFile(echo, native.here === 'x86-64' ? 'aarch64' : 'x86-64')).toString(
          'base64',
        ),
      ],
    ])('%s', async (_name, code) => {
      expect(await runtime.run({ ...job, code })).toMatchObject({
        ok: false,
        code: 'CODE_INVALID',
        place: 'load',
      })
    })
    test('limits that nobody keeps are refused', async () => {
      const steps = runtime.run({ ...job, limits: { ...limits, steps: 1000 } })
      await expect(steps).rejects.toMatchObject({ code: 'LIMITS_INVALID', place: 'limits.steps' })
      const attachments = runtime.run({ ...job, attachments: ['x'] })
      await expect(attachments).rejects.toMatchObject({ code: 'INPUT_NOT_JSON' })
      await expect(runtime.run({ ...job, input: Number.NaN })).rejects.toMatchObject({
        code: 'INPUT_NOT_JSON',
      })
    })
    test('a program larger than its memory does not start', async () => {
      expect(await go(echo, 1, { memoryBytes: 2 ** 20 })).toMatchObject({
        code: 'OUT_OF_MEMORY',
        place: 'load',
      })
    })
  })

  describe('limits', () => {
    test('a loop without end ends at the deadline', async () => {
      expect(await go(native.spin, 1, { timeMs: 50 })).toMatchObject({ code: 'TIMEOUT' })
    })
    test('memory ends at the limit, and the next run has all of it', async () => {
      for (let index = 0; index < 2; index += 1) {
        expect(await go(native.allocate(12))).toMatchObject({ code: 'OUT_OF_MEMORY', place: 'run' })
      }
      // 32 MiB with a program of 2 MiB: 20 go, 40 do not.
      const take = (bytes: number) =>
        go(attempt([{ do: 'mmap', with: [0, bytes * 2 ** 20, 3, 0x22, -1, 0] }]))
      expect(await take(20)).toMatchObject({ output: true })
      expect(await take(40)).toMatchObject({ output: false })
    })
    test('the stack ends at its limit', async () => {
      expect(await go(native.recurse)).toMatchObject({ code: 'THREW' })
    })
    test('an output without end ends at its limit', async () => {
      expect(await go(native.flood)).toMatchObject({ code: 'OUTPUT_TOO_LARGE' })
    })
    test('programs run at once, as many as were asked for, and others wait', async () => {
      const both = [go(native.spin, 1, { timeMs: 150 }), go(native.spin, 1, { timeMs: 150 })]
      const third = go(echo, 3)
      expect(await Promise.all([...both, third])).toMatchObject([
        { code: 'TIMEOUT' },
        { code: 'TIMEOUT' },
        { output: 3 },
      ])
    })
  })
})

test.each([0, -1, 1.5, 65, Number.NaN])('%s programs are no number of programs', async (programs) => {
  await expect(createNativeRuntime({ isolation: 'process', programs })).rejects.toMatchObject({
    code: 'LIMITS_INVALID',
    place: 'programs',
  })
})

test('an isolation that is not asked for by its name is not had', async () => {
  const best = { isolation: 'best' } as unknown as Parameters<typeof createNativeRuntime>[0]
  await expect(createNativeRuntime(best)).rejects.toMatchObject({
    code: 'RUNTIME_UNAVAILABLE',
    place: 'native.isolation',
  })
})
