import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { echo, programFile } from '../testing/native-program.js'
import { inspectElf } from './inspect-elf.js'
import { LAUNCHER_BASE, writeLauncher } from './launcher.js'

const file = programFile(echo, 'x86-64')
const FIRST = 64
const SECOND = FIRST + 56
const STACK = SECOND + 56

/** The file with another number at a place. */
function changed(at: number, size: 1 | 2 | 4 | 8, value: bigint): Uint8Array {
  const bytes = Uint8Array.from(file)
  for (let index = 0; index < size; index += 1)
    bytes[at + index] = Number((value >> BigInt(8 * index)) & 255n)
  return bytes
}

test('a program’s shape is the space from its first segment to its last', () => {
  expect(inspectElf(file, 'x86-64')).toEqual({ memoryBytes: 0x21_0000 })
  expect(inspectElf(programFile(echo, 'aarch64'), 'aarch64')).toEqual({ memoryBytes: 0x21_0000 })
  // Position-independent, and of Linux by name: static programs of newer tools.
  expect(inspectElf(changed(16, 2, 3n), 'x86-64')).toBeDefined()
  expect(inspectElf(changed(7, 1, 3n), 'x86-64')).toBeDefined()
})

test.each<[string, Uint8Array]>([
  ['no bytes', new Uint8Array()],
  ['half a header', file.subarray(0, 63)],
  ['another magic', changed(0, 1, 0x7en)],
  ['32 bits', changed(4, 1, 1n)],
  ['the other byte order', changed(5, 1, 2n)],
  ['another version', changed(6, 1, 2n)],
  ['another system', changed(7, 1, 9n)],
  ['an object file', changed(16, 2, 1n)],
  ['a core dump', changed(16, 2, 4n)],
  ['another machine', changed(18, 2, 183n)],
  ['headers of another size', changed(54, 2, 32n)],
  ['no segments', changed(56, 2, 0n)],
  ['too many segments', changed(56, 2, 65n)],
  ['headers behind the end', changed(32, 8, BigInt(file.length))],
  ['headers far behind the end', changed(32, 8, 2n ** 64n - 1n)],
  ['an interpreter', changed(STACK, 4, 3n)],
  ['an executable stack', changed(STACK + 4, 4, 7n)],
  ['code that can be written', changed(FIRST + 4, 4, 7n)],
  ['data that can be executed', changed(SECOND + 4, 4, 3n)],
  ['nothing executable', changed(FIRST + 4, 4, 4n)],
  ['a start outside of its code', changed(24, 8, 0x60_0000n)],
  ['more in the file than in memory', changed(FIRST + 40, 8, 1n)],
  ['a part behind the end of the file', changed(FIRST + 8, 8, 1n)],
  ['a part beyond all memory', changed(SECOND + 40, 8, 2n ** 63n)],
  ['a part where the launcher is', changed(SECOND + 16, 8, LAUNCHER_BASE)],
  ['a part that ends where the launcher is', changed(SECOND + 16, 8, LAUNCHER_BASE - 0x1_0000n)],
])('%s: no program', (_name, bytes) => {
  expect(inspectElf(bytes, 'x86-64')).toBeUndefined()
})

test('the launcher is no program of a job', () => {
  const limits = { memoryBytes: 2 ** 20, stackBytes: 2 ** 16, timeMs: 1 }
  const launcher = writeLauncher({ machine: 'x86-64', path: '/program', entry: 'go', limits })
  expect(inspectElf(launcher, 'x86-64')).toBeUndefined()
})

test('any bytes have a shape or none', () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.nat(file.length - 1),
      fc.nat(255),
      fc.nat(file.length),
      (tail, at, byte, length) => {
        const other = Uint8Array.from(file)
        other[at] = byte
        for (const bytes of [
          tail,
          other,
          file.subarray(0, length),
          Uint8Array.from([...file.subarray(0, 64), ...tail]),
        ]) {
          const shape = inspectElf(bytes, 'x86-64')
          expect(shape === undefined || shape.memoryBytes > 0).toBe(true)
        }
      },
    ),
  )
})
