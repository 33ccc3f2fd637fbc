import {
  addressOf,
  type SignedStatement,
  sha256Digest,
  signStatement,
  verifyStatement,
} from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import type { VerdictContext } from '../verdict/verdict-statement.js'
import { datasetFacts } from './dataset-facts.js'
import { signDatasetFacts, verifyDatasetFacts } from './dataset-facts-statement.js'

const privateKey = new Uint8Array(32).fill(1)
const signer = addressOf(privateKey)
const pool = `0x${'bb'.repeat(20)}` as const
const context = {
  chainId: 1,
  registry: `0x${'aa'.repeat(20)}`,
  subject: `0x${'01'.repeat(32)}`,
  commitment: sha256Digest(Uint8Array.of(1)),
} as const satisfies VerdictContext
const facts = datasetFacts({ rows: [{ a: 1, day: '2026-01-02' }, { a: 2 }], dateColumn: 'day' })
const signed = signDatasetFacts({ facts, pool, context, privateKey })
const expected = { context, pool, validators: [signer] }

test('facts of a dataset are signed with the rows as a contract sees them', () => {
  expect(verifyStatement(signed, { signer })).toBe(true)
  expect(signed.statement.body).toMatchObject({ commitment: context.commitment, facts: { rows: 2 } })
  expect(signed.context.facts).toEqual([{ type: 'uint256', value: '2' }])
})

describe('signed facts', () => {
  test('verify offline from their JSON', () => {
    expect(verifyDatasetFacts(JSON.parse(JSON.stringify(signed)), expected)).toEqual({ facts, signer })
  })

  const other = sha256Digest(Uint8Array.of(2))
  test.each([
    ['another pool', { pool: `0x${'cc'.repeat(20)}` as const }, 'context'],
    ['another chain', { context: { ...context, chainId: 2 } }, 'context'],
    ['another registry', { context: { ...context, registry: pool } }, 'context'],
    ['another subject', { context: { ...context, subject: `0x${'02'.repeat(32)}` as const } }, 'context'],
    ['another nonce', { context: { ...context, nonce: '1' } }, 'context'],
    ['another commitment', { context: { ...context, commitment: other } }, 'statement.body'],
    ['a signer whose word does not count', { validators: [pool] }, 'signer'],
    ['nobody whose word counts', { validators: [] }, 'signer'],
  ])('for %s are refused', (_, own, place) => {
    expect(() => verifyDatasetFacts(signed, { ...expected, ...own })).toThrow(
      expect.objectContaining({ code: 'STATEMENT_INVALID', place }),
    )
  })

  const withBody = (body: object): unknown => ({
    ...signed,
    statement: { ...signed.statement, body: { ...signed.statement.body, ...body } },
  })
  const resigned = (own: Partial<SignedStatement['context']>, body = signed.statement.body) =>
    signStatement({
      statement: { ...signed.statement, body },
      context: { ...signed.context, ...own },
      privateKey,
    })
  const [signature = ''] = [signed.signature]
  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'statement'],
    ['a text', 'facts', 'statement'],
    ['what is nested deep', JSON.parse(`${'['.repeat(9_000)}${']'.repeat(9_000)}`), 'statement'],
    ['more rows than were signed', withBody({ facts: { ...facts, rows: 3 } }), 'context'],
    [
      'another null rate than was signed',
      withBody({ facts: { ...facts, noise: { epsilon: 1 } } }),
      'signature',
    ],
    ['rows that are none', withBody({ facts: { ...facts, rows: -1 } }), 'facts.rows'],
    ['something beside the facts', withBody({ more: 1 }), 'statement.body'],
    ['a member that facts do not have', withBody({ facts: { ...facts, more: 1 } }), 'facts'],
    [
      'facts of a contract that are others',
      resigned({ facts: [{ type: 'uint256', value: '3' }] }),
      'context',
    ],
    [
      'another kind of statement',
      { ...signed, statement: { ...signed.statement, type: 'sealpool/poc-verdict' } },
      'statement.type',
    ],
    ['another version', { ...signed, statement: { ...signed.statement, version: 2 } }, 'statement.type'],
    ['a signature that is none', { ...signed, signature: `${signature.slice(0, -2)}zz` }, 'signature'],
  ])('with %s are refused', (_, hostile, place) => {
    const seen = (() => {
      try {
        verifyDatasetFacts(hostile, expected)
        return 'accepted'
      } catch (error) {
        return error
      }
    })()
    expect(seen).toMatchObject({ code: 'STATEMENT_INVALID' })
    // A changed body recovers another signer, or none.
    if (place === 'signature') expect(['signature', 'signer']).toContain((seen as { place: string }).place)
    else expect(seen).toMatchObject({ place })
  })
})
