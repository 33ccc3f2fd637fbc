import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runFilter } from '../testing/run-filter.js'
import { assembleFilter, type Condition } from './assemble-filter.js'
import { machines } from './machine.js'

const ALLOW = 0x7fff_0000
const KILL = 0x8000_0000
const ENOSYS = 0x0005_0026
const x86 = machines['x86-64'].audit

const ask = (condition: Condition, input: { instruction?: bigint; arguments?: bigint[] }): boolean => {
  const filter = assembleFilter('x86-64', [
    { number: 6, action: 'refuse' },
    { number: 7, action: 'allow', when: [condition, { argument: 5, within: 0xffff_ffff }] },
    { number: 8, action: 'allow' },
  ])
  const verdict = runFilter(filter, { architecture: x86, number: 7, ...input })
  expect([ALLOW, KILL]).toContain(verdict)
  return verdict === ALLOW
}

test('a filter is what the kernel’s own header says, byte by byte', () => {
  const filter = assembleFilter('x86-64', [{ number: 1, action: 'allow' }])
  expect(Buffer.from(filter).toString('hex').match(/.{16}/g)).toEqual([
    '2000000004000000',
    '150001003e0000c0',
    '0600000000000080',
    '2000000000000000',
    '3500000100000040',
    '0600000000000080',
    '1500000101000000',
    '060000000000ff7f',
    '0600000000000080',
  ])
})

const words = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 8n }),
  fc.bigInt({ min: 0n, max: 8n }).map((value) => value + 2n ** 32n),
)
const bits = fc.nat(0xffff_ffff)

test('conditions say of any word what the numbers say', () => {
  fc.assert(
    fc.property(
      words,
      fc.array(fc.nat(8), { minLength: 1, maxLength: 5 }),
      bits,
      fc.nat(31),
      (word, list, mask, bit) => {
        const asked = { arguments: [0n, 0n, word] }
        expect(ask({ argument: 2, is: list }, asked)).toBe(list.some((each) => BigInt(each) === word))
        expect(ask({ argument: 2, within: mask }, asked)).toBe((word & ~BigInt(mask)) === 0n)
        expect(ask({ argument: 2, has: 2 ** bit }, asked)).toBe(((word >> BigInt(bit)) & 1n) === 1n)
        const from = (word >> 16n) << 16n
        expect(ask({ from }, { instruction: word })).toBe(true)
        expect(ask({ from }, { instruction: word ^ 0x1_0000n })).toBe(false)
        expect(ask({ from }, { instruction: word ^ 0x1_0000_0000n })).toBe(false)
      },
    ),
  )
})

test('every condition must hold, and what happens otherwise is the rule’s', () => {
  const both: Condition[] = [
    { argument: 0, is: [1] },
    { argument: 1, is: [2, 3] },
  ]
  const filter = assembleFilter('aarch64', [
    { number: 5, action: 'allow', when: both, otherwise: 'refuse' },
    { number: 9, action: 'refuse' },
  ])
  const verdict = (number: number, ...values: bigint[]) =>
    runFilter(filter, { architecture: machines.aarch64.audit, number, arguments: values })
  expect([verdict(5, 1n, 2n), verdict(5, 1n, 3n)]).toEqual([ALLOW, ALLOW])
  expect([verdict(5, 1n, 4n), verdict(5, 2n, 2n), verdict(5, 1n, 2n ** 33n)]).toEqual([
    ENOSYS,
    ENOSYS,
    ENOSYS,
  ])
  expect([verdict(9), verdict(4), verdict(0xffff_ffff)]).toEqual([ENOSYS, KILL, KILL])
})

test('a filter that the kernel would not take is not written', () => {
  const twice = { number: 1, action: 'allow' } as const
  expect(() => assembleFilter('x86-64', [twice, twice])).toThrow(RangeError)
  const many = Array.from({ length: 2100 }, (_, number) => ({ number, action: 'allow' }) as const)
  expect(() => assembleFilter('x86-64', many)).toThrow(RangeError)
  const long = {
    number: 1,
    action: 'allow',
    when: [{ argument: 0, is: Array<number>(300).fill(1) }],
  } as const
  expect(() => assembleFilter('x86-64', [long])).toThrow(RangeError)
})
