import { describe, expect, test } from 'vitest'
import { runFilter } from '../testing/run-filter.js'
import { callFilter } from './call-filter.js'
import { LAUNCHER_BASE } from './launcher.js'
import { type Machine, machines } from './machine.js'

const ALLOW = 0x7fff_0000
const KILL = 0x8000_0000
const ENOSYS = 0x0005_0026

// Written from the kernel's tables a second time, by number: the filter's own table must not be its own witness.
const expected: Record<Machine, { allowed: number[]; conditional: number[]; refused: number[] }> = {
  'x86-64': {
    allowed: [3, 7, 8, 11, 12, 13, 14, 15, 131, 218, 271, 318],
    conditional: [0, 1, 9, 10, 19, 20, 25, 28, 59, 60, 158, 231],
    refused: [5, 16, 63, 72, 89, 202, 228, 262, 267, 273, 302, 334],
  },
  aarch64: {
    allowed: [57, 62, 73, 96, 132, 134, 135, 139, 214, 215, 278],
    conditional: [63, 64, 65, 66, 93, 94, 216, 221, 222, 226, 233],
    refused: [25, 29, 78, 79, 80, 98, 99, 113, 160, 261, 293],
  },
}
const numbersOf = {
  'x86-64': [0, 1, 9, 10, 25, 28, 59, 60],
  aarch64: [63, 64, 222, 226, 216, 233, 221, 93],
}

describe.each(['x86-64', 'aarch64'] as const)('%s', (machine) => {
  const filter = callFilter(machine, LAUNCHER_BASE)
  const architecture = machines[machine].audit
  const ask = (number: number, values: readonly bigint[] = [], instruction = 0x40_1000n): number =>
    runFilter(filter, { architecture, number, arguments: values, instruction })
  const all = Array.from({ length: 1024 }, (_, number) => number)
  const { allowed, conditional, refused } = expected[machine]

  test('of all system calls only these are answered', () => {
    const none = [7n, 7n, 2n ** 40n, 2n ** 40n, 0n, 0n]
    const verdicts = new Map(all.map((number) => [number, ask(number, none)]))
    const having = (verdict: number) => all.filter((number) => verdicts.get(number) === verdict)
    expect(having(ALLOW)).toEqual(
      [...allowed, ...(machine === 'x86-64' ? [60, 231] : [93, 94])].sort((a, b) => a - b),
    )
    const alsoRefused = machine === 'x86-64' ? [28, 158] : [233]
    expect(having(ENOSYS)).toEqual([...refused, ...alsoRefused].sort((a, b) => a - b))
    const rest = all.filter((number) => ![...allowed, ...conditional, ...refused].includes(number))
    for (const number of rest) expect([number, verdicts.get(number)]).toEqual([number, KILL])
  })

  test('another machine’s calls, and those of x32, end the process', () => {
    const others = [0x4000_0003, 0xc000_003e, 0xc000_00b7, 0x4000_0028, 0].filter(
      (each) => each !== architecture,
    )
    for (const other of others) {
      for (const number of all) {
        expect(runFilter(filter, { architecture: other, number })).toBe(KILL)
      }
    }
    for (const number of all) expect(ask(0x4000_0000 + number)).toBe(KILL)
    expect(ask(0xffff_ffff)).toBe(KILL)
  })

  const [read = 0, write = 0, mmap = 0, mprotect = 0, mremap = 0, madvise = 0, execve = 0, exit = 0] =
    numbersOf[machine]
  test.each<[string, number, bigint[], number]>([
    ['reading the input', read, [0n], ALLOW],
    ['reading something else', read, [3n], KILL],
    ['reading the input by another word', read, [2n ** 32n], KILL],
    ['writing the output', write, [1n], ALLOW],
    ['complaining', write, [2n], ALLOW],
    ['writing to the input', write, [0n], KILL],
    ['writing something else', write, [3n], KILL],
    ['memory', mmap, [0n, 4096n, 3n, 0x22n], ALLOW],
    ['memory at a place', mmap, [0n, 4096n, 0n, 0x10_0032n], ALLOW],
    ['memory that is executable', mmap, [0n, 4096n, 4n, 0x22n], KILL],
    ['memory of a file', mmap, [0n, 4096n, 3n, 0x2n], KILL],
    ['memory that is shared', mmap, [0n, 4096n, 3n, 0x21n], KILL],
    ['locked memory', mmap, [0n, 4096n, 3n, 0x2022n], KILL],
    ['large pages', mmap, [0n, 4096n, 3n, 0x4_0022n], KILL],
    ['no rights to memory', mprotect, [0n, 4096n, 0n], ALLOW],
    ['a right to execute', mprotect, [0n, 4096n, 5n], KILL],
    ['memory that grows', mprotect, [0n, 4096n, 0x0100_0003n], KILL],
    ['larger memory', mremap, [0n, 0n, 0n, 1n], ALLOW],
    ['memory moved to a place', mremap, [0n, 0n, 0n, 3n], KILL],
    ['memory given back', madvise, [0n, 0n, 4n], ALLOW],
    ['memory merged with others’', madvise, [0n, 0n, 12n], ENOSYS],
    ['a status', exit, [127n], ALLOW],
    ['a status as signals give it', exit, [128n], KILL],
    ['another program', execve, [], KILL],
  ])('%s', (_name, number, values, verdict) => {
    expect(ask(number, values)).toBe(verdict)
  })

  test('a program is started from the launcher alone', () => {
    expect(ask(execve, [], LAUNCHER_BASE)).toBe(ALLOW)
    expect(ask(execve, [], LAUNCHER_BASE + 0xffffn)).toBe(ALLOW)
    expect(ask(execve, [], LAUNCHER_BASE + 0x1_0000n)).toBe(KILL)
    expect(ask(execve, [], LAUNCHER_BASE - 1n)).toBe(KILL)
    expect(ask(execve, [], LAUNCHER_BASE + 2n ** 32n)).toBe(KILL)
  })
})
