import { fileURLToPath } from 'node:url'
import { sha256Digest } from '@sealpool/crypto'
import type { JobRuntime, JsonValue, RunResult } from '@sealpool/sandbox'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BundledPoc, bundlePoc } from '../bundle/index.js'
import { owner, payload, pool, signedExport, text } from '../testing/payroll-export.js'
import { parsePocVerdict, verdictDigest } from '../verdict/verdict.js'
import type { PocCode } from './describe-poc.js'
import { runPoc } from './run-poc.js'

const limits = { memoryBytes: 2 ** 26, timeMs: 2_000, outputBytes: 65_536 }

let poc: BundledPoc
let quickjs: JobRuntime
let child: JobRuntime
beforeAll(async () => {
  poc = await bundlePoc({ entry: fileURLToPath(new URL('../testing/payroll-proof.ts', import.meta.url)) })
  quickjs = await createQuickJsRuntime()
  child = await createProcessRuntime({ isolation: 'best' })
})
afterAll(async () => {
  await quickjs.close()
  await child.close()
})

const judge = (
  bytes: Uint8Array,
  options: {
    code?: PocCode
    runtime?: JobRuntime
    mediaType?: string
    duplicate?: boolean
    timeMs?: number
  } = {},
) =>
  runPoc({
    poc: options.code ?? poc,
    runtime: options.runtime ?? quickjs,
    limits: { ...limits, timeMs: options.timeMs ?? limits.timeMs },
    contribution: { id: '7', pool, owner, mediaType: options.mediaType ?? 'application/json', bytes },
    facts: { uniqueness: { duplicate: options.duplicate ?? false } },
  })

/** Code that answers `evaluate` with this expression of `input`. */
const codeOf = (expression: string): PocCode => {
  const code = `globalThis.sealpool = {
    describe: () => ({ id: 'x', version: '1', issuers: [] }),
    evaluate: (input) => (${expression}),
  }`
  return { code, digest: sha256Digest(text(code)) }
}
const part = {
  valid: true,
  score: 1,
  authenticity: 1,
  ownership: 1,
  quality: 1,
  uniqueness: 1,
  attributes: {},
  refusal: null,
  evidence: [],
}
const answering = (change: object): PocCode => codeOf(JSON.stringify({ ...part, ...change }))

