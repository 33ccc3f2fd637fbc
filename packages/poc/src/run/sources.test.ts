import { fileURLToPath, pathToFileURL } from 'node:url'
import { sha256Digest } from '@sealpool/crypto'
import type { JobRuntime, JsonValue } from '@sealpool/sandbox'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { evidenceOf, factOf } from '../authenticity/evidence.js'
import { failed, finding, notChecked, passed } from '../authenticity/finding.js'
import { type BundledPoc, bundlePoc } from '../bundle/index.js'
import { definePoc } from '../define/index.js'
import { ed25519Record, mailEd25519, signMail } from '../testing/signed-mail.js'
import { contentFingerprint } from '../uniqueness/content-fingerprint.js'
import { itemsOf } from '../uniqueness/content-items.js'
import { contributionFingerprint } from '../uniqueness/contribution-fingerprint.js'
import type { PocVerdict } from '../verdict/verdict.js'
import { vocabularyOf } from '../verdict/vocabulary.js'
import type { PocCode } from './describe-poc.js'
import type { ContributionContent } from './examine.js'
import { type RunPocOptions, runPoc } from './run-poc.js'

const made = new URL('../../../../conformance/refine/tar.mjs', import.meta.url)
const { tar } = (await import(pathToFileURL(fileURLToPath(made)).href)) as {
  tar(members: readonly object[]): Uint8Array
}
const owner = `0x${'ab'.repeat(20)}` as const
const limits = { memoryBytes: 2 ** 24, timeMs: 2_000, outputBytes: 65_536 }
const record = ed25519Record(mailEd25519)
const source = { kind: 'dkim', keys: [{ domain: 'example.org', selector: 'ed', record }] } as const
const mail = (tags = '') =>
  signMail({
    headers: [
      ['From', 'a@example.org'],
      ['Subject', 'canary'],
    ],
    body: 'canary \r\n',
    domain: 'example.org',
    selector: 'ed',
    key: mailEd25519,
    extraTags: tags,
  })

/** Code as a bundle would be, kept short: it gives back the facts that it was told. */
const codeOf = (sources: JsonValue): string => `globalThis.sealpool = {
  describe: () => ({ id: 'x', version: '1', issuers: [], sources: ${JSON.stringify(sources)} }),
  evaluate: ({ facts }) => ({ valid: true, score: 1, authenticity: 1, ownership: 0, quality: 0, uniqueness: 1, evidence: [], refusal: null,
    attributes: { authentic: facts.authenticity ? facts.authenticity.map((one) => one.parts) : null, novelty: facts.uniqueness.novelty ?? null } }),
}`

