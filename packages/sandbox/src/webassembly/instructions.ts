/**
 * The instructions that this sandbox takes: WebAssembly Core Specification 2.0 (sections 5.4 and 7.10) without vectors, whose lanes can
 * hold NaN of any bits.
 */

/** What follows an opcode. */
export type Immediate =
  | 'none'
  | 'block'
  | 'index'
  | 'indices'
  | 'branches'
  | 'memory'
  | 'zero'
  | 'signed'
  | 'four'
  | 'eight'
  | 'types'

/** An instruction as the meter sees it. */
export interface Instruction {
  readonly immediate: Immediate
  /** How many values more (or fewer) are on the operand stack behind it; control and calls are worked out by the meter. */
  readonly effect: number
  /** Its result may be NaN of bits that the specification leaves open. */
  readonly float?: 'f32' | 'f64'
  /** Its last operand says how much work it is: so many steps for each, as a power of two. */
  readonly work?: number
}

const table = new Map<number, Instruction>()
const set = (from: number, to: number, instruction: Instruction): void => {
  for (let code = from; code <= to; code += 1) table.set(code, instruction)
}

set(0x00, 0x01, { immediate: 'none', effect: 0 })
set(0x02, 0x04, { immediate: 'block', effect: 0 })
set(0x05, 0x05, { immediate: 'none', effect: 0 })
set(0x0b, 0x0b, { immediate: 'none', effect: 0 })
set(0x0c, 0x0d, { immediate: 'index', effect: 0 })
set(0x0e, 0x0e, { immediate: 'branches', effect: -1 })
set(0x0f, 0x0f, { immediate: 'none', effect: 0 })
set(0x10, 0x10, { immediate: 'index', effect: 0 })
set(0x11, 0x11, { immediate: 'indices', effect: 0 })
set(0x1a, 0x1a, { immediate: 'none', effect: -1 })
set(0x1b, 0x1b, { immediate: 'none', effect: -2 })
set(0x1c, 0x1c, { immediate: 'types', effect: -2 })
set(0x20, 0x20, { immediate: 'index', effect: 1 })
set(0x21, 0x21, { immediate: 'index', effect: -1 })
set(0x22, 0x22, { immediate: 'index', effect: 0 })
set(0x23, 0x23, { immediate: 'index', effect: 1 })
set(0x24, 0x24, { immediate: 'index', effect: -1 })
set(0x25, 0x25, { immediate: 'index', effect: 0 })
set(0x26, 0x26, { immediate: 'index', effect: -2 })
set(0x28, 0x35, { immediate: 'memory', effect: 0 })
set(0x36, 0x3e, { immediate: 'memory', effect: -2 })
set(0x3f, 0x3f, { immediate: 'zero', effect: 1 })
// A page of 65,536 bytes is as much work as clearing it.
set(0x40, 0x40, { immediate: 'zero', effect: 0, work: 13 })
set(0x41, 0x42, { immediate: 'signed', effect: 1 })
set(0x43, 0x43, { immediate: 'four', effect: 1 })
set(0x44, 0x44, { immediate: 'eight', effect: 1 })
set(0x45, 0xc4, { immediate: 'none', effect: -1 })
for (const [from, to] of [
  [0x45, 0x45],
  [0x50, 0x50],
  [0x67, 0x69],
  [0x79, 0x7b],
  [0x8b, 0x91],
  [0x99, 0x9f],
  [0xa7, 0xc4],
] as const) {
  set(from, to, { immediate: 'none', effect: 0 })
}
// Core Specification 4.3.3: arithmetic gives NaN of any sign and payload. abs, neg and copysign only move bits.
set(0x8d, 0x91, { immediate: 'none', effect: 0, float: 'f32' })
set(0x92, 0x97, { immediate: 'none', effect: -1, float: 'f32' })
set(0x9b, 0x9f, { immediate: 'none', effect: 0, float: 'f64' })
set(0xa0, 0xa5, { immediate: 'none', effect: -1, float: 'f64' })
set(0xb6, 0xb6, { immediate: 'none', effect: 0, float: 'f32' })
set(0xbb, 0xbb, { immediate: 'none', effect: 0, float: 'f64' })
set(0xd0, 0xd0, { immediate: 'index', effect: 1 })
set(0xd1, 0xd1, { immediate: 'none', effect: 0 })
set(0xd2, 0xd2, { immediate: 'index', effect: 1 })

const prefixed: readonly (Instruction | undefined)[] = [
  ...Array.from({ length: 8 }, (): Instruction => ({ immediate: 'none', effect: 0 })),
  { immediate: 'indices', effect: -3, work: -3 },
  { immediate: 'index', effect: 0 },
  { immediate: 'indices', effect: -3, work: -3 },
  { immediate: 'index', effect: -3, work: -3 },
  { immediate: 'indices', effect: -3, work: 0 },
  { immediate: 'index', effect: 0 },
  { immediate: 'indices', effect: -3, work: 0 },
  { immediate: 'index', effect: -1, work: 0 },
  { immediate: 'index', effect: 1 },
  { immediate: 'index', effect: -3, work: 0 },
]

/**
 * Looks an instruction up.
 *
 * @param code - its opcode, or the number behind the prefix
 * @param prefix - does it stand behind 0xfc?
 * @returns the instruction, or undefined for one that is not taken
 */
export function instructionOf(code: number, prefix: boolean): Instruction | undefined {
  return prefix ? prefixed[code] : table.get(code)
}
