import fc from 'fast-check'
import { expect, it } from 'vitest'
import { heldAnswers, tellingTime } from './held-answers.js'

const held = { at: 7, outcome: { ok: true, answer: { n: 1 } } } as const

it('keeps an outcome for its job and its charge alone, until it is forgotten', () => {
  const answers = heldAnswers()
  answers.keep('1', 'charge a', held)
  expect(answers.find('1', 'charge a')).toBe(held)
  expect(answers.find('1', 'charge b')).toBeUndefined()
  expect(answers.find('2', 'charge a')).toBeUndefined()
  answers.forget('1')
  expect(answers.find('1', 'charge a')).toBeUndefined()
})

it('tells an outcome at one moment, whenever the runs ended before it', () => {
  const duration = fc.integer({ min: 1, max: 4_000_000 })
  fc.assert(
    fc.property(duration, fc.double({ min: 0, max: 1, noNaN: true }), (atLeast, share) => {
      const began = 1_000
      expect(tellingTime({ began, ended: began + share * atLeast, atLeast })).toBe(began + atLeast)
    }),
  )
})

it('tells one that ended later at the next point of the grid', () => {
  expect(tellingTime({ began: 50, ended: 151, atLeast: 100 })).toBe(250)
  expect(tellingTime({ began: 50, ended: 250, atLeast: 100 })).toBe(250)
  expect(tellingTime({ began: 50, ended: 251, atLeast: 100 })).toBe(350)
})