describe('sources that a proof declares', () => {
  let runtime: JobRuntime
  beforeAll(async () => {
    runtime = await createQuickJsRuntime()
  })
  afterAll(() => runtime.close())
  const judge = (code: string, bytes: string, facts: object = {}, mediaType = 'message/rfc822') =>
    runPoc({
      poc: { code, digest: sha256Digest(new TextEncoder().encode(code)) },
      runtime,
      limits,
      contribution: {
        id: '1',
        pool: owner,
        owner,
        mediaType,
        bytes: Uint8Array.from(Buffer.from(bytes, 'latin1')),
      },
      facts: { uniqueness: { duplicate: false }, ...facts },
    })
  const code = codeOf([source])

  test('are verified by the host, and what it found is fact and evidence', async () => {
    const verdict = await judge(code, mail())
    expect(verdict.attributes).toEqual({ authentic: [[true]], novelty: null })
    expect(verdict.evidence.map(({ check, result }) => `${check} ${result}`)).toContain('dkim.signature pass')
    expect(JSON.stringify(verdict)).not.toContain('canary')
    expect((await judge(code, mail().replace('canary', 'other'))).attributes).toMatchObject({
      authentic: [[false]],
    })
  })
  test('see the time and the novelty that the host gives', async () => {
    const expiring = mail('t=100; x=200; ')
    const at = async (facts: object) => (await judge(code, expiring, facts)).attributes['authentic']
    expect(await at({ at: 150 })).toEqual([[true]])
    expect(await at({ at: 300 })).toEqual([[false]])
    expect(await at({})).toEqual([[false]])
    expect(
      (await judge(code, mail(), { uniqueness: { duplicate: false, novelty: 0.25 } })).attributes,
    ).toMatchObject({ novelty: 0.25 })
  })
  test('mail that is no UTF-8 is read a byte to a character, other text is refused', async () => {
    expect((await judge(code, `${mail()}\xff`)).valid).toBe(true)
    expect((await judge(code, '\xff', {}, 'text/plain')).refusal).toEqual({
      code: 'MALFORMED_EXPORT',
      place: 'file',
    })
    for (const type of ['image/png', 'application/c2pa']) {
      expect((await judge(code, '\xff', {}, type)).valid).toBe(true)
    }
  })
  test('a mailbox that a refiner would take for an archive is refused: it would deliver other letters', async () => {
    const archive = Buffer.from(
      tar([
        {
          name: 'From a Fri Nov 20 10:00:00 2026 a.txt',
          data: `\n\nFrom x Fri Nov 20 10:00:00 2026\r\n${mail()}\r\nFrom y Fri Nov 20 10:00:00 2026\r\nX: y\r\n`,
        },
      ]),
    )
    const text = archive.toString('latin1')
    const marked = ['ustar\u000000', 'ustar  \u0000'].map(
      (mark) => `${text.slice(0, 257)}${mark}${text.slice(265)}`,
    )
    const other = text.replace('ustar', 'rusta')
    expect((await judge(code, other)).attributes).toMatchObject({ authentic: [[false, true, false]] })
    for (const bytes of [...marked, 'SQLite format 3\u0000']) {
      for (const type of ['application/mbox', 'text/plain']) {
        const { refusal } = await judge(code, bytes, {}, type)
        expect(refusal).toEqual({ code: 'MALFORMED_EXPORT', place: 'file' })
      }
    }
  })
  test('of a run that fails are still in evidence', async () => {
    const broken = code.replace('evaluate: ({ facts }) => ({', 'evaluate: ({ facts }) => facts.x.y ?? ({')
    const verdict = await judge(broken, mail())
    expect(verdict.refusal?.code).toBe('POC_THREW')
    expect(verdict.evidence.length).toBeGreaterThan(3)
  })
  test.each<[JsonValue]>([
    [[{ kind: 'other' }]],
    [[{ kind: 'dkim', keys: 1 }]],
    [[{ kind: 'reclaim', witnesses: ['0x1'], provider: 'http', parameters: [] }]],
    [[{ ...source, more: 1 }]],
    [Array.from({ length: 21 }, () => ({ kind: 'tlsnotary' }))],
  ])('%j are malformed, and the code is told so', async (sources) => {
    await expect(judge(codeOf(sources), mail())).rejects.toMatchObject({ code: 'CODE_INVALID' })
  })
  test('are optional', async () => {
    expect((await judge(code.replace(/, sources: .*\}\),/, '}),'), mail())).attributes).toEqual({
      authentic: null,
      novelty: null,
    })
  })
})

describe('definePoc', () => {
  const poc = definePoc({
    id: 'x',
    version: '1',
    sources: [source],
    input: (raw) => raw,
    checks: { ok: () => ({ passed: true }) },
    score: { authenticity: 1, uniqueness: 1 },
  })
  const judge = (facts: object) =>
    poc.evaluate({
      file: { mediaType: 'text/plain', text: 'x' },
      facts: { uniqueness: { duplicate: false }, owner, ...facts },
    })
  const fact = (...parts: boolean[]) => ({
    kind: 'dkim' as const,
    authentic: parts.every(Boolean),
    signer: null,
    parts,
  })
  test('refuses what no source finds authentic, also when nobody looked', () => {
    for (const facts of [
      {},
      { authenticity: [] },
      { authenticity: [fact(false, false)] },
      { authenticity: [fact()] },
    ]) {
      expect(judge(facts).refusal).toEqual({ code: 'NOT_AUTHENTIC', place: 'file' })
    }
  })
  test('counts the greatest share of authentic parts, and the novelty', () => {
    expect(judge({ authenticity: [fact(true, false, false), fact(true, true, false)] })).toMatchObject({
      authenticity: 0.6667,
      uniqueness: 1,
    })
    expect(
      judge({ authenticity: [fact(true)], uniqueness: { duplicate: false, novelty: 0.1 } }),
    ).toMatchObject({ authenticity: 1, uniqueness: 0.1, score: 0.55 })
  })
})

