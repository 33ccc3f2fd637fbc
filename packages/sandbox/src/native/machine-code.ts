import type { Machine } from './machine.js'

/** An argument of a system call: a number, or what an earlier step kept. */
export type Operand = number | bigint | 'kept'

/** One step of a small program: as much of a processor as it takes to call the kernel and to go by its answer. */
export type Step =
  /** A system call with up to six arguments; its answer stays in the result. */
  | { readonly call: number; readonly arguments: readonly Operand[] }
  /** Keeps the result until the next `keep`. */
  | { readonly keep: true }
  /** A name for the place of the next step. */
  | { readonly label: string }
  /** Goes on at a label: always, or when the last call's result is below zero, is zero, or is not this number (0 to 2^31 - 1). */
  | { readonly goto: string; readonly when: 'always' | 'negative' | 'zero' | { readonly not: number } }
  /** Instructions as they are. */
  | { readonly bytes: readonly number[] }

/** Where a step's label is, in bytes from the step's own front. */
type Distance = (label: string) => number

/**
 * Writes steps as instructions.
 *
 * @param machine - for which processor
 * @param steps - what to do, in order
 * @returns the code; it may stand at any address
 * @throws RangeError when a label that a step names is not there, or a call has more than six arguments
 */
export function machineCode(machine: Machine, steps: readonly Step[]): Uint8Array {
  const encode = machine === 'x86-64' ? encodeX86 : encodeArm
  const places: number[] = []
  const labels = new Map<string, number>()
  let length = 0
  for (const step of steps) {
    places.push(length)
    if ('label' in step) labels.set(step.label, length)
    // No step's length depends on where its label is.
    length += encode(step, () => 0).length
  }
  return Uint8Array.from(
    steps.flatMap((step, index) =>
      encode(step, (label) => {
        const place = labels.get(label)
        if (place === undefined) throw new RangeError(`there is no label ${label}`)
        return place - (places[index] ?? 0)
      }),
    ),
  )
}

function littleEndian(value: bigint, bytes: number): number[] {
  const bits = BigInt.asUintN(bytes * 8, value)
  return Array.from({ length: bytes }, (_, index) => Number((bits >> BigInt(8 * index)) & 255n))
}

/** Prefix and opcode of `mov register, imm64` for rdi, rsi, rdx, r10, r8, r9. */
const LOAD_X86 = [
  [0x48, 0xbf],
  [0x48, 0xbe],
  [0x48, 0xba],
  [0x49, 0xba],
  [0x49, 0xb8],
  [0x49, 0xb9],
] as const
/** `mov register, rbx` for the same: what was kept is in rbx, which calls leave alone. */
const LOAD_KEPT_X86 = [
  [0x48, 0x89, 0xdf],
  [0x48, 0x89, 0xde],
  [0x48, 0x89, 0xda],
  [0x49, 0x89, 0xda],
  [0x49, 0x89, 0xd8],
  [0x49, 0x89, 0xd9],
] as const

function encodeX86(step: Step, distance: Distance): number[] {
  if ('bytes' in step) return [...step.bytes]
  if ('label' in step) return []
  // mov rbx, rax
  if ('keep' in step) return [0x48, 0x89, 0xc3]
  if ('call' in step) {
    const loads = step.arguments.flatMap((operand, index) => {
      const [load, kept] = [LOAD_X86[index], LOAD_KEPT_X86[index]]
      if (load === undefined || kept === undefined) throw new RangeError('a call has at most six arguments')
      return operand === 'kept' ? [...kept] : [...load, ...littleEndian(BigInt(operand), 8)]
    })
    // mov eax, number; syscall
    return [...loads, 0xb8, ...littleEndian(BigInt(step.call), 4), 0x0f, 0x05]
  }
  const jump = (...front: number[]): number[] => {
    const end = front.length + 4
    return [...front, ...littleEndian(BigInt(distance(step.goto) - end), 4)]
  }
  if (step.when === 'always') return jump(0xe9)
  // test rax, rax; js or je
  if (step.when === 'negative') return jump(0x48, 0x85, 0xc0, 0x0f, 0x88)
  if (step.when === 'zero') return jump(0x48, 0x85, 0xc0, 0x0f, 0x84)
  // cmp rax, number; jne
  return jump(0x48, 0x3d, ...littleEndian(BigInt(step.when.not), 4), 0x0f, 0x85)
}

const word = (value: number): number[] => littleEndian(BigInt(value), 4)

/** `movz` and three `movk`: a number of 64 bits in a register. */
function loadArm(register: number, value: bigint): number[] {
  return [0n, 1n, 2n, 3n].flatMap((half) => {
    const bits = Number((BigInt.asUintN(64, value) >> (16n * half)) & 0xffffn)
    return word((half === 0n ? 0xd280_0000 : 0xf280_0000) + Number(half) * 2 ** 21 + bits * 32 + register)
  })
}

function encodeArm(step: Step, distance: Distance): number[] {
  if ('bytes' in step) return [...step.bytes]
  if ('label' in step) return []
  // mov x19, x0: calls leave x19 alone
  if ('keep' in step) return word(0xaa00_03f3)
  if ('call' in step) {
    if (step.arguments.length > 6) throw new RangeError('a call has at most six arguments')
    const loads = step.arguments.flatMap((operand, register) =>
      // mov xN, x19
      operand === 'kept' ? word(0xaa13_03e0 + register) : loadArm(register, BigInt(operand)),
    )
    // x8 is the number; svc #0
    return [...loads, ...loadArm(8, BigInt(step.call)), ...word(0xd400_0001)]
  }
  const jump = (front: readonly number[], opcode: number, bits: number, shift: number): number[] => {
    const instructions = Number(BigInt.asUintN(bits, BigInt((distance(step.goto) - front.length) / 4)))
    return [...front, ...word(opcode + instructions * 2 ** shift)]
  }
  // b; tbnz x0, #63; cbz x0; sub x0, x0, x9 and cbnz x0
  if (step.when === 'always') return jump([], 0x1400_0000, 26, 0)
  if (step.when === 'negative') return jump([], 0xb7f8_0000, 14, 5)
  if (step.when === 'zero') return jump([], 0xb400_0000, 19, 5)
  return jump([...loadArm(9, BigInt(step.when.not)), ...word(0xcb09_0000)], 0xb500_0000, 19, 5)
}
