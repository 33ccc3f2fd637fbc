/** A tiny assembler, so that tests need no compiler: every module here is written out by its bytes. */

/** Instructions by the names of the Core Specification's text format. */
export const op = {
  unreachable: [0x00],
  loop: [0x03, 0x40],
  end: [0x0b],
  branch: (depth: number) => [0x0c, depth],
  call: (index: number) => [0x10, index],
  drop: [0x1a],
  get: (local: number) => [0x20, local],
  i32: (value: number) => [0x41, ...signed(value)],
  i64: (value: number) => [0x42, ...signed(value)],
  store8: [0x3a, 0x00, 0x00],
  grow: [0x40, 0x00],
  i32Add: [0x6a],
  i32DivU: [0x6e],
  extend: [0xad],
  i64Or: [0x84],
  i64Shl: [0x86],
} as const

function signed(value: number): number[] {
  const bytes: number[] = []
  let left = BigInt(value)
  for (;;) {
    const byte = Number(left & 127n)
    left >>= 7n
    const last = (left === 0n && (byte & 64) === 0) || (left === -1n && (byte & 64) !== 0)
    bytes.push(last ? byte : byte | 128)
    if (last) return bytes
  }
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(Math.floor(value / 128))]
}

const section = (id: number, body: readonly number[]): number[] => [id, ...unsigned(body.length), ...body]
const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
]
const name = (text: string): number[] => {
  const bytes = [...new TextEncoder().encode(text)]
  return [...unsigned(bytes.length), ...bytes]
}

/** Returns the input as the output: its pointer in the upper half, its length in the lower. */
export const echo = [op.get(0), op.extend, op.i64(32), op.i64Shl, op.get(1), op.extend, op.i64Or].flat()

/** Returns a constant span of memory. */
export const give = (pointer: number, length: number): number[] =>
  [op.i64(pointer), op.i64(32), op.i64Shl, op.i64(length), op.i64Or].flat()

/** Puts a text at a place of the memory. */
export const write = (pointer: number, text: string): number[] =>
  [...new TextEncoder().encode(text)].flatMap((byte, index) => [
    ...op.i32(pointer + index),
    ...op.i32(byte),
    ...op.store8,
  ])

/**
 * A module whose entry `go` has this body, in base64.
 *
 * @param body instructions that leave an i64
 * @param options `memory`: flags, least and most pages as they are encoded; `allocateAt`: what `allocate` answers; `imports`,
 *   `tables`: entries as bytes; `locals`: declarations of the entry; `start`: body of a function that is called first
 */
export function wasmModule(
  body: readonly number[],
  options: {
    readonly memory?: readonly number[]
    readonly allocateAt?: number
    readonly imports?: readonly number[]
    readonly tables?: readonly number[]
    readonly exported?: string
    readonly locals?: readonly (readonly number[])[]
    readonly start?: readonly number[]
  } = {},
): string {
  const { memory = [1, 1, 4], allocateAt = 1024, exported = 'go' } = options
  const imported = options.imports === undefined ? 0 : 1
  const bytes = [
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(
      1,
      vector([
        [0x60, 1, 0x7f, 1, 0x7f],
        [0x60, 2, 0x7f, 0x7f, 1, 0x7e],
        [0x60, 0, 0],
      ]),
    ),
    ...(options.imports === undefined ? [] : section(2, vector([options.imports]))),
    ...section(3, vector([[0], [1], ...(options.start === undefined ? [] : [[2]])])),
    ...(options.tables === undefined ? [] : section(4, vector([options.tables]))),
    ...section(5, vector([memory])),
    ...section(
      7,
      vector([
        [...name('memory'), 2, 0],
        [...name('allocate'), 0, imported],
        [...name(exported), 0, imported + 1],
      ]),
    ),
    ...(options.start === undefined ? [] : section(8, unsigned(imported + 2))),
    ...section(
      10,
      vector(
        [op.i32(allocateAt), body, ...(options.start === undefined ? [] : [options.start])].map((code) => {
          const declared = code === body ? vector(options.locals ?? []) : [0]
          const function_ = [...declared, ...code, ...op.end]
          return [...unsigned(function_.length), ...function_]
        }),
      ),
    ),
  ]
  return Buffer.from(bytes).toString('base64')
}

/** An import of a function without arguments. */
export const importedFunction = [...name('env'), ...name('host'), 0, 2]