describe('evidence of findings', () => {
  const of = (...checks: Parameters<typeof finding>[1][]) => checks.map((one) => finding('jws', one, 'Key'))
  test('a check of many parts is partial when some failed, and not-checked is no pass', () => {
    expect(evidenceOf(of([passed('a')], [failed('a', 'WRONG')]))).toEqual([
      { check: 'jws.a', result: 'partial', place: 'WRONG' },
    ])
    expect(evidenceOf(of([failed('a', 'WRONG')]))).toEqual([
      { check: 'jws.a', result: 'fail', place: 'WRONG' },
    ])
    expect(evidenceOf(of([passed('a')], [notChecked('a', 'LATER')]))).toEqual([
      { check: 'jws.a', result: 'not-checked', place: 'LATER' },
    ])
    expect(evidenceOf(of([passed('a')]))).toEqual([{ check: 'jws.a', result: 'pass', place: 'file' }])
  })
  test('a fact is authentic when every part is, and names a signer when there is one', () => {
    expect(factOf('jws', of([passed('a')], [passed('a')]))).toEqual({
      kind: 'jws',
      authentic: true,
      signer: 'Key',
      parts: [true, true],
    })
    expect(factOf('jws', of([passed('a')], [failed('a', 'X')]))).toMatchObject({
      authentic: false,
      parts: [true, false],
    })
    expect(factOf('jws', [])).toEqual({ kind: 'jws', authentic: false, signer: null, parts: [] })
    expect(
      factOf('jws', [finding('jws', [passed('a')], 'A'), finding('jws', [passed('a')], 'B')]).signer,
    ).toBeNull()
    expect(finding('jws', [], 'Key').authentic).toBe(false)
    expect(finding('jws', [{ ...notChecked('a', 'X'), essential: false }], 'Key').authentic).toBe(false)
  })
})

