import { digestOf, type JsonValue } from '@sealpool/crypto'
import { expect, test } from 'vitest'
import { jobParts, poolPolicy } from '../testing/fixture.js'
import { codeAnswer } from './code.js'
import { parsePoolRules } from './documents.js'

const { body } = jobParts('compute')
const { code } = body
const other = digestOf('other program')

/** What the check says of a job of a program, when the second of its pools says this of programs. */
function answerFor(programs: JsonValue | undefined, computations = ['program']) {
  const rules = [['program'], computations].map((listed, index) => {
    const said = index === 0 ? { programs: 'voted' } : programs === undefined ? {} : { programs }
    return parsePoolRules({ ...poolPolicy('pay'), code: { computations: listed, ...said } }, 'pay')
  })
  const manifest = { compute: { computation: 'program' } }
  return codeAnswer({ body, rules, manifest, plan: { code }, code: undefined }).result
}

test.each<[string, JsonValue | undefined, 'pass' | 'fail']>([
  ['leaves programs to its votes', 'voted', 'pass'],
  ['lists the program', [other, code], 'pass'],
  ['lists another', [other], 'fail'],
  ['says of no program that it may run', undefined, 'fail'],
])('a program of a pool that %s', (_, programs, result) => {
  expect(answerFor(programs)).toBe(result)
})

test('a computation that is built in needs no list of programs', () => {
  const rules = [
    parsePoolRules({ ...poolPolicy('pay'), code: { computations: ['linear-regression'] } }, 'pay'),
  ]
  const manifest = { compute: { computation: 'linear-regression' } }
  expect(codeAnswer({ body, rules, manifest, plan: { code }, code: undefined }).result).toBe('pass')
})

test('a list of programs is nothing where the computation is not allowed', () => {
  expect(answerFor([code], ['linear-regression'])).toBe('fail')
})

test('a policy that says it in another way is refused', () => {
  for (const programs of ['all', [1], {}]) {
    expect(() => answerFor(programs)).toThrow(expect.objectContaining({ code: 'BAD_RECEIPT' }))
  }
})