describe('verdicts', () => {
  test('a signed, own, complete export scores 1 and says why', async () => {
    expect(await judge(signedExport())).toEqual({
      contribution: '7',
      pool,
      poc: poc.digest,
      valid: true,
      score: 1,
      authenticity: 1,
      ownership: 1,
      quality: 1,
      uniqueness: 1,
      attributes: { category: 'Clerical', columns: 4 },
      refusal: null,
      evidence: [
        { check: 'signature', result: 'pass', place: 'signature' },
        { check: 'duplicate', result: 'pass', place: 'file' },
        { check: 'owner', result: 'pass', place: 'payload.account' },
        { check: 'period', result: 'pass', place: 'payload.period' },
        { check: 'wage', result: 'pass', place: 'payload.wage', degree: 1 },
        { check: 'occupation', result: 'pass', place: 'payload.occupation' },
      ],
    })
  })
  test('the score is the weighted mean to four decimals', async () => {
    const verdict = await judge(signedExport({ ...payload, wage: '300.00' }))
    // Quality: period 1, wage 1/3 with weight 2, occupation 1, over 4.
    expect(verdict.quality).toBe(0.6667)
    expect(verdict.score).toBe(0.8667)
    expect(verdict.evidence).toContainEqual({
      check: 'wage',
      result: 'partial',
      place: 'payload.wage',
      degree: 0.33,
    })
  })
  test.each(['Gärtnerei', '看護'])('a category of the code is an attribute, also %s', async (occupation) => {
    expect((await judge(signedExport({ ...payload, occupation }))).attributes).toEqual({
      category: occupation,
      columns: 4,
    })
  })
  test('a verdict has a digest that changes with any field', async () => {
    const verdict = await judge(signedExport())
    expect(parsePocVerdict(JSON.parse(JSON.stringify(verdict)))).toEqual(verdict)
    expect(verdictDigest({ ...verdict, score: 0.9 })).not.toBe(verdictDigest(verdict))
  })

  test.each<[string, () => Uint8Array, string, string]>([
    ['bytes that are not UTF-8', () => Uint8Array.of(0x7b, 0xff, 0x7d), 'MALFORMED_EXPORT', 'file'],
    ['text that is not JSON', () => text('{"payload": canary}'), 'MALFORMED_EXPORT', 'file'],
    ['an export that is not signed', () => text('{"payload":{}}'), 'WRONG_FORMAT', 'file'],
    [
      'another issuer',
      () => text('{"payload":{},"issuer":"canary","signature":""}'),
      'WRONG_ISSUER',
      'issuer',
    ],
    ['another key', () => signedExport(payload, new Uint8Array(32).fill(3)), 'WRONG_SIGNATURE', 'signature'],
    [
      'one changed digit',
      () => text(new TextDecoder().decode(signedExport()).replace('12.34', '92.34')),
      'WRONG_SIGNATURE',
      'signature',
    ],
    ['another wallet', () => signedExport({ ...payload, account: pool }), 'WRONG_OWNER', 'payload.account'],
    [
      'another period',
      () => signedExport({ ...payload, period: '1985-06' }),
      'WRONG_PERIOD',
      'payload.period',
    ],
    [
      'a wage that is no number',
      () => signedExport({ ...payload, wage: 'canary' }),
      'WRONG_FORMAT',
      'payload.wage',
    ],
  ])('%s is refused by name', async (_name, make, code, place) => {
    const verdict = await judge(make())
    expect(verdict).toMatchObject({ valid: false, score: 0, refusal: { code, place } })
    expect(JSON.stringify(verdict)).not.toContain('canary')
  })
  test('content the pool already holds is DUPLICATE', async () => {
    const verdict = await judge(signedExport(), { duplicate: true })
    expect(verdict).toMatchObject({ valid: false, score: 0, refusal: { code: 'DUPLICATE' } })
  })
})

