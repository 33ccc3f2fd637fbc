import { expect, test } from 'vitest'
import { errorsAbi } from '../abi/errors.js'
import { advice } from './advice.js'
import { permitAdvice } from './permit-advice.js'

test('every error of every contract comes with advice, and no advice is for an error that is gone', () => {
  const names = [...new Set(errorsAbi.map(({ name }) => name))].sort()
  const all = { ...advice, ...permitAdvice }
  expect(Object.keys(all).sort()).toEqual(names)
  for (const [name, text] of Object.entries(all)) expect(text, name).toMatch(/^[A-Za-z].{15,}\.$/)
})
