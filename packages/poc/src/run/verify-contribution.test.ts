import { sha256Digest } from '@sealpool/crypto'
import type { Job, JobRuntime } from '@sealpool/sandbox'
import { describe, expect, test } from 'vitest'
import { authenticMailbox } from '../authenticity/index.js'
import { ed25519Record, mailEd25519, signMail } from '../testing/signed-mail.js'
import { contributionFingerprint } from '../uniqueness/contribution-fingerprint.js'
import { runPoc } from './run-poc.js'
import { verifyContribution } from './verify-contribution.js'

const key = new Uint8Array(32).fill(1)
const owner = `0x${'ab'.repeat(20)}` as const
const source = {
  kind: 'dkim',
  keys: [{ domain: 'example.org', selector: 'ed', record: ed25519Record(mailEd25519) }],
} as const
const mail = signMail({
  headers: [['From', 'a@example.org']],
  body: 'Hello\r\n',
  domain: 'example.org',
  selector: 'ed',
  key: mailEd25519,
})
/** Letters that nobody signed cost next to nothing: what is counted is how often others get a turn. */
const box = (letters: number): Uint8Array =>
  new TextEncoder().encode(
    [mail, ...Array.from({ length: letters - 1 }, (_, at) => `From: b@example.org\r\n\r\n${at}`)]
      .map((text) => `From x Fri Nov 20 10:00:00 2026\r\n${text}\r\n`)
      .join('\r\n'),
  )
const file = { mediaType: 'application/mbox', bytes: box(100), owner, sources: [source], at: 5 }

const code = 'authenticity'
const runtime: JobRuntime = {
  name: 'told',
  isolation: 'none',
  run: async ({ entry }: Job) => {
    const output =
      entry === 'describe'
        ? { id: 'x', version: '1', issuers: [], sources: [source] }
        : {
            valid: true,
            score: 1,
            authenticity: 1,
            ownership: 0,
            quality: 0,
            uniqueness: 1,
            attributes: {},
            refusal: null,
            evidence: [],
          }
    return { ok: true, output, logs: [] }
  },
  close: async () => undefined,
}
const run = (facts: object, own: object = {}, contribution: object = {}) =>
  runPoc({
    poc: { code, digest: sha256Digest(new TextEncoder().encode(code)) },
    runtime,
    limits: { memoryBytes: 2 ** 20, timeMs: 100, outputBytes: 2 ** 20 },
    contribution: { id: '1', pool: owner, ...file, ...contribution },
    facts: { uniqueness: { duplicate: false }, at: 5, ...facts },
    ...own,
  })

describe('verifying a part at a time', () => {
  test('gives the fingerprint of the whole, and others a turn every 32 parts', async () => {
    const turns: number[] = []
    const verified = await verifyContribution({ ...file, between: (done) => void turns.push(done) })
    expect(turns).toEqual([32, 64, 96])
    expect(verified.fingerprint(key)).toBe(contributionFingerprint({ key, ...file }))
    expect(() => verified.fingerprint(new Uint8Array(3))).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
  })
  test('ends when told to', async () => {
    const stop = new Error('stopped')
    const between = (done: number): void => {
      if (done > 32) throw stop
    }
    await expect(verifyContribution({ ...file, between })).rejects.toBe(stop)
    await expect(run({}, { between })).rejects.toBe(stop)
  })
  test('has one budget for all sources', async () => {
    const budget = { signatures: 1, bytes: 1_000_000 }
    const once = await verifyContribution({ ...file, budget })
    const twice = await verifyContribution({ ...file, sources: [source, source], budget })
    expect(once.fingerprint(key)).toBe(contributionFingerprint({ key, ...file }))
    // The first source has used it up; what it found counts.
    expect(twice.fingerprint(key)).toBe(
      contributionFingerprint({ key, ...file, sources: [source, source], budget }),
    )
    const none = await verifyContribution({ ...file, budget: { ...budget, signatures: 0 } })
    expect(none.fingerprint(key)).not.toBe(once.fingerprint(key))
  })
})

describe('what was verified', () => {
  const told = { check: 'dkim.work', result: 'fail', place: 'TOO_MUCH_WORK' }
  test('is not verified again', async () => {
    const verified = await verifyContribution({ ...file, budget: { signatures: 0, bytes: 0 } })
    expect((await run({ verified })).evidence).toEqual([told])
    expect((await run({}, { budget: { signatures: 0, bytes: 0 } })).evidence).toEqual([told])
    expect((await run({})).evidence).not.toContainEqual(told)
  })
  test('counts for the very same file, owner, time and sources', async () => {
    const verified = await verifyContribution(file)
    const refused = expect.objectContaining({ code: 'OPTION_INVALID', place: 'facts.verified' })
    expect((await run({ verified })).valid).toBe(true)
    await expect(run({ verified }, {}, { bytes: box(100) })).rejects.toEqual(refused)
    await expect(run({ verified }, {}, { owner: `0x${'cd'.repeat(20)}` })).rejects.toEqual(refused)
    await expect(run({ verified, at: 6 })).rejects.toEqual(refused)
    await expect(run({ verified: { fingerprint: () => '' } })).rejects.toEqual(refused)
    const other = await verifyContribution({ ...file, sources: [{ ...source, require: ['date'] }] })
    await expect(run({ verified: other })).rejects.toEqual(refused)
  })
})

test('a mailbox for a refiner keeps to a budget as well', () => {
  const { keys } = source
  expect(authenticMailbox({ bytes: file.bytes, keys }).length).toBeGreaterThan(0)
  expect(
    authenticMailbox({ bytes: file.bytes, keys, budget: { signatures: 0, bytes: 1_000_000 } }),
  ).toHaveLength(0)
})
