import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CheckResult, Facts } from './check.js'
import { definePoc, type PocDefinition } from './define-poc.js'
import { refuse } from './refusal.js'

const facts: Facts = { uniqueness: { duplicate: false }, owner: '0x00' }
const json = (text: string) => ({ file: { mediaType: 'application/json', text }, facts })
const base: PocDefinition<unknown> = {
  id: 'x',
  version: '1',
  input: (raw) => raw,
  checks: { one: () => ({ passed: true }) },
  score: { quality: 1 },
}

test('JSON comes parsed, CSV as objects, anything else as text', () => {
  const seen: unknown[] = []
  const poc = definePoc({ ...base, input: (raw) => seen.push(raw) })
  poc.evaluate(json('{"a":1}'))
  poc.evaluate({ file: { mediaType: 'text/csv', text: 'a,__proto__\r\n1,2\r\n' }, facts })
  poc.evaluate({ file: { mediaType: 'text/plain', text: 'a' }, facts })
  expect(JSON.stringify(seen)).toBe('[{"a":1},[{"a":"1","__proto__":"2"}],"a"]')
})

test('a schema with parse is an input, and its first issue gives the place', () => {
  const schema = {
    parse: (): never => {
      throw Object.assign(new Error('canary'), { issues: [{ path: ['rows', 3, 'wage'], message: 'canary' }] })
    },
  }
  const verdict = definePoc({ ...base, input: schema }).evaluate(json('1'))
  expect(verdict.refusal).toEqual({ code: 'MALFORMED_EXPORT', place: 'rows[3].wage' })
  expect(JSON.stringify(verdict)).not.toContain('canary')
})

test('a parser and a check can refuse by name', () => {
  const parser = definePoc({ ...base, input: () => refuse('WRONG_YEAR', 'year') })
  expect(parser.evaluate(json('1')).refusal).toEqual({ code: 'WRONG_YEAR', place: 'year' })
  const check = definePoc({ ...base, checks: { late: () => refuse('WRONG_YEAR', 'year') } })
  expect(check.evaluate(json('1')).refusal).toEqual({ code: 'WRONG_YEAR', place: 'year' })
})

test('a place as long as the file allows is cut', () => {
  const place = 'x.'.repeat(500)
  const checks = { long: (): CheckResult => ({ passed: false, place, refusal: 'WRONG_YEAR' }) }
  const verdict = definePoc({ ...base, checks }).evaluate(json('1'))
  expect(verdict.refusal?.place.length).toBe(120)
  expect(verdict.evidence.at(-1)?.place.length).toBe(120)
  const parser = definePoc({ ...base, input: () => refuse('WRONG_YEAR', place) })
  expect(parser.evaluate(json('1')).refusal?.place.length).toBe(120)
})

test('exhausted memory is not taken for a malformed file', () => {
  const exhausted = Object.assign(new Error('out of memory'), { name: 'InternalError' })
  const poc = definePoc({
    ...base,
    input: () => {
      throw exhausted
    },
  })
  expect(() => poc.evaluate(json('1'))).toThrow(exhausted)
})

test('a score below the minimum refuses', () => {
  const checks = { half: (): CheckResult => ({ passed: false, degree: 0.5 }) }
  expect(definePoc({ ...base, checks, minimumScore: 0.5 }).evaluate(json('1'))).toMatchObject({
    valid: true,
    score: 0.5,
  })
  expect(definePoc({ ...base, checks, minimumScore: 0.51 }).evaluate(json('1'))).toMatchObject({
    valid: false,
    score: 0,
    quality: 0.5,
    refusal: { code: 'SCORE_TOO_LOW', place: 'score' },
  })
})

test('a factor scales the score: a known copy is worth nothing, a tenth that is new a tenth', () => {
  const poc = definePoc({
    ...base,
    score: { authenticity: 1, quality: 3 },
    factors: ['uniqueness'],
    minimumScore: 0.05,
  })
  const of = (novelty: number) =>
    poc.evaluate({
      ...json('1'),
      facts: { ...facts, issuer: { name: 'x', valid: true }, uniqueness: { duplicate: false, novelty } },
    })
  expect(of(1).score).toBe(1)
  expect(of(0.1)).toMatchObject({ valid: true, score: 0.1, uniqueness: 0.1 })
  expect(of(0)).toMatchObject({ valid: false, score: 0, refusal: { code: 'SCORE_TOO_LOW' } })
})

