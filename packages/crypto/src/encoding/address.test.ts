import { expect, test } from 'vitest'
import { parseAddress } from './address.js'

const digits = 'aB'.repeat(20)

test('an address of any letter case is given in lower case', () => {
  expect(parseAddress(`0x${digits}`)).toBe(`0x${'ab'.repeat(20)}`)
})

test.each([
  `0X${digits}`,
  digits,
  `0x${digits}0`,
  `0x${digits.slice(1)}`,
  `0x${digits}\n`,
  `0x${'g'.repeat(40)}`,
  [`0x${digits}`],
])('refuses %j', (value) => {
  expect(() => parseAddress(value, 'pool')).toThrow(
    expect.objectContaining({ code: 'ADDRESS_INVALID', place: 'pool' }),
  )
})
