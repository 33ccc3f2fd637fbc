import { type Machine, machines } from './machine.js'

/** Something that a call's arguments, or the place it comes from, must be. Arguments are unsigned words of 64 bits. */
export type Condition =
  /** The argument is one of these numbers, all below 2^32. */
  | { readonly argument: number; readonly is: readonly number[] }
  /** The argument has no bit outside of this mask, which is below 2^32. */
  | { readonly argument: number; readonly within: number }
  /** The argument has this bit, one of the lower 32. */
  | { readonly argument: number; readonly has: number }
  /** The instruction lies in the 64 KiB from this address, which is a multiple of 64 KiB. */
  | { readonly from: bigint }

/** What is answered to one system call. */
export interface FilterRule {
  /** The call's number. */
  readonly number: number
  /** `allow`: the kernel runs it when all conditions hold. `refuse`: it is answered ENOSYS, and the kernel does not run it. */
  readonly action: 'allow' | 'refuse'
  /** What an allowed call must be like. */
  readonly when?: readonly Condition[]
  /** What befalls a call that is not like that; `kill` when absent. */
  readonly otherwise?: 'refuse' | 'kill'
}

/** Bytes of one instruction, `struct sock_filter` of linux/filter.h. */
const INSTRUCTION_BYTES = 8
/** The kernel takes no filter with more instructions (BPF_MAXINSNS). */
const MOST_INSTRUCTIONS = 4096

// Opcodes of classic BPF that are used: class, size, mode or operation, as linux/bpf_common.h adds them up.
const LOAD_WORD = 0x20
const AND = 0x54
const JUMP_EQUAL = 0x15
const JUMP_AT_LEAST = 0x35
const JUMP_ANY_BIT = 0x45
const RETURN = 0x06

const verdicts = { allow: 0x7fff_0000, kill: 0x8000_0000, refuse: 0x0005_0000 | 38 } as const

// Places in `struct seccomp_data` of linux/seccomp.h; both machines are little-endian, so the lower word comes first.
const NUMBER_AT = 0
const ARCHITECTURE_AT = 4
const INSTRUCTION_AT = 8
const argumentAt = (index: number): number => 16 + 8 * index
const HIGHER_WORD = 4

/** Numbers from here on are x32's on x86-64: the same calls by another door. */
const X32 = 0x4000_0000

interface Instruction {
  readonly code: number
  readonly k: number
  /** How many instructions are left out when the test holds, and when it does not. */
  readonly yes?: number
  readonly no?: number
}

/**
 * Writes a filter of system calls as the kernel takes it (seccomp, classic BPF): another machine's calls and those of x32 end the
 * process, a call with a rule is answered as the rule says, and every other call ends the process.
 *
 * @param machine - whose calls the rules number
 * @param rules - at most one for each number
 * @returns the instructions, 8 bytes each
 * @throws RangeError when there is no such filter: it would be too long, or a number has two rules
 */
export function assembleFilter(machine: Machine, rules: readonly FilterRule[]): Uint8Array {
  if (new Set(rules.map(({ number }) => number)).size !== rules.length) {
    throw new RangeError('a system call has two rules')
  }
  const program: Instruction[] = [
    { code: LOAD_WORD, k: ARCHITECTURE_AT },
    { code: JUMP_EQUAL, k: machines[machine].audit, yes: 1 },
    { code: RETURN, k: verdicts.kill },
    { code: LOAD_WORD, k: NUMBER_AT },
    { code: JUMP_AT_LEAST, k: X32, no: 1 },
    { code: RETURN, k: verdicts.kill },
    ...rules.flatMap((rule) => {
      const answer = answerOf(rule)
      return [{ code: JUMP_EQUAL, k: rule.number, no: answer.length }, ...answer]
    }),
    { code: RETURN, k: verdicts.kill },
  ]
  if (program.length > MOST_INSTRUCTIONS) throw new RangeError('the filter is too long')
  return encode(program)
}

/** What follows when the number is the rule's: it returns on every way. */
function answerOf({ action, when = [], otherwise = 'kill' }: FilterRule): Instruction[] {
  const tests = when.map(testOf)
  const length = tests.reduce((sum, test) => sum + test.length, 0)
  const body: Instruction[] = []
  for (const test of tests) {
    for (const [index, { code, k, yes, no }] of test.entries()) {
      const jump = (to: Target | undefined): number => {
        if (to === 'fail') return length - body.length
        return to === 'pass' ? test.length - index - 1 : 0
      }
      body.push({ code, k, yes: jump(yes), no: jump(no) })
    }
  }
  body.push({ code: RETURN, k: verdicts[action] })
  if (tests.length > 0) body.push({ code: RETURN, k: verdicts[otherwise] })
  return body
}

/** Where a test leads: to the condition's end, to the rule's other answer, or (absent) to the next instruction. */
type Target = 'pass' | 'fail'

interface Test {
  readonly code: number
  readonly k: number
  readonly yes?: Target
  readonly no?: Target
}

function testOf(condition: Condition): Test[] {
  if ('from' in condition) {
    return [
      { code: LOAD_WORD, k: INSTRUCTION_AT + HIGHER_WORD },
      { code: JUMP_EQUAL, k: Number(condition.from >> 32n), no: 'fail' },
      { code: LOAD_WORD, k: INSTRUCTION_AT },
      { code: AND, k: 0xffff_0000 },
      { code: JUMP_EQUAL, k: Number(condition.from & 0xffff_0000n), no: 'fail' },
    ]
  }
  const at = argumentAt(condition.argument)
  const lower: Test = { code: LOAD_WORD, k: at }
  if ('has' in condition) return [lower, { code: JUMP_ANY_BIT, k: condition.has, no: 'fail' }]
  const small: Test[] = [
    { code: LOAD_WORD, k: at + HIGHER_WORD },
    { code: JUMP_EQUAL, k: 0, no: 'fail' },
    lower,
  ]
  if ('within' in condition) {
    return [...small, { code: JUMP_ANY_BIT, k: ~condition.within >>> 0, yes: 'fail' }]
  }
  const last = condition.is.length - 1
  return [
    ...small,
    ...condition.is.map((k, index): Test => {
      return { code: JUMP_EQUAL, k, yes: 'pass', ...(index === last ? { no: 'fail' } : {}) }
    }),
  ]
}

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [index, { code, k, yes = 0, no = 0 }] of program.entries()) {
    if (yes > 255 || no > 255) throw new RangeError('a rule has too many conditions')
    const at = index * INSTRUCTION_BYTES
    view.setUint16(at, code, true)
    view.setUint8(at + 2, yes)
    view.setUint8(at + 3, no)
    view.setUint32(at + 4, k, true)
  }
  return bytes
}
