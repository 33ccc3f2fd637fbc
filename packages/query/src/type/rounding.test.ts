import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { divide, roundTo } from './arithmetic.js'
import type { TypedNumber } from './expression.js'

const at = { start: 0, end: 0 }
const number = (low: bigint, high: bigint, decimals: number): TypedNumber => ({
  type: 'number',
  expression: { kind: 'constant', units: '0' },
  decimals,
  low,
  high,
  bounded: true,
  nullable: false,
})

describe('ranges of rounded numbers', () => {
  it.each([
    ['floor', -150n, -101n, -2n, -2n],
    ['floor', -100n, 300n, -1n, 3n],
    ['ceil', -199n, 101n, -1n, 2n],
    ['ceil', -200n, 100n, -2n, 1n],
    ['trunc', -199n, 199n, -1n, 1n],
    ['half', -150n, 149n, -2n, 1n],
    ['half', -149n, 150n, -1n, 2n],
    ['half', -50n, 50n, -1n, 1n],
    ['half', -49n, 49n, 0n, 0n],
  ] as const)('%s of %s to %s hundredths', (mode, low, high, least, most) => {
    expect(roundTo(number(low, high, 2), 0, mode)).toMatchObject({ low: least, high: most })
  })

  it('hold every number of the range, and both ends are reached', () => {
    const round = { floor: Math.floor, ceil: Math.ceil, trunc: Math.trunc, half: Math.round }
    const part = fc.integer({ min: -400, max: 400 })
    fc.assert(
      fc.property(part, part, fc.constantFrom('floor', 'ceil', 'trunc', 'half'), (one, other, mode) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)]
        const typed = roundTo(number(BigInt(low), BigInt(high), 1), 0, mode)
        const values = Array.from({ length: high - low + 1 }, (_, index) => {
          const value = (low + index) / 10
          return mode === 'half' ? Math.sign(value) * Math.round(Math.abs(value)) : round[mode](value)
        })
        expect([Number(typed.low), Number(typed.high)]).toEqual([
          Math.min(...values) + 0,
          Math.max(...values) + 0,
        ])
      }),
    )
  })
})

describe('ranges of quotients', () => {
  it('hold every quotient towards zero', () => {
    const part = fc.integer({ min: -40, max: 40 })
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        const [least, most] = [Math.min(c, d), Math.max(c, d)]
        const typed = divide(number(BigInt(low), BigInt(high), 0), number(BigInt(least), BigInt(most), 0), at)
        for (let dividend = low; dividend <= high; dividend += 1) {
          for (let divisor = least; divisor <= most; divisor += 1) {
            if (divisor === 0) continue
            const quotient = (BigInt(dividend) * 10n ** 6n) / BigInt(divisor)
            expect(typed.low <= quotient && quotient <= typed.high).toBe(true)
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('by a positive number keep their side of zero', () => {
    expect(divide(number(-100n, 300n, 0), number(100n, 100n, 0), at)).toMatchObject({
      low: -1_000_000n,
      high: 3_000_000n,
    })
    expect(divide(number(-300n, -100n, 0), number(1n, 100n, 0), at)).toMatchObject({
      low: -300_000_000n,
      high: 0n,
    })
  })
})
