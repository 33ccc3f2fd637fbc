import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDecimal, rescale, toNumber } from './decimal.js'

describe('decimals', () => {
  it.each([
    ['0', 0n, 0],
    ['-0.0', 0n, 0],
    ['12', 12n, 0],
    ['12.50', 125n, 1],
    ['.5', 5n, 1],
    ['5.', 5n, 0],
    ['1e3', 1000n, 0],
    ['1.25e1', 125n, 1],
    ['1e-9', 1n, 9],
    ['-3', -3n, 0],
  ] as const)('reads %s exactly', (text, units, decimals) => {
    expect(parseDecimal(text)).toEqual({ units, decimals })
  })

  it.each([
    '',
    '.',
    '-',
    'NaN',
    'Infinity',
    '0x1F',
    '1_000',
    '1e400',
    '1e-10',
    '1e31',
    '1'.repeat(31),
    ' 1',
    '1 ',
  ])('refuses %j', (text) => {
    expect(parseDecimal(text)).toBeNull()
  })

  it('rounds down and up towards the infinities, for both signs', () => {
    expect(rescale({ units: 125n, decimals: 1 }, 0, 'down')).toBe(12n)
    expect(rescale({ units: 125n, decimals: 1 }, 0, 'up')).toBe(13n)
    expect(rescale({ units: -125n, decimals: 1 }, 0, 'down')).toBe(-13n)
    expect(rescale({ units: -125n, decimals: 1 }, 0, 'up')).toBe(-12n)
    expect(rescale({ units: 120n, decimals: 1 }, 0, 'up')).toBe(12n)
  })

  it('gives back the number that was written, for every safe integer in fixed point', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 9 }), (units, decimals) => {
        const number = toNumber(BigInt(units), decimals)
        expect(number).toBe(Number(`${units}e-${decimals}`))
      }),
    )
  })
})
