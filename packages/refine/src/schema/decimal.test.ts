import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { property } from '../testing/property.js'
import { printDecimal, scaledDecimal } from './decimal.js'

describe('scaledDecimal', () => {
  test.each([
    ['5.1', 2, 510n],
    ['-0.5', 1, -5n],
    ['3e2', 0, 300n],
    ['1.50', 1, 15n],
    ['12e-1', 1, 12n],
    ['-0', 3, 0n],
    ['0e999', 2, 0n],
    ['999999999999999999', 0, 999999999999999999n],
    ['9999999999999999.99', 2, 999999999999999999n],
  ])('%s at %i places is exact', (text, decimals, scaled) => {
    expect(scaledDecimal(text, decimals)).toBe(scaled)
  })

  test.each([
    ['5.123', 2, 'places'],
    ['1e-3', 2, 'places'],
    ['1000000000000000000', 0, 'range'],
    ['10000000000000000', 2, 'range'],
    ['1e999', 0, 'range'],
    ['', 2, 'form'],
    ['.5', 2, 'form'],
    ['5.', 2, 'form'],
    ['+5', 2, 'form'],
    ['0x10', 2, 'form'],
    ['1e9999', 2, 'form'],
    ['NaN', 2, 'form'],
    [' 5', 2, 'form'],
    ['5\n', 2, 'form'],
  ])('%j at %i places is refused as %s', (text, decimals, fault) => {
    expect(scaledDecimal(text, decimals)).toBe(fault)
  })

  property(
    'reads what printDecimal prints',
    [fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }), fc.integer({ min: 0, max: 17 })],
    (scaled, decimals) => {
      const text = printDecimal(scaled, decimals)
      expect(scaledDecimal(text, decimals)).toBe(scaled)
      expect(text.split('.')[1]?.length ?? 0).toBe(decimals)
    },
  )

  const plain = fc.tuple(
    fc.constantFrom('', '-'),
    fc.stringMatching(/^\d{0,17}$/),
    fc.stringMatching(/^\d{0,5}$/),
  )
  property(
    'means the same with and without an exponent that changes nothing',
    [plain, fc.constantFrom('', '.'), fc.integer({ min: 0, max: 17 })],
    ([sign, whole, fraction], point, decimals) => {
      const text = `${sign}${whole}${point}${fraction}`
      expect(scaledDecimal(text, decimals)).toBe(scaledDecimal(`${text}e0`, decimals))
    },
  )

  property(
    'any text gives an integer or a named fault',
    [fc.string({ maxLength: 100 }), fc.integer({ min: 0, max: 17 })],
    (text, decimals) => {
      expect(['bigint', 'string']).toContain(typeof scaledDecimal(text, decimals))
    },
  )
})
