import type { CheckedLimits } from '../limits.js'
import { callFilter } from './call-filter.js'
import type { Machine } from './machine.js'
import { machineCode, type Operand, type Step } from './machine-code.js'
import { numberOf, type SystemCall } from './system-calls.js'
import { planElf, writeElf } from './write-elf.js'

/**
 * Where the launcher is loaded: within the 39 bits of address space that every machine has, and far from where kernels put anything of
 * their own accord. The program may have nothing in the 64 KiB from here.
 */
export const LAUNCHER_BASE = 0x30_0000_0000n
/** How much of the address space is the launcher's. */
export const LAUNCHER_BYTES = 0x1_0000n

/** First byte of what comes out, written when every wall stands and the program is started next. */
export const BEGUN = 0x06
/** Status of a launcher that could not set up a limit or the filter; the program was not started. */
const STATUS_NO_WALLS = 125
/** Status of a launcher whose program the kernel did not take. */
export const STATUS_NOT_STARTED = 126

// Numbers of limits, include/uapi/asm-generic/resource.h.
const LIMIT = { cpu: 0, fileSize: 1, stack: 3, core: 4, processes: 6, files: 7, lockedMemory: 8, memory: 9 }
const MESSAGE_QUEUES = 12

const PR_SET_PDEATHSIG = 1
const PR_SET_TSC = 26
const PR_TSC_SIGSEGV = 2
const PR_SET_NO_NEW_PRIVS = 38
const SECCOMP_SET_MODE_FILTER = 1
const SIGKILL = 9
const HIGHEST_DESCRIPTOR = 0xffff_ffff
/** Seconds of processor time above the deadline: what ends the program should nobody be there any more to watch the clock. */
const CPU_SLACK_SECONDS = 2

/**
 * Writes the launcher of one run, a static program that takes from itself what the approved program must not have, and then becomes it:
 * limits of the kernel, no descriptor that was left open, no processor's clock (x86-64), no new privileges, the filter of system calls. It says that all of that stands
 * before it starts the program, and starts nothing when one of them fails.
 *
 * @param options - `path`: of the program; `entry`: its one argument; both without NUL
 * @returns the launcher's file
 */
export function writeLauncher(options: {
  readonly machine: Machine
  readonly path: string
  readonly entry: string
  readonly limits: Pick<CheckedLimits, 'memoryBytes' | 'stackBytes' | 'timeMs'>
}): Uint8Array {
  const { machine, path, entry, limits } = options
  const data = dataAt(planElf(LAUNCHER_BASE).data)
  const text = (value: string): bigint => data.put(new TextEncoder().encode(`${value}\0`))
  const pathAt = text(path)
  const argumentsAt = data.put(words(text('program'), text(entry), 0n))
  const environmentAt = data.put(words(0n))
  const begunAt = data.put(Uint8Array.of(BEGUN))
  const filter = callFilter(machine, LAUNCHER_BASE)
  const programAt = data.put(words(BigInt(filter.length / 8), data.put(filter)))

  const call = (name: SystemCall, ...values: readonly Operand[]): Step => {
    const number = numberOf(machine, name)
    if (number === null) throw new RangeError(`${machine} has no ${name}`)
    return { call: number, arguments: values }
  }
  const demand = (step: Step, result = 0): Step[] => [step, { goto: 'no walls', when: { not: result } }]
  const bounds: readonly (readonly [number, number])[] = [
    [LIMIT.cpu, Math.ceil(limits.timeMs / 1000) + CPU_SLACK_SECONDS],
    [LIMIT.fileSize, 0],
    [LIMIT.stack, limits.stackBytes],
    [LIMIT.core, 0],
    [LIMIT.processes, 0],
    // Input, output and what it complains on: there is no number left for another.
    [LIMIT.files, 3],
    [LIMIT.lockedMemory, 0],
    [MESSAGE_QUEUES, 0],
    [LIMIT.memory, limits.memoryBytes],
  ]
  const noClock = call('prctl', PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0)
  const steps: Step[] = [
    ...demand(call('prctl', PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)),
    // What whoever started this process left open goes on to all that it starts.
    ...demand(call('close_range', 3, HIGHEST_DESCRIPTOR, 0)),
    // AArch64 has it since Linux 6.12; what is demanded there is what every kernel gives.
    ...(machine === 'x86-64' ? demand(noClock) : [noClock]),
    ...bounds.flatMap(([limit, most]) => {
      const pair = data.put(words(BigInt(most), BigInt(most)))
      return demand(call('prlimit64', 0, limit, pair, 0))
    }),
    ...demand(call('prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)),
    ...demand(call('seccomp', SECCOMP_SET_MODE_FILTER, 0, programAt)),
    ...demand(call('write', 1, begunAt, 1), 1),
    call('execve', pathAt, argumentsAt, environmentAt),
    call('exit_group', STATUS_NOT_STARTED),
    { label: 'no walls' },
    call('exit_group', STATUS_NO_WALLS),
  ]
  return writeElf({ machine, base: LAUNCHER_BASE, data: data.bytes(), code: machineCode(machine, steps) })
}

function words(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer)
}

/** Lays data one after another, each from a whole word on. */
function dataAt(base: bigint): { put(bytes: Uint8Array): bigint; bytes(): Uint8Array } {
  const parts: number[] = []
  return {
    put(bytes) {
      const at = base + BigInt(parts.length)
      parts.push(...bytes)
      while (parts.length % 8 !== 0) parts.push(0)
      return at
    },
    bytes: () => Uint8Array.from(parts),
  }
}