describe('what the host can be asked', () => {
  const steps = fileURLToPath(new URL('../testing/steps-proof.ts', import.meta.url))
  const rows = Array.from({ length: 8 }, (_, day) => ({
    day: `2026-01-${day}`,
    steps: 1000 * day,
    place: 'x',
  }))
  const file = { rows, account: 'canary@example.org' }
  let runtime: JobRuntime
  let poc: BundledPoc
  beforeAll(async () => {
    runtime = await createQuickJsRuntime()
    poc = await bundlePoc({ entry: steps })
  })
  afterAll(() => runtime.close())
  const judge = (
    value: unknown,
    facts: Partial<RunPocOptions['facts']> = {},
    own: Partial<RunPocOptions> = {},
  ) =>
    runPoc({
      poc,
      runtime,
      limits: { ...limits, outputBytes: 1024 },
      contribution: {
        id: '1',
        pool: owner,
        owner,
        mediaType: 'application/json',
        bytes: new TextEncoder().encode(JSON.stringify(value)),
      },
      facts: { uniqueness: { duplicate: false }, ...facts },
      ...own,
    })
  const accountCheck = (verdict: PocVerdict) =>
    verdict.evidence.find(({ check }) => check === 'account')?.result

  test('about the items that the proof read, and nothing beside them', async () => {
    const key = new Uint8Array(32).fill(1)
    const seen: ContributionContent[] = []
    const uniqueness = (about: ContributionContent) => {
      seen.push(about)
      return Promise.resolve({ duplicate: false, novelty: 0.25 })
    }
    const verdict = await judge(
      { ...file, rows: rows.map((row) => ({ ...row, own: 1 })), pad: [1] },
      { uniqueness },
    )
    expect(verdict).toMatchObject({ valid: true, uniqueness: 0.25 })
    expect(seen[0]?.content).toEqual(itemsOf(rows))
    expect(seen[0]?.fingerprint(key)).toMatch(/^[0-9a-f]{64}$/)
    // Far more of them than a verdict may have bytes.
    const many = Array.from({ length: 3000 }, (_, day) => ({ day: `d${day}`, steps: day, place: 'y' }))
    await judge({ rows: many }, { uniqueness })
    expect(seen[1]?.content).toMatchObject({
      items: expect.arrayContaining([itemsOf(many.slice(-1)).items[0]]),
    })
  })
  test('about the fingerprint: of what is signed where a source is authentic, else of the file', async () => {
    const key = new Uint8Array(32).fill(1)
    const prints: string[] = []
    const contents: unknown[] = []
    const uniqueness = ({ fingerprint, content }: ContributionContent) => {
      prints.push(fingerprint(key))
      contents.push(content)
      return { duplicate: false }
    }
    const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))
    const code = codeOf([source])
    for (const text of [mail(), `X-A: 1\r\n${mail()}`, mail().replace('canary', 'other')]) {
      await runPoc({
        poc: { code, digest: sha256Digest(new TextEncoder().encode(code)) },
        runtime,
        limits,
        contribution: { id: '1', pool: owner, owner, mediaType: 'message/rfc822', bytes: bytes(text) },
        facts: { uniqueness },
      })
    }
    const own = { key, mediaType: 'message/rfc822' }
    expect(prints[0]).toBe(prints[1])
    // What is signed is compared statement by statement, and a file without a signature as it is.
    expect(contents[0]).toEqual({ items: [expect.stringMatching(/^signed\W0x[0-9a-f]{64}$/)] })
    expect(contents[1]).toEqual(contents[0])
    expect(contents[2]).toMatchObject({ mediaType: 'message/rfc822' })
    expect(prints[0]).toBe(contributionFingerprint({ ...own, bytes: bytes(mail()), sources: [source] }))
    expect(prints[2]).toBe(contentFingerprint({ ...own, bytes: bytes(mail().replace('canary', 'other')) }))
  })
  test('about the account, which stays out of the verdict', async () => {
    const asked: unknown[] = []
    const register = (accepted: boolean) => (named: unknown) => {
      asked.push(named)
      return { accepted }
    }
    const accepted = await judge(file, { account: register(true) })
    expect([accepted.valid, accountCheck(accepted)]).toEqual([true, 'pass'])
    const refused = await judge(file, { account: register(false) })
    expect(refused).toMatchObject({
      valid: false,
      refusal: { code: 'ACCOUNT_OF_ANOTHER_WALLET', place: 'account' },
    })
    expect(asked).toEqual(Array(2).fill({ provider: 'steps.example', account: 'canary@example.org' }))
    expect(JSON.stringify([accepted, refused])).not.toContain('canary')
    expect(accountCheck(await judge(file))).toBe('not-checked')
    const { account: _, ...nobody } = file
    expect(accountCheck(await judge(nobody, { account: register(false) }))).toBe('not-checked')
    expect(asked).toHaveLength(2)
  })
  test('and a file that the proof refuses is asked about as it is', async () => {
    let content: unknown
    const uniqueness = (about: ContributionContent) => {
      content = about.content
      return { duplicate: false }
    }
    expect((await judge({ rows: [{ canary: 1 }] }, { uniqueness })).refusal?.code).toBe('WRONG_SHAPE')
    expect(content).toMatchObject({ mediaType: 'application/json' })
  })
  test('code that examines wrongly is at fault, and code that fails at it is refused', async () => {
    const of = (body: string): PocCode => {
      const code = `globalThis.sealpool = { describe: () => ({ id: 'x', version: '1', issuers: [], examines: ['items'] }), examine: () => { ${body} }, evaluate: () => null }`
      return { code, digest: sha256Digest(new TextEncoder().encode(code)) }
    }
    const uniqueness = () => ({ duplicate: false })
    await expect(judge(file, { uniqueness }, { poc: of('return 1') })).rejects.toMatchObject({
      code: 'CODE_INVALID',
      place: 'poc.examine',
    })
    const thrown = await judge(file, { uniqueness }, { poc: of('throw new Error("canary")') })
    expect(thrown.refusal).toMatchObject({ code: 'POC_THREW' })
    await expect(judge(file, { uniqueness: () => Promise.reject(new Error('index')) })).rejects.toThrow(
      'index',
    )
  })
})

test('a proof in WebAssembly is judged like any other, and its words stand in its bytes', async () => {
  const module = Buffer.from('AGFzbQEAAAA=', 'base64')
  const code = Buffer.concat([module, Buffer.from([0, 5, 4]), Buffer.from('WORD')]).toString('base64')
  expect(vocabularyOf(code)).toContain('WORD')
  expect(vocabularyOf('AGFzbQ!')).toBe('')
  expect(vocabularyOf('script')).toBe('script')
  expect(vocabularyOf('refuse("WRONG_SIGNA\\\nTURE")')).toContain('WRONG_SIGNATURE')
  const runtime = await createProcessRuntime({ isolation: 'best', engine: 'webassembly' })
  const judged = runPoc({
    poc: { code, digest: sha256Digest(new TextEncoder().encode(code)) },
    runtime,
    limits,
    contribution: { id: '1', pool: owner, owner, mediaType: 'text/plain', bytes: new Uint8Array(1) },
    facts: { uniqueness: { duplicate: false } },
  })
  // A module without memory or entries does not describe itself.
  await expect(judged).rejects.toMatchObject({ code: 'CODE_INVALID' })
  await runtime.close()
})
