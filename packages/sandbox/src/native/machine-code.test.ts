import { expect, test } from 'vitest'
import { machineCode, type Step } from './machine-code.js'

const hex = (machine: 'x86-64' | 'aarch64', ...steps: Step[]) =>
  Buffer.from(machineCode(machine, steps)).toString('hex')

// As GNU as writes them: `objdump -d` of the same mnemonics.
test.each<[string, Step[], string]>([
  [
    'a call with all arguments',
    [{ call: 9, arguments: [1, 2, 3, 4, -1, 2n ** 64n - 2n] }],
    '48bf010000000000000048be020000000000000048ba030000000000000049ba040000000000000049b8ffffffffffffffff49b9feffffffffffffffb8090000000f05',
  ],
  [
    'what was kept',
    [{ keep: true }, { call: 1, arguments: ['kept', 'kept', 'kept'] }],
    '4889c34889df4889de4889dab8010000000f05',
  ],
  ['a loop', [{ label: 'a' }, { goto: 'a', when: 'always' }], 'e9fbffffff'],
  [
    'a jump ahead',
    [{ goto: 'a', when: 'negative' }, { bytes: [0x90] }, { label: 'a' }],
    '4885c00f880100000090',
  ],
  ['a jump when zero', [{ goto: 'a', when: 'zero' }, { label: 'a' }], '4885c00f8400000000'],
  ['a jump unless equal', [{ label: 'a' }, { goto: 'a', when: { not: 300 } }], '483d2c0100000f85f4ffffff'],
])('x86-64: %s', (_name, steps, expected) => {
  expect(hex('x86-64', ...steps)).toBe(expected)
})

// Encodings of the Arm Architecture Reference Manual, C6.2: MOVZ, MOVK, ORR (shifted register), SVC, B, TBNZ, CBZ, SUB, CBNZ.
test.each<[string, Step[], string[]]>([
  [
    'a call',
    [{ call: 93, arguments: [0x1_2345_6789] }],
    [
      '20f18cd2',
      'a068a4f2',
      '2000c0f2',
      '0000e0f2',
      'a80b80d2',
      '0800a0f2',
      '0800c0f2',
      '0800e0f2',
      '010000d4',
    ],
  ],
  ['what was kept', [{ keep: true }, { bytes: [0x1f, 0x20, 0x03, 0xd5] }], ['f30300aa', '1f2003d5']],
  ['a loop', [{ label: 'a' }, { goto: 'a', when: 'always' }], ['00000014']],
  ['a jump back', [{ label: 'a' }, { keep: true }, { goto: 'a', when: 'always' }], ['f30300aa', 'ffffff17']],
  [
    'a jump ahead',
    [{ goto: 'a', when: 'negative' }, { keep: true }, { label: 'a' }],
    ['4000f8b7', 'f30300aa'],
  ],
  [
    'a jump when zero',
    [{ goto: 'a', when: 'zero' }, { keep: true }, { label: 'a' }],
    ['400000b4', 'f30300aa'],
  ],
  [
    'a jump unless equal',
    [{ label: 'a' }, { goto: 'a', when: { not: 1 } }],
    ['290080d2', '0900a0f2', '0900c0f2', '0900e0f2', '000009cb', '60ffffb5'],
  ],
])('AArch64: %s', (_name, steps, expected) => {
  expect(hex('aarch64', ...steps).match(/.{8}/g)).toEqual(expected)
})

test('arguments that were kept go to the registers of the call', () => {
  const kept = machineCode('aarch64', [{ call: 1, arguments: ['kept', 'kept'] }])
  expect(Buffer.from(kept.subarray(0, 8)).toString('hex')).toBe('e00313aae10313aa')
})

test('a label that is not there, and a seventh argument, are refused', () => {
  for (const machine of ['x86-64', 'aarch64'] as const) {
    expect(() => machineCode(machine, [{ goto: 'a', when: 'always' }])).toThrow(RangeError)
    expect(() => machineCode(machine, [{ call: 1, arguments: [1, 2, 3, 4, 5, 6, 7] }])).toThrow(RangeError)
  }
})
