import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { checkList, fail, notChecked, pass, unanswered, unless } from './check-list.js'

const titles = { first: 'The first question', second: 'The second question' }

describe('a list of checks', () => {
  it('has every question in its order, and is ok when all were asked and passed', () => {
    const checks = checkList(titles)
    expect(checks.run('second', [], () => pass('Yes.'))).toBe(true)
    expect([checks.ok(), checks.passed('second'), checks.passed('first')]).toEqual([false, true, false])
    expect(checks.list()).toEqual([
      { id: 'first', title: titles.first, ...notChecked('This question was not reached.') },
      { id: 'second', title: titles.second, ...pass('Yes.') },
    ])
    expect(checks.run('first', ['second'], () => unless(undefined, 'Yes.'))).toBe(true)
    expect(checks.ok()).toBe(true)
  })

  it('takes a question once, and none that is not on it', () => {
    const checks = checkList(titles)
    checks.run('first', [], () => fail('no'))
    for (const id of ['first', 'third', 'toString'])
      expect(() => checks.run(id, [], () => pass('Yes.'))).toThrow(/unknown or asked twice/)
    expect(checks.list()[0]?.result).toBe('fail')
  })

  it('does not ask what builds on a question that did not pass', () => {
    for (const before of [fail('no'), notChecked('Not looked at.')]) {
      const checks = checkList(titles)
      checks.run('first', [], () => before)
      expect(checks.run('second', ['first'], () => expect.unreachable())).toBe(false)
      expect(checks.list()[1]).toMatchObject({ result: 'not-checked', detail: 'It builds on first.' })
    }
  })

  it('takes what cannot be read for a fail, and the caller’s and the program’s mistakes for what they are', () => {
    const ask = (error: Error) => () => {
      const checks = checkList(titles)
      checks.run('first', [], () => {
        throw error
      })
      return checks.list()[0]?.result
    }
    expect(ask(new AttestError('BAD_DER', 'x', 'Unreadable'))()).toBe('fail')
    expect(ask(new AttestError('BAD_ARGUMENT', 'x', 'Not a port'))).toThrow(/Not a port/)
    expect(ask(new TypeError('a slip'))).toThrow(TypeError)
  })

  it('knows which questions have not one answer', () => {
    const checks = checkList(titles).list()
    expect(unanswered(checks, titles)).toEqual([])
    expect(unanswered(checks.slice(1), titles).map(({ id, result }) => [id, result])).toEqual([
      ['first', 'not-checked'],
    ])
    expect(unanswered([...checks, ...checks], titles)).toHaveLength(2)
  })
})