test('dimensions without checks take what the facts say', () => {
  const judge = (own: Partial<Facts>) =>
    definePoc(base).evaluate({ ...json('1'), facts: { ...facts, ...own } })
  expect(judge({})).toMatchObject({ authenticity: 0, ownership: 0, quality: 1, uniqueness: 1 })
  expect(judge({ issuer: { name: 'x', valid: true } })).toMatchObject({ authenticity: 1 })
})

test('declared issuers without a fact refuse', () => {
  const poc = definePoc({ ...base, issuers: [] })
  expect(poc.evaluate(json('1')).refusal).toEqual({ code: 'WRONG_SIGNATURE', place: 'signature' })
})

const dimension = fc.constantFrom('authenticity', 'ownership', 'quality', 'uniqueness')
const result = fc.record({
  passed: fc.boolean(),
  dimension,
  degree: fc.double({ min: 0, max: 1, noNaN: true }),
  weight: fc.nat(5),
})

test('the score is from 0 to 1 with four decimals, and never falls when a check does better', () => {
  fc.assert(
    fc.property(
      fc.array(result, { minLength: 1, maxLength: 6 }),
      fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9), fc.integer({ min: 1, max: 9 })),
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (results, [authenticity, ownership, quality, uniqueness], pick, better) => {
        const score = { authenticity, ownership, quality, uniqueness }
        const judge = (all: readonly CheckResult[]): number => {
          const checks = Object.fromEntries(all.map((one, index) => [`c${index}`, () => one]))
          return definePoc({ ...base, checks, score }).evaluate(json('1')).score
        }
        const improved = results.map((one, index) =>
          index === pick % results.length ? { ...one, degree: Math.max(one.degree, better) } : one,
        )
        const before = judge(results)
        expect(before).toBeGreaterThanOrEqual(0)
        expect(before).toBeLessThanOrEqual(1)
        expect(Math.round(before * 10_000) / 10_000).toBe(before)
        expect(judge(improved)).toBeGreaterThanOrEqual(before)
      },
    ),
  )
})

test('a weight in the definition goes before one that follows the file, so that a better file never scores lower', () => {
  // Heavier when it is partly fulfilled than when it is not at all.
  const odd = (degree: number) => (): CheckResult => ({ passed: false, degree, weight: degree > 0 ? 9 : 0 })
  const judge = (degree: number, weights?: Record<string, number>): number =>
    definePoc({
      ...base,
      checks: { odd: odd(degree), sure: () => ({ passed: true }) },
      score: { quality: 1 },
      ...(weights === undefined ? {} : { weights }),
    }).evaluate(json('1')).score
  // What the documentation of a result's own weight warns of.
  expect([judge(0), judge(0.1)]).toEqual([1, 0.19])
  expect([judge(0, { odd: 1 }), judge(0.1, { odd: 1 })]).toEqual([0.5, 0.55])
})
test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('a weight of %s counts as 1', (weight) => {
  const checks = {
    odd: (): CheckResult => ({ passed: true, weight }),
    none: (): CheckResult => ({ passed: false }),
  }
  expect(definePoc({ ...base, checks, score: { quality: 1 } }).evaluate(json('1')).score).toBe(0.5)
})

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('a degree of %s stays between 0 and 1', (degree) => {
  const checks = { odd: (): CheckResult => ({ passed: true, degree }) }
  expect([0, 1]).toContain(definePoc({ ...base, checks }).evaluate(json('1')).score)
})

test.each<[string, Partial<PocDefinition<unknown>>]>([
  ['no weight', { score: {} }],
  ['a factor that has a weight too', { factors: ['quality'] }],
  ['a factor twice', { factors: ['uniqueness', 'uniqueness'] }],
  ['a factor that is no dimension', { factors: ['beauty' as 'quality'] }],
  ['a negative weight', { score: { quality: 2, ownership: -1 } }],
  ['an infinite weight', { score: { quality: Number.POSITIVE_INFINITY } }],
  ['no checks', { checks: {} }],
  ['a weight of a check that is not there', { weights: { none: 1 } }],
  ['a weight that is none', { weights: { one: Number.NaN } }],
  ['an endless weight', { weights: { one: Number.POSITIVE_INFINITY } }],
  ['no id', { id: '' }],
  ['a minimum above 1', { minimumScore: 2 }],
])('a definition with %s is refused', (_name, change) => {
  expect(() => definePoc({ ...base, ...change })).toThrow(TypeError)
})
