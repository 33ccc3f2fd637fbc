import type { JsonValue } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { chain, contributionsOf, pools } from '../testing/provenance-fixture.js'
import { type WalkBackOptions, walkBack } from './walk-back.js'

const [first] = pools
const { options } = chain()
/** The gaps of the chain with other records, as `code at place`. */
const gapsOf = (change: Partial<WalkBackOptions>) =>
  walkBack({ ...options, ...change }).gaps.map(({ code, place }) => `${code} at ${place}`)

describe('every character of the records counts', () => {
  /** Each place of a JSON value, changed; the times are nobody's word. */
  function* changes(value: JsonValue): Generator<JsonValue> {
    if (typeof value === 'string')
      yield value.endsWith('7') ? `${value.slice(0, -1)}8` : `${value.slice(0, -1)}7`
    else if (typeof value === 'number') yield value + 1
    else if (typeof value === 'boolean') yield !value
    else if (Array.isArray(value))
      for (const [at, entry] of value.entries()) {
        yield value.toSpliced(at, 1)
        for (const other of changes(entry)) yield value.with(at, other)
      }
    else if (value !== null)
      for (const [name, entry] of Object.entries(value)) {
        if (name === 'at') continue
        for (const other of changes(entry)) yield { ...value, [name]: other }
      }
  }
  it.each(['receipt', 'contributions', 'verdicts', 'refinements', 'parents'] as const)('%s', (name) => {
    const own = JSON.parse(JSON.stringify(options[name])) as JsonValue
    let tried = 0
    for (const other of changes(own)) {
      tried += 1
      let complete = false
      try {
        complete = walkBack({ ...options, [name]: other }).complete
      } catch (error) {
        expect(error).toBeInstanceOf(AttestError)
      }
      expect(complete, JSON.stringify(other)).toBe(false)
    }
    expect(tried).toBeGreaterThan(10)
  })
})

describe('arguments', () => {
  it.each([
    ['BAD_RECEIPT', { contributions: 7 }],
    ['BAD_RECEIPT', { contributions: { pool: [] } }],
    ['BAD_RECEIPT', { contributions: { [first]: [{ ...contributionsOf(first, ['2'])[0], more: 1 }] } }],
    ['BAD_RECEIPT', { verdicts: { [first]: [{ verdict: 'sha256:00', at: '2026-11-18T10:00:00Z' }] } }],
    ['BAD_RECEIPT', { verdicts: { [first]: [{ verdict: {}, at: 'today' }] } }],
    ['BAD_RECEIPT', { refinements: [{ statement: {}, contributions: [''], at: '2026-11-18T10:00:00Z' }] }],
    ['BAD_RECEIPT', { parents: new Array(102).fill(null) }],
    [
      'BAD_RECEIPT',
      {
        contributions: Object.fromEntries(
          Array.from({ length: 101 }, (_, i) => [`0x${String(i).padStart(40, '0')}`, []]),
        ),
      },
    ],
    ['BAD_ARGUMENT', { signers: undefined }],
    ['BAD_ARGUMENT', { signers: ['node'] }],
    ['BAD_ARGUMENT', { signers: [...options.signers, 7] }],
    // As text each would be an address, or has one in it.
    ['BAD_ARGUMENT', { signers: options.signers.map((one) => [one]) }],
    ['BAD_ARGUMENT', { signers: [`${first}00`] }],
    ['BAD_ARGUMENT', { signers: [`00${first}`] }],
    ['BAD_ARGUMENT', { signers: { length: 0, every: () => true } }],
    ['BAD_ARGUMENT', { deployment: undefined }],
    ['BAD_ARGUMENT', { deployment: { chainId: 1, registry: 'none' } }],
    ['BAD_ARGUMENT', { deployment: { chainId: 1, registry: [first] } }],
    ['BAD_ARGUMENT', { deployment: { chainId: '1', registry: first } }],
    ['DIGEST_INVALID', { result: 'none' }],
  ])('%s for %j', (code, change) => {
    expect(() => walkBack({ ...options, ...change } as WalkBackOptions)).toThrow(
      expect.objectContaining({ code }),
    )
  })

  it('are not changed', () => {
    const before = JSON.stringify(options)
    walkBack(options)
    expect(JSON.stringify(options)).toBe(before)
  })

  it('that are no JSON at all give a gap', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['statement'] = cyclic
    for (const receipt of [cyclic, { statement: 1n }, new Map(), () => 1, Symbol('x'), 'x', [[]]])
      expect(gapsOf({ receipt })).toEqual(['STATEMENT_INVALID at receipt'])
    const deep: { statement?: unknown } = {}
    let at = deep
    for (let depth = 0; depth < 100_000; depth += 1) {
      const next = {}
      at.statement = next
      at = next
    }
    expect(gapsOf({ receipt: deep })).toEqual(['STATEMENT_INVALID at receipt'])
    const odd = (options.verdicts?.[first] ?? []).map(({ at }) => ({ verdict: { score: Number.NaN }, at }))
    expect(gapsOf({ verdicts: { ...options.verdicts, [first]: odd } })).toEqual([
      `STATEMENT_INVALID at ${first}.verdicts`,
    ])
  })
})
