import { fileURLToPath } from 'node:url'
import { sha256Digest } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BundledPoc, bundlePoc } from '../bundle/index.js'
import { owner, pool } from '../testing/payroll-export.js'
import { runPoc } from './run-poc.js'

const limits = { memoryBytes: 2 ** 26, timeMs: 30_000, steps: 50_000_000, outputBytes: 65_536 }
let poc: BundledPoc
let runtime: JobRuntime
beforeAll(async () => {
  poc = await bundlePoc({ entry: fileURLToPath(new URL('../testing/any-proof.ts', import.meta.url)) })
  runtime = await createQuickJsRuntime()
})
afterAll(() => runtime.close())

const text = (given: string) => new TextEncoder().encode(given)
const utf16 = (given: string) => Uint8Array.from(Buffer.from(`\ufeff${given}`, 'utf16le'))
const judge = (bytes: Uint8Array, mediaType: string, own = {}) =>
  runPoc({
    poc,
    runtime,
    limits: { ...limits, ...own },
    contribution: { id: '1', pool, owner, mediaType, bytes },
    facts: { uniqueness: { duplicate: false } },
  })

test.each<[string, Uint8Array, string, string]>([
  ['nothing', text(''), 'application/json', 'MALFORMED_EXPORT'],
  ['JSON that is cut off', text('{"canary":'), 'application/json', 'MALFORMED_EXPORT'],
  ['JSON in UTF-16', utf16('{"canary":1}'), 'application/json', 'MALFORMED_EXPORT'],
  ['CSV in UTF-16', utf16('a,b\n1,canary'), 'text/csv', 'MALFORMED_EXPORT'],
  [
    'a surrogate in UTF-8',
    Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22),
    'application/json',
    'MALFORMED_EXPORT',
  ],
  ['half of a surrogate pair', text('{"canary":"\\ud800"}'), 'application/json', 'MALFORMED_EXPORT'],
  ['a number without end', text('{"canary":1e400}'), 'application/json', 'MALFORMED_EXPORT'],
  ['a member twice', text('{"canary":1,"canary":2}'), 'application/ld+json; a=b', 'MALFORMED_EXPORT'],
  ['a bracket bomb', text('['.repeat(1_000_000)), 'application/json', 'POC_STACK_OVERFLOW'],
  [
    'a bracket bomb that closes',
    text('['.repeat(1e5) + ']'.repeat(1e5)),
    'application/json',
    'POC_STACK_OVERFLOW',
  ],
  ['a quote that never closes', text(`"${'\n'.repeat(1_000_000)}`), 'text/csv', 'MALFORMED_EXPORT'],
  ['a ragged row', text('a,b\ncanary\n'), 'text/csv', 'MALFORMED_EXPORT'],
  ['a column twice', text('canary,canary\n1,2\n'), 'text/csv', 'MALFORMED_EXPORT'],
  [
    'a file larger than the memory',
    text(`"${'a'.repeat(2 ** 26)}"`),
    'application/json',
    'POC_OUT_OF_MEMORY',
  ],
])('%s is refused in a verdict', async (_, bytes, mediaType, code) => {
  const verdict = await judge(bytes, mediaType)
  expect(verdict).toMatchObject({ valid: false, refusal: { code } })
  expect(JSON.stringify(verdict)).not.toContain('canary')
})

test.each<[string, Uint8Array, string]>([
  ['a byte order mark', text('\ufeff{"a":1}'), 'application/json'],
  [
    'names of the prototype',
    text('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    'application/json',
  ],
  ['columns of the prototype', text('__proto__,constructor\n1,2\n'), 'text/csv'],
  [
    'a hundred thousand columns',
    text(`${Array.from({ length: 1e5 }, (_, at) => `c${at}`)}\n${'1,'.repeat(99_999)}1\n`),
    'text/csv',
  ],
  ['NUL', text('a\0b'), 'text/plain'],
  ['a media type of the prototype', text('{}'), 'constructor'],
  ['a media type of a megabyte', text('{}'), `text/${'x'.repeat(2 ** 20)}`],
])('%s leaves no trace and judges as ever', async (_, bytes, mediaType) => {
  const verdict = await judge(bytes, mediaType)
  expect(verdict).toMatchObject({
    refusal: null,
    evidence: expect.arrayContaining([expect.objectContaining({ check: 'clean', result: 'pass' })]),
  })
})

test('a regular expression of exponential time ends at its steps or its deadline, and always the same way by steps', async () => {
  const code = `globalThis.sealpool = { describe: () => ({ id: 'x', version: '1', issuers: [] }), evaluate: () => /^(a+)+$/.test('${'a'.repeat(40)}!') }`
  const evil = { code, digest: sha256Digest(text(code)) }
  for (let round = 0; round < 2; round += 1) {
    const verdict = await runPoc({
      poc: evil,
      runtime,
      limits: { ...limits, steps: 1_000_000 },
      contribution: { id: '1', pool, owner, mediaType: 'text/plain', bytes: text('x') },
      facts: { uniqueness: { duplicate: false } },
    })
    expect(verdict.refusal?.code).toBe('POC_OUT_OF_STEPS')
  }
})
