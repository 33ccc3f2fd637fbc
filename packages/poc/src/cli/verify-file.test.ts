import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addressOf, digestOf, digestToHex, sha256Digest, signStatement } from '@sealpool/crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { datasetFacts } from '../dataset-facts/dataset-facts.js'
import { signDatasetFacts } from '../dataset-facts/dataset-facts-statement.js'
import { rescoringStatement } from '../rescoring/rescoring-statement.js'
import type { PocVerdict } from '../verdict/verdict.js'
import { signVerdict } from '../verdict/verdict-statement.js'
import { runPocCli } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'sealpool-verify-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function file(content: unknown): string {
  const path = join(folder, `${files++}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
async function cli(...args: string[]) {
  let out = ''
  const code = await runPocCli(args, {
    write: (text) => {
      out += text
    },
    writeError: (text) => {
      out += text
    },
    signal: new AbortController().signal,
  })
  return { code, out }
}

const privateKey = new Uint8Array(32).fill(5)
const pool = `0x${'bb'.repeat(20)}` as const
const place = { chainId: 31337, registry: `0x${'aa'.repeat(20)}` as const }
const validators = [addressOf(privateKey)]
const verdict: PocVerdict = {
  contribution: '7',
  pool,
  poc: sha256Digest(Uint8Array.of(2)),
  valid: true,
  score: 0.5,
  authenticity: 1,
  ownership: 1,
  quality: 0.5,
  uniqueness: 1,
  attributes: { rows: 3 },
  refusal: null,
  evidence: [{ check: 'enough', result: 'pass', place: 'rows' }],
}
const commitment = sha256Digest(Uint8Array.of(1))
const subject = `0x${'7'.padStart(64, '0')}` as const
const signedVerdict = signVerdict({ verdict, context: { ...place, commitment, subject }, privateKey })
const known = { ...place, pool, validators, commitment, contribution: '7', poc: verdict.poc }

describe('sealpool-poc verify, a verdict', () => {
  test('says who signed it and shows its card', async () => {
    const { code, out } = await cli('verify', file(signedVerdict), '--expect', file(known))
    expect(out).toContain(`verified  verdict, signed by ${validators[0]}`)
    expect(out).toContain('score 0.5000')
    expect(code).toBe(0)
  })
  test('gives JSON', async () => {
    const { code, out } = await cli('verify', file(signedVerdict), '--expect', file(known), '--json')
    expect(JSON.parse(out)).toEqual({ verified: true, kind: 'verdict', signer: validators[0], verdict })
    expect(code).toBe(0)
  })
  test.each([
    ['another pool', { pool: `0x${'cc'.repeat(20)}` }, 'VERDICT_OF_ANOTHER_POOL'],
    ['another contribution', { contribution: '8' }, 'VERDICT_OF_ANOTHER_CONTRIBUTION'],
    ['other code', { poc: commitment }, 'VERDICT_BY_OTHER_CODE'],
    ['other inputs', { inputs: commitment }, 'VERDICT_OVER_OTHER_INPUTS'],
    ['what is judged again', { earlierPolicy: commitment }, 'STATEMENT_INVALID at statement.body'],
    ['another plaintext', { commitment: verdict.poc }, 'STATEMENT_INVALID at statement.body'],
    ['another subject', { subject: `0x${'8'.padStart(64, '0')}` }, 'STATEMENT_INVALID at context'],
    ['another chain', { chainId: 1 }, 'STATEMENT_INVALID at context'],
    ['another nonce', { nonce: '1' }, 'STATEMENT_INVALID at context'],
    ['another signer', { validators: [pool] }, 'STATEMENT_INVALID at signer'],
  ])('of %s is not verified', async (_, own, told) => {
    const path = file(signedVerdict)
    const { code, out } = await cli('verify', path, '--expect', file({ ...known, ...own }))
    expect(out).toContain(`NOT verified  ${told}`)
    expect(code).toBe(1)
    const inJson = await cli('verify', path, '--expect', file({ ...known, ...own }), '--json')
    expect(JSON.parse(inJson.out)).toMatchObject({ verified: false, code: told.split(' ')[0] })
    expect(inJson.code).toBe(1)
  })
  test.each<[string, unknown, object]>([
    ['no JSON', '{', {}],
    ['an expectation without a commitment', signedVerdict, { commitment: undefined }],
    ['an expectation without code', signedVerdict, { poc: undefined }],
    ['an expectation with what is not known', signedVerdict, { more: 1 }],
    ['an expectation without validators', signedVerdict, { validators: [] }],
    ['a contribution that is no number', signedVerdict, { contribution: 'x' }],
  ])('with %s cannot be read, which is another exit code', async (_, item, own) => {
    const { code, out } = await cli('verify', file(item), '--expect', file({ ...known, ...own }))
    expect(out).not.toContain('verified')
    expect(code).toBe(2)
  })
  test('needs a file that is there and what is expected', async () => {
    expect((await cli('verify', join(folder, 'none.json'), '--expect', file(known))).code).toBe(2)
    expect((await cli('verify', file(signedVerdict))).out).toContain('--expect')
    expect((await cli('verify')).code).toBe(2)
  })
})

describe('sealpool-poc verify, facts of a dataset', () => {
  const input = { format: 'sealpool/facts-input', version: 1, pool, table: 'wages' }
  const facts = datasetFacts({ rows: [{ wage: 5, name: '\u001b[31mx' }, { wage: 6 }] })
  const about = digestOf(input)
  const statement = signDatasetFacts({
    facts,
    pool,
    context: { ...place, commitment: about, subject: digestToHex(about) },
    privateKey,
  })
  const item = { table: 'wages', input, statement }
  const expected = { ...place, pool, validators }

  test('shows them with what they are about', async () => {
    const { code, out } = await cli('verify', file(item), '--expect', file(expected))
    expect(out).toContain('verified  dataset facts')
    expect(out).toContain('"table":"wages"')
    expect(out).toMatch(/wage +integer +0\.00 % empty {2}2 distinct/)
    expect(out).toContain('rows      2')
    expect(out).not.toContain('\u001b')
    expect(code).toBe(0)
    const { out: json } = await cli('verify', file(item), '--expect', file(expected), '--json')
    expect(JSON.parse(json)).toMatchObject({
      verified: true,
      kind: 'dataset facts',
      input,
      facts: { rows: 2 },
    })
  })
  test.each<[string, object, object]>([
    ['about another table', { input: { ...input, table: 'others' } }, {}],
    ['about nothing that can be signed', { input: '\ud800' }, {}],
    ['of another commitment', {}, { commitment }],
    ['of another pool', {}, { pool: `0x${'cc'.repeat(20)}` }],
    ['by another signer', {}, { validators: [pool] }],
    ['of another kind', { statement: signedVerdict }, {}],
  ])('%s are not verified', async (_, own, more) => {
    const { code, out } = await cli(
      'verify',
      file({ ...item, ...own }),
      '--expect',
      file({ ...expected, ...more }),
    )
    expect(out).toContain('NOT verified  STATEMENT_INVALID')
    expect(code).toBe(1)
  })
})

describe('sealpool-poc verify, a rescoring', () => {
  const approved = sha256Digest(Uint8Array.of(3))
  const { type, body, ...about } = rescoringStatement({
    pool,
    number: 1,
    policy: commitment,
    poc: approved,
    rule: 'difference',
    sample: { share: 1, beacon: `0x${'11'.repeat(32)}` },
    accepted: 2,
    chosen: 2,
    last: true,
    entries: [
      {
        contribution: '7',
        owner: pool,
        commitment,
        before: { poc: verdict.poc, verdict: commitment, score: 5_000, rewarded: 0 },
        after: { verdict: approved, refused: false, score: 8_000, worth: 8_000 },
        difference: 3_000,
      },
    ],
    left: [{ contribution: '8', reason: 'BLOB_MISSING' }],
  })
  const statement = signStatement({
    statement: { type, version: 1, body },
    context: { ...place, ...about, facts: [] },
    privateKey,
  })
  const expected = { ...place, pool, validators, poc: approved }

  test('says who signed it, what each contribution had and has, and who was left out', async () => {
    const { code, out } = await cli('verify', file(statement), '--expect', file(expected))
    expect(out).toContain(`verified  rescoring, signed by ${validators[0]}`)
    expect(out).toContain('7  0.5000 before  0.8000 now  +0.3000')
    expect(out).toContain('8  left out: BLOB_MISSING')
    expect(code).toBe(0)
  })
  test('gives JSON, and refuses by place', async () => {
    const good = await cli('verify', file(statement), '--expect', file(expected), '--json')
    expect(JSON.parse(good.out)).toMatchObject({
      verified: true,
      kind: 'rescoring',
      rescoring: { poc: approved },
    })
    const { code, out } = await cli(
      'verify',
      file(statement),
      '--expect',
      file({ ...expected, poc: verdict.poc }),
      '--json',
    )
    expect([code, JSON.parse(out)]).toEqual([
      1,
      { verified: false, code: 'VERDICT_BY_OTHER_CODE', place: 'poc' },
    ])
  })
})
