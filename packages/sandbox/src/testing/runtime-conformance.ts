import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SandboxError } from '../errors.js'
import type { Limits } from '../limits.js'
import type { JobRuntime, JsonValue, RunResult } from '../runtime.js'
import { confinementConformance } from './confinement-conformance.js'
import { escapeAttempts } from './escape-attempts.js'
import { limits, script } from './job.js'

const MIB = 2 ** 20

/** What every adapter of {@link JobRuntime} must do; adapters' own tests call it with a way to make one. */
export function runtimeConformance(name: string, make: () => Promise<JobRuntime>): void {
  describe(`${name} as a JobRuntime`, () => {
    let runtime: JobRuntime
    beforeAll(async () => {
      runtime = await make()
    })
    afterAll(async () => {
      await runtime.close()
    })
    const go = (expression: string, input: JsonValue = null, own: Partial<Limits> = {}): Promise<RunResult> =>
      runtime.run({ code: script(expression), entry: 'go', input, limits: { ...limits, ...own } })
    const give = async (expression: string, input: JsonValue = null): Promise<JsonValue> => {
      const result = await go(expression, input)
      if (!result.ok) throw new Error(`${result.code} at ${result.place}`)
      return result.output
    }
    const failWith = async (
      expression: string,
      code: string,
      own: Partial<Limits> = {},
    ): Promise<RunResult> => {
      const result = await go(expression, 'canary-4711', own)
      expect(result).toMatchObject({ ok: false, code })
      expect(JSON.stringify(result)).not.toContain('canary')
      return result
    }

    describe('values', () => {
      test('any JSON value crosses both ways unchanged', async () => {
        await fc.assert(
          fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), async (value) => {
            const json = JSON.parse(JSON.stringify(value)) as JsonValue
            expect(await give('(x) => x', json)).toEqual(json)
          }),
          { numRuns: 60 },
        )
      })
      test.each([
        ['NUL and control characters', '\0\u0001\u001f'],
        ['lone surrogates', '\ud800 \udfff'],
        ['astral characters', '😀𝄞'],
        ['line separators', '\u2028\u2029'],
        ['quotes and backslashes', '"\\"\\\\"'],
      ])('%s cross unchanged', async (_name, value) => {
        expect(await give('(x) => x', { [value]: value })).toEqual({ [value]: value })
        expect(await give('(x) => x.length', value)).toBe(value.length)
      })
      test('a key named __proto__ stays a plain key and touches no prototype', async () => {
        const result = await give('(x) => JSON.parse(\'{"__proto__":{"polluted":true},"a":1}\')')
        expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
        expect(JSON.stringify(result)).toBe('{"__proto__":{"polluted":true},"a":1}')
      })
      test('the output limit counts UTF-8 bytes and allows exactly as many', async () => {
        expect(await go('() => "é".repeat(10)', null, { outputBytes: 22 })).toMatchObject({ ok: true })
        await failWith('() => "é".repeat(10)', 'OUTPUT_TOO_LARGE', { outputBytes: 21 })
        expect(await go('() => "😀".repeat(5)', null, { outputBytes: 22 })).toMatchObject({ ok: true })
        await failWith('() => "😀".repeat(5)', 'OUTPUT_TOO_LARGE', { outputBytes: 21 })
      })
      test('an undefined member is dropped, as JSON has it', async () => {
        expect(await give('() => ({ a: undefined, b: 1 })')).toEqual({ b: 1 })
      })
      test.each([
        ['undefined', '() => {}'],
        ['a function', '() => () => 1'],
        ['a symbol', '() => Symbol.iterator'],
        ['a bigint', '() => ({ a: 1n })'],
        ['NaN', '() => [NaN]'],
        ['an infinity', '() => ({ a: -Infinity })'],
        ['a hole in an array', '() => [1, , 2]'],
        ['a nested function', '() => ({ a: { b() {} } })'],
        ['a cycle', '() => { const a = {}; a.a = a; return a }'],
        ['a promise', '() => Promise.resolve(1)'],
        ['a promise that never settles', 'async () => { await new Promise(() => {}) }'],
        ['a thenable', '() => ({ then() {} })'],
        ['a nesting of 300', '() => { let a = 0; for (let i = 0; i < 300; i++) a = [a]; return a }'],
      ])('output that is %s is OUTPUT_NOT_JSON', async (_name, expression) => {
        await failWith(expression, 'OUTPUT_NOT_JSON')
      })
      test.each([
        ['undefined', undefined],
        ['NaN', { a: Number.NaN }],
        ['a bigint', [1n]],
        ['a function', () => 1],
        ['a nesting of 300', JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`)],
      ])('input that is %s is refused with INPUT_NOT_JSON', async (_name, input) => {
        const job = { code: script('(x) => x'), entry: 'go', input: input as JsonValue, limits }
        await expect(runtime.run(job)).rejects.toMatchObject({ code: 'INPUT_NOT_JSON' })
      })
      test('an input with a cycle is refused without naming its keys', async () => {
        const input: { [key: string]: JsonValue } = {}
        input['canary'] = input
        const error = await go('(x) => x', input).catch((caught: unknown) => caught)
        expect(error).toBeInstanceOf(SandboxError)
        expect(String(error)).not.toContain('canary')
      })
    })

    describe('escape attempts', () => {
      test.each(escapeAttempts.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
        const result = await runtime.run({ code: one.code, entry: 'go', input: 'canary-4711', limits })
        if (one.harmless === 'fails') {
          expect(result).toMatchObject({ ok: false })
          expect(JSON.stringify(result)).not.toContain('canary')
        } else {
          expect(result).toMatchObject({ ok: true, output: one.harmless.returns })
        }
      })
    })

    confinementConformance({ give, failWith, run: (job) => runtime.run(job) })

    describe('limits', () => {
      test('an endless loop ends at the deadline', async () => {
        const started = performance.now()
        await failWith('() => { for (;;) {} }', 'TIMEOUT', { timeMs: 100 })
        expect(performance.now() - started).toBeLessThan(2_000)
      })
      test('an endless loop that catches everything ends at the deadline', async () => {
        await failWith(
          '() => { for (;;) { try { for (;;) {} } catch {} finally { continue } } }',
          'TIMEOUT',
          { timeMs: 100 },
        )
      })
      test.each([
        ['in the script itself', 'for (;;) {} globalThis.sealpool = { go: () => 1 }'],
        ['in a toJSON', script('() => ({ toJSON() { for (;;) {} } })')],
        ['in a getter', script('() => ({ get a() { for (;;) {} } })')],
        ['in a then getter', script('() => ({ get then() { for (;;) {} } })')],
        ['in a getter of the entry', 'globalThis.sealpool = { get go() { for (;;) {} } }'],
        ['in the getter of an error', script('() => { throw { get constructor() { for (;;) {} } } }')],
        ['in a backtracking expression', script('() => /(a+)+$/.test("a".repeat(40) + "b")')],
        ['in a sort', script('() => { for (;;) [3, 1, 2].sort() }')],
      ])('an endless loop %s ends at the deadline', async (_name, code) => {
        const result = await runtime.run({
          code,
          entry: 'go',
          input: null,
          limits: { ...limits, timeMs: 100 },
        })
        expect(result).toMatchObject({ ok: false, code: 'TIMEOUT' })
      })
      test.each([
        ['objects', 'const a = []; for (;;) a.push({ a: [] })'],
        ['typed arrays', 'const a = []; for (;;) a.push(new Uint8Array(1e6))'],
        ['one huge buffer', 'return new Uint8Array(2e9).length'],
        ['a doubling string', 'let s = "x"; for (;;) s += s'],
        ['a repeated string', 'return "x".repeat(1e9).length'],
        ['a big integer', 'let n = 3n; for (;;) n *= n'],
      ])(
        'an allocation bomb of %s is OUT_OF_MEMORY or ends with an error of the code',
        async (_name, body) => {
          const result = await go(`() => { ${body} }`, null, { timeMs: 30_000 })
          expect(result.ok).toBe(false)
          if (!result.ok) expect(['OUT_OF_MEMORY', 'THREW']).toContain(result.code)
        },
      )
      test('objects without end are OUT_OF_MEMORY', async () => {
        await failWith('() => { const a = []; for (;;) a.push({ a: [] }) }', 'OUT_OF_MEMORY', {
          memoryBytes: 4 * MIB,
        })
      })
      // QuickJS's own limit does not count their bytes.
      test.each([
        ['buffers', 'new Uint8Array(100_000)'],
        ['large buffers', 'new Uint8Array(2 ** 24)'],
        ['texts', '"x".repeat(100_000) + kept.length'],
        ['texts of an array', '[..."x".repeat(1000)].map((x) => x.repeat(100)).join("")'],
        ['big integers', '2n ** 100_000n + BigInt(kept.length)'],
        ['copies', '(kept.length === 0 ? new Uint8Array(100_000) : kept[0]).slice()'],
      ])('%s without end are OUT_OF_MEMORY', async (_name, expression) => {
        await failWith(`() => { const kept = []; for (;;) kept.push(${expression}) }`, 'OUT_OF_MEMORY', {
          memoryBytes: 8 * MIB,
          timeMs: 30_000,
        })
      })
      test('input larger than the memory limit is OUT_OF_MEMORY', async () => {
        const result = await go('(x) => 1', 'x'.repeat(2 * MIB), { memoryBytes: MIB })
        expect(result).toMatchObject({ ok: false, code: 'OUT_OF_MEMORY' })
      })
      test('input that just does not fit beside its parsed form is OUT_OF_MEMORY', async () => {
        const result = await go(
          '(x) => 1',
          Array.from({ length: 60_000 }, () => ({})),
          { memoryBytes: MIB },
        )
        expect(result).toMatchObject({ ok: false, code: 'OUT_OF_MEMORY' })
      })
      test.each([
        ['a function', 'function f(x) { return 1 + f(x) }'],
        ['a getter', '() => { const a = { get a() { return this.a } }; return a.a }'],
        [
          'a deep structure',
          '() => { let a = {}; const b = a; for (let i = 0; i < 1e5; i++) a = a.a = {}; return b }',
        ],
        ['a deep text', '() => JSON.parse("[".repeat(1e5) + "]".repeat(1e5))'],
        ['a toString', '() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return String(a) }'],
      ])('recursion by %s is STACK_OVERFLOW', async (_name, expression) => {
        // A busy machine must not make a deadline of it.
        await failWith(expression, 'STACK_OVERFLOW', { timeMs: 20_000 })
      })
      test('a run after each kind of failure works', async () => {
        await failWith('function f(x) { return 1 + f(x) }', 'STACK_OVERFLOW')
        await failWith('() => JSON.parse("[".repeat(1e5) + "]".repeat(1e5))', 'STACK_OVERFLOW')
        await failWith('() => { const a = []; for (;;) a.push({}) }', 'OUT_OF_MEMORY', {
          memoryBytes: 2 * MIB,
        })
        await failWith('() => { for (;;) {} }', 'TIMEOUT', { timeMs: 50 })
        expect(await give('(x) => x + 1', 1)).toBe(2)
      })
      test.each([
        ['memoryBytes', { memoryBytes: 1 }],
        ['timeMs', { timeMs: 0 }],
        ['timeMs', { timeMs: 0.5 }],
        ['stackBytes', { stackBytes: 2 ** 30 }],
        ['outputBytes', { outputBytes: Number.NaN }],
      ])('a bad %s is refused', async (field, own) => {
        await expect(go('() => 1', null, own)).rejects.toMatchObject({
          code: 'LIMITS_INVALID',
          place: `limits.${field}`,
        })
      })
    })

    describe('failures', () => {
      test('a thrown error gives its class and line, not its message', async () => {
        const result = await go('(x) => {\n\n  throw new TypeError(x)\n}', 'canary-4711')
        expect(result).toMatchObject({ ok: false, code: 'THREW', place: 'line 3' })
        expect(JSON.stringify(result)).toContain('TypeError')
        expect(JSON.stringify(result)).not.toContain('canary')
      })
      test('a class of the code is named when the code declares it', async () => {
        const result = await go('() => { class MissingRow extends Error {} throw new MissingRow() }')
        expect(result).toMatchObject({ message: expect.stringContaining('MissingRow') })
      })
      test.each([
        [
          'a class named after the input',
          '(x) => { const C = { [x]: class extends Error {} }[x]; throw new C() }',
        ],
        ['a forged constructor name', '(x) => { throw { constructor: { name: x } } }'],
        ['a thrown string', '(x) => { throw x }'],
        ['a name property', '(x) => { const e = new Error(x); e.name = x; throw e }'],
        ['a forged stack', '(x) => { const e = new Error(); e.stack = "code.js:123456789 " + x; throw e }'],
        ['a spaced name', '(x) => { throw { constructor: { name: "Error " + x } } }'],
        ['undefined', '() => { throw undefined }'],
        [
          'a proxy that throws',
          '(x) => { throw new Proxy({}, { get() { throw x }, getPrototypeOf() { throw x } }) }',
        ],
        ['an AggregateError', '(x) => { throw new AggregateError([new Error(x)], x) }'],
      ])('%s does not get out', async (_name, expression) => {
        const result = await failWith(expression.replaceAll('canary', ''), 'THREW')
        expect(result).toMatchObject({ place: expect.stringMatching(/^(run|line 1)$/) })
      })
      test.each([
        ['text that does not parse', 'globalThis.sealpool = {'],
        ['a NUL', 'globalThis.sealpool = { go: () => "\0" }'],
        ['a lone surrogate', 'globalThis.sealpool = { go: () => "\ud800" }'],
        ['nesting without end', '('.repeat(100_000)],
      ])('code with %s does not run', async (_name, code) => {
        const result = await runtime.run({ code, entry: 'go', input: null, limits })
        expect(result.ok).toBe(false)
        if (!result.ok) expect(['CODE_INVALID', 'STACK_OVERFLOW']).toContain(result.code)
      })
      test.each([
        ['nothing set', ''],
        ['null', 'globalThis.sealpool = null'],
        ['another name', 'globalThis.sealpool = { other: () => 1 }'],
        ['no function', 'globalThis.sealpool = { go: 1 }'],
        ['an inherited function', 'globalThis.sealpool = Object.create({ go: () => 1 })'],
        ['a lexical binding only', 'const sealpool = { go: () => 1 }'],
      ])('code with %s is ENTRY_MISSING', async (_name, code) => {
        const result = await runtime.run({ code, entry: 'go', input: null, limits })
        expect(result).toMatchObject({ ok: false, code: 'ENTRY_MISSING' })
      })
      test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', '', 'go\0', 'go\ud800'])(
        'an entry named "%s" is not found on prototypes',
        async (entry) => {
          const result = await runtime.run({ code: script('() => 1'), entry, input: null, limits })
          expect(result).toMatchObject({ ok: false, code: 'ENTRY_MISSING' })
        },
      )
      test('code that throws while it loads gives the line', async () => {
        const result = await runtime.run({ code: '\nnull.x', entry: 'go', input: null, limits })
        expect(result).toMatchObject({ ok: false, code: 'THREW', place: 'line 2' })
      })
    })

    describe('attachments', () => {
      const attached = (expression: string, attachments: readonly string[], own: Partial<Limits> = {}) =>
        runtime.run({
          code: script(expression),
          entry: 'go',
          input: null,
          attachments,
          limits: { ...limits, ...own },
        })
      test('texts cross both ways unchanged, in their order', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(
              fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
              { maxLength: 5 },
            ),
            async (texts) => {
              const body = `() => { for (let i = 0; i < ${texts.length}; i++) batch.attach(batch.attachment(i)); return 1 }`
              const result = await attached(body, texts)
              expect(result).toEqual({
                ok: true,
                output: 1,
                logs: [],
                ...(texts.length === 0 ? {} : { attachments: texts }),
              })
            },
          ),
          { numRuns: 30 },
        )
      })
      test('a table is read from an attachment and attached as columns', async () => {
        const body = `() => batch.table('columns', { attachment: 0 })
          .map('pay', ['*', ['number', ['column', 'wage']], 2]).map('rich', ['>', ['column', 'pay'], 10])
          .attach(['pay', 'rich', 'who'], ['rich'])`
        const columns = JSON.stringify({
          names: ['wage', 'who'],
          columns: [
            ['5.5', '', null, '4'],
            ['"a"', 'b', '', '\u0000'],
          ],
        })
        expect(await attached(body, [columns])).toEqual({
          ok: true,
          output: 0,
          logs: [],
          attachments: [
            JSON.stringify([
              [11, null, null, 8],
              [true, null, null, false],
              ['"a"', 'b', null, '\u0000'],
            ]),
          ],
        })
      })
      test.each([
        ['an attachment that is not there', '() => batch.attachment(1)', 'THREW'],
        ['an attachment by a name', '() => batch.attachment("constructor")', 'THREW'],
        [
          'a table of an attachment that is not there',
          '() => batch.table("json", { attachment: -1 })',
          'THREW',
        ],
        [
          'columns of two lengths',
          `() => batch.table('columns', '{"names":["a","b"],"columns":[[1],[]]}')`,
          'THREW',
        ],
        [
          'columns of one name',
          `() => batch.table('columns', '{"names":["a","a"],"columns":[[1],[1]]}')`,
          'THREW',
        ],
        ['fewer columns than names', `() => batch.table('columns', '{"names":["a"],"columns":[]}')`, 'THREW'],
        ['columns that are none', `() => batch.table('columns', 'null')`, 'THREW'],
        ['what is no text', '() => batch.attach(1)', 'THREW'],
        ['a text with U+0000', '() => batch.attach("a\\0b")', 'THREW'],
        ['a column that is not there', `() => batch.table('json', '[{"a":1}]').attach(['b'])`, 'THREW'],
        ['a truth value of 2', `() => batch.table('json', '[{"a":2}]').attach(['a'], ['a'])`, 'THREW'],
        ['too many', '() => { for (let i = 0; i < 65; i++) batch.attach("") }', 'THREW'],
        [
          'too much',
          '() => { batch.attach("x".repeat(60000)); batch.attach("x".repeat(60000)) }',
          'OUTPUT_TOO_LARGE',
        ],
        [
          'too much, caught',
          '() => { for (;;) try { batch.attach("x".repeat(60000)) } catch {} }',
          'OUTPUT_TOO_LARGE',
        ],
        ['too much in bytes', '() => { batch.attach("€".repeat(40000)) ; return 1 }', 'OUTPUT_TOO_LARGE'],
      ])('%s is refused', async (_name, body, code) => {
        expect(await attached(body, ['[]'], { timeMs: 10_000 })).toMatchObject({ ok: false, code })
      })
      test('attachments count against the memory of the run', async () => {
        expect(await attached('() => 1', ['x'.repeat(2 * MIB)], { memoryBytes: MIB })).toMatchObject({
          ok: false,
          code: 'OUT_OF_MEMORY',
        })
      })
      test.each([
        ['a lone surrogate', ['\ud800']],
        ['U+0000', ['a\0b']],
        ['more than 64', Array.from({ length: 65 }, () => '')],
        ['no text', [1 as unknown as string]],
      ])("%s is the caller's mistake", async (_name, attachments) => {
        await expect(attached('() => 1', attachments)).rejects.toMatchObject({ code: 'INPUT_NOT_JSON' })
      })
      test('a text with U+0000 reaches the functions of batch whole', async () => {
        expect(
          await give('(x) => [batch.sha256(x) === batch.sha256("a"), batch.exec("b", "", x)]', 'a\0b'),
        ).toEqual([false, ['b']])
      })
    })

    describe('logs', () => {
      test('what the code prints comes back and goes nowhere else', async () => {
        const result = await go(
          '() => { console.log("a", 1, { b: [2] }); console.error(null, undefined); return 0 }',
        )
        expect(result).toEqual({ ok: true, output: 0, logs: ['a 1 {"b":[2]}', 'null undefined'] })
      })
      test('prints without end are cut to 100 lines of 1,000 characters', async () => {
        const result = await go(
          '() => { for (let i = 0; i < 1e4; i++) console.log("x".repeat(5000)); return 0 }',
        )
        expect(result.ok && result.logs.length).toBe(100)
        expect(result.ok && result.logs.every((line) => line.length === 1000)).toBe(true)
      })
      test('printing what cannot be printed does not fail the run', async () => {
        const result = await go(
          '() => { const a = {}; a.a = a; console.log(a, Symbol("s"), Object.create(null), { toJSON() { throw 1 } }); return 0 }',
        )
        expect(result).toMatchObject({ ok: true, output: 0 })
      })
    })
  })
}