describe('code at fault', () => {
  test.each<[string, string, string]>([
    ['never ends', '(() => { for (;;) {} })()', 'POC_TIMEOUT'],
    ['throws', '(() => { throw new Error(input.file.text) })()', 'POC_THREW'],
    ['recurses', '(function f(x) { return 1 + f(x) })(input)', 'POC_STACK_OVERFLOW'],
    ['allocates', '"x".repeat(1e8).length', 'POC_OUT_OF_MEMORY'],
    ['returns a promise', 'Promise.resolve(1)', 'POC_OUTPUT_NOT_JSON'],
    ['returns too much', '"x".repeat(1e6)', 'POC_OUTPUT_TOO_LARGE'],
  ])('code that %s refuses the contribution and quotes nothing', async (_name, expression, code) => {
    const verdict = await judge(text('canary'), { code: codeOf(expression), timeMs: 300 })
    expect(verdict).toMatchObject({ valid: false, score: 0, refusal: { code } })
    expect(JSON.stringify(verdict)).not.toContain('canary')
  })
  test('code that is not what the digest approves does not run', async () => {
    const code = { code: `${poc.code} `, digest: poc.digest }
    await expect(judge(signedExport(), { code })).rejects.toMatchObject({ code: 'CODE_MISMATCH' })
  })
  test.each([
    ['a number', codeOf('1')],
    ['null', codeOf('null')],
    ['a score above 1', answering({ score: 1.5 })],
    ['a negative quality', answering({ quality: -0.1 })],
    ['five decimals', answering({ score: 0.12345 })],
    ['one field more', answering({ more: 1 })],
    ['one field less', answering({ attributes: undefined })],
    ['valid beside a refusal', answering({ refusal: { code: 'DUPLICATE', place: 'file' } })],
    ['a refusal with a score', answering({ valid: false, refusal: { code: 'DUPLICATE', place: 'file' } })],
    ['neither valid nor refused', answering({ valid: false, score: 0 })],
    ['a code in lower case', answering({ valid: false, score: 0, refusal: { code: 'no', place: '' } })],
    ['an unknown result', answering({ evidence: [{ check: 'a', result: 'maybe', place: '' }] })],
  ])('a verdict that is %s is VERDICT_INVALID', async (_name, code) => {
    await expect(judge(signedExport(), { code })).rejects.toMatchObject({ code: 'VERDICT_INVALID' })
  })
  test.each([
    ['an attribute', `({ ...${JSON.stringify(part)}, attributes: { title: input.file.text } })`],
    [
      'a nested attribute',
      `({ ...${JSON.stringify(part)}, attributes: { title: [{ title: input.file.text }] } })`,
    ],
    ["an attribute's name", `({ ...${JSON.stringify(part)}, attributes: { [input.file.text]: 1 } })`],
    [
      "a check's name",
      `({ ...${JSON.stringify(part)}, evidence: [{ check: input.file.text, result: 'pass', place: '' }] })`,
    ],
  ])('raw text in %s is VERDICT_INVALID', async (_name, expression) => {
    const error = await judge(text('CANARY'), { code: codeOf(expression) }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'PocError', code: 'VERDICT_INVALID' })
    expect(String(error)).not.toContain('CANARY')
  })
  test('a piece of a word of the code does not count as a word of the code', async () => {
    const expression = `({ ...${JSON.stringify(part)}, attributes: { title: input.file.text }, evidence: [] })`
    await expect(judge(text('scor'), { code: codeOf(expression) })).rejects.toMatchObject({
      code: 'VERDICT_INVALID',
    })
    expect(await judge(text('score'), { code: codeOf(expression) })).toMatchObject({
      attributes: { title: 'score' },
    })
  })
  test('unknown parts of a place are masked', async () => {
    const expression = `({ ...${JSON.stringify(part)}, evidence: [{ check: 'score', result: 'pass', place: 'quality.' + input.file.text + '[12].score' }] })`
    const verdict = await judge(text('canary'), { code: codeOf(expression) })
    expect(verdict.evidence[0]?.place).toBe('quality.*[12].score')
  })
  test('a refusal that quotes the file stays a refusal, without the quotation', async () => {
    const expression = `({ ...${JSON.stringify({ ...part, valid: false, score: 0 })}, refusal: { code: input.file.text, place: '' } })`
    const verdict = await judge(text('CANARY'), { code: codeOf(expression) })
    expect(verdict).toMatchObject({ valid: false, score: 0, refusal: { code: 'UNNAMED_REFUSAL', place: '' } })
  })
  test.each([
    ['0170.1234567', '*.*'],
    ['49.170.123.45.67', '*.*.*.*.*'],
    ['4711815', '*'],
    ['score[49][170][123][45]', 'score[49][170][*][*]'],
    ['score[123456].quality', 'score[*].quality'],
    ['score[canary].quality', 'score[*].quality'],
    ['score[quality]', 'score[quality]'],
    ['[49', '[*'],
    ['49]', '*]'],
    ['score[4 9]', 'score[*]'],
    ['score49', '*'],
    ['score[]', 'score[*]'],
  ])('digits of a place that are no position are masked: %s', async (place, masked) => {
    const expression = `({ ...${JSON.stringify({ ...part, valid: false, score: 0 })}, refusal: { code: 'DUPLICATE', place: input.file.text }, evidence: [{ check: 'score', result: 'pass', place: input.file.text }] })`
    const verdict = await judge(text(place), { code: codeOf(expression) })
    expect([verdict.refusal?.place, verdict.evidence[0]?.place]).toEqual([masked, masked])
  })
  test('digits of a member name get into no verdict, whatever stands around them', async () => {
    const proof = await bundlePoc({
      entry: fileURLToPath(new URL('../testing/calls-proof.ts', import.meta.url)),
    })
    const digits = fc.stringMatching(/^[0-9]{2,9}$/)
    const name = fc.array(fc.oneof(digits, fc.constantFrom('.', '[', ']', '].[', '-')), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(name, async (parts) => {
        const own = parts.join('')
        const file = text(JSON.stringify({ calls: { [own]: 'x' }, list: [{ n: 1 }] }))
        const { refusal } = await judge(file, { code: proof })
        expect(refusal?.code).toBe('MALFORMED_EXPORT')
        expect(refusal?.place).toMatch(/^calls\.\*$/)
      }),
      { numRuns: 60 },
    )
    const { refusal } = await judge(text('{"calls":{},"list":[{"n":1},{"n":"x"}]}'), { code: proof })
    expect(refusal?.place).toBe('list[1].n')
  })
  test.each([
    ['no describe', 'globalThis.sealpool = { evaluate: () => 1 }'],
    ['no script', '{'],
    ['a malformed description', 'globalThis.sealpool = { describe: () => ({ id: 1 }), evaluate: () => 1 }'],
  ])('code with %s is CODE_INVALID', async (_name, code) => {
    const broken = { code, digest: sha256Digest(text(code)) }
    await expect(judge(signedExport(), { code: broken })).rejects.toMatchObject({ code: 'CODE_INVALID' })
  })
  test('a lost runtime is an error and not a verdict', async () => {
    const lost: JobRuntime = {
      name: 'lost',
      isolation: 'none',
      run: async () => ({ ok: false, code: 'RUNTIME_LOST', message: '', place: '' }),
      close: async () => {},
    }
    await expect(judge(signedExport(), { runtime: lost })).rejects.toMatchObject({ code: 'RUNTIME_FAILED' })
  })
  test('a runtime that need not say the same twice judges nothing', async () => {
    const native: JobRuntime = { ...quickjs, repeatable: false }
    await expect(judge(signedExport(), { runtime: native })).rejects.toMatchObject({
      code: 'RUNTIME_FAILED',
      place: 'runtime',
    })
  })
  test('a closed runtime is an error and not a verdict', async () => {
    const closed = await createQuickJsRuntime()
    await judge(signedExport(), { runtime: closed })
    await closed.close()
    await expect(judge(signedExport(), { runtime: closed })).rejects.toMatchObject({ code: 'RUNTIME_FAILED' })
  })
})

