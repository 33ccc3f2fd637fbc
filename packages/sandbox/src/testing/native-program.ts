import { type Machine, machineOf } from '../native/machine.js'
import { machineCode, type Operand, type Step } from '../native/machine-code.js'
import { numberOf, type SystemCall } from '../native/system-calls.js'
import { planElf, SCRATCH_BYTES, writeElf } from '../native/write-elf.js'

/** Programs written out by their bytes, so that tests need no compiler. */
const BASE = 0x40_0000n
const { data: DATA, scratch: SCRATCH } = planElf(BASE)

/** What a call is given: a number, a text's address, or the address of memory that the program may change or of its own code. */
export type Argument = Operand | { readonly text: string } | 'scratch' | 'code'

/** A system call by its name, or by its numbers on x86-64 and AArch64. */
export type CallName = SystemCall | readonly [number, number]

/** A step of a test's program. */
export type TestStep =
  | { readonly do: CallName; readonly with: readonly Argument[] }
  | Exclude<Step, { readonly call: number }>

/** The machine that the tests run on; x86-64 where there is none, for what only looks at bytes. */
export const here: Machine = machineOf(process.arch) ?? 'x86-64'

/**
 * A program as its file.
 *
 * @param steps - what it does; it must end itself
 * @param machine - for which processor
 */
export function programFile(steps: readonly TestStep[], machine: Machine = here): Uint8Array {
  const texts: number[] = []
  const addressOf = (argument: Argument): Operand => {
    if (argument === 'scratch') return SCRATCH
    if (argument === 'code') return DATA
    if (typeof argument !== 'object') return argument
    const address = DATA + BigInt(texts.length)
    texts.push(...new TextEncoder().encode(`${argument.text}\0`))
    return address
  }
  const plain = steps.map((step): Step => {
    if (!('do' in step)) return step
    const name = step.do
    const number = typeof name === 'string' ? numberOf(machine, name) : name[machine === 'x86-64' ? 0 : 1]
    if (number === null) throw new RangeError(`${machine} has no such call`)
    return { call: number, arguments: step.with.map(addressOf) }
  })
  const code = machineCode(machine, plain)
  return writeElf({ machine, base: BASE, data: Uint8Array.from(texts), code })
}

/** A program as a job's code. @param steps - what it does */
export const program = (steps: readonly TestStep[]): string =>
  Buffer.from(programFile(steps)).toString('base64')

/** Ends the program. @param status - what it says */
export const exit = (status: number): TestStep => ({ do: 'exit_group', with: [status] })

/** Writes a text to the output. @param text - in ASCII */
export const say = (text: string): TestStep => ({ do: 'write', with: [1, { text }, text.length] })

/** Writes what it reads. */
export const echo: readonly TestStep[] = [
  { label: 'more' },
  { do: 'read', with: [0, 'scratch', SCRATCH_BYTES] },
  { keep: true },
  { goto: 'failed', when: 'negative' },
  { goto: 'done', when: 'zero' },
  { do: 'write', with: [1, 'scratch', 'kept'] },
  { goto: 'more', when: 'always' },
  { label: 'failed' },
  exit(1),
  { label: 'done' },
  exit(0),
]

/** Never ends. */
export const spin: readonly TestStep[] = [{ label: 'again' }, { goto: 'again', when: 'always' }]

/** Takes memory until there is none, then ends. @param status - with this */
export const allocate = (status: number): readonly TestStep[] => [
  { label: 'more' },
  // Private, anonymous, and there at once.
  { do: 'mmap', with: [0, 2 ** 20, 3, 0x8022, -1, 0] },
  { goto: 'full', when: 'negative' },
  { goto: 'more', when: 'always' },
  { label: 'full' },
  exit(status),
]

/** Writes without end. */
export const flood: readonly TestStep[] = [
  { label: 'more' },
  { do: 'write', with: [1, 'scratch', SCRATCH_BYTES] },
  { goto: 'more', when: 'always' },
]

/** Pushes onto its stack without end. */
export const recurse: readonly TestStep[] = [
  // push rax; jmp back. str x0, [sp, #-16]!; b back.
  { bytes: here === 'x86-64' ? [0x50, 0xeb, 0xfd] : [0xe0, 0x0f, 0x1f, 0xf8, 0xff, 0xff, 0xff, 0x17] },
]

/** Tries something: the output is `true` when the kernel took the last call, `false` when it refused it. @param steps - what */
export const attempt = (steps: readonly TestStep[]): readonly TestStep[] => [
  ...steps,
  { goto: 'refused', when: 'negative' },
  say('true'),
  exit(0),
  { label: 'refused' },
  say('false'),
  exit(0),
]