describe('determinism', () => {
  test('200 runs on each of two runtimes give one and the same verdict', async () => {
    const seen = new Set<string>()
    const bytes = signedExport({ ...payload, wage: '333.33' })
    for (let index = 0; index < 200; index++) {
      seen.add(verdictDigest(await judge(bytes)))
      seen.add(verdictDigest(await judge(bytes, { runtime: child })))
    }
    expect(seen.size).toBe(1)
  })
  test('both runtimes judge any text alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (raw) => {
        const bytes = text(raw)
        expect(await judge(bytes, { runtime: child })).toEqual(await judge(bytes))
      }),
      { numRuns: 60 },
    )
  })
})

describe('canaries', () => {
  test('no text of any export is in any verdict, log or error', async () => {
    const outputs: string[] = []
    const spy: JobRuntime = {
      ...quickjs,
      run: async (job): Promise<RunResult> => {
        const result = await quickjs.run(job)
        outputs.push(JSON.stringify(result))
        return result
      },
    }
    const printed: unknown[] = []
    const { log, error, warn } = console
    Object.assign(console, { log: (...all: unknown[]) => printed.push(all), error: log, warn: log })
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.stringMatching(/^CANARY[0-9a-f]{12}$/),
          fc.constantFrom(
            'account',
            'period',
            'wage',
            'occupation',
            'employee',
            'issuer',
            'signature',
            'key',
            'garbage',
          ),
          async (canary, where) => {
            const verdict = await judge(withCanary(canary, where), { runtime: spy }).catch(String)
            expect(JSON.stringify(verdict)).not.toContain(canary)
            expect(outputs.splice(0).join('')).not.toContain(canary)
          },
        ),
        { numRuns: 80 },
      )
    } finally {
      Object.assign(console, { log, error, warn })
    }
    expect(printed).toEqual([])
  })
})

function withCanary(canary: string, where: string): Uint8Array {
  const file = JSON.parse(new TextDecoder().decode(signedExport())) as Record<string, JsonValue>
  switch (where) {
    case 'issuer':
    case 'signature':
      return text(JSON.stringify({ ...file, [where]: canary }))
    case 'key':
      return signedExport({ ...payload, [canary]: canary })
    case 'garbage':
      return text(`${canary}{"${canary}":`)
    default:
      return signedExport({ ...payload, [where]: canary })
  }
}
