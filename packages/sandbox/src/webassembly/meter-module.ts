/**
 * Makes a module count its own steps and its own stack, and give every NaN the same bits, by rewriting its instructions: the same bytes
 * then end the same way on every machine, whatever its speed, its compiler's frames or its floating-point unit.
 */
import { type ByteCursor, byteCursor } from './byte-cursor.js'
import { type ByteWriter, byteWriter } from './byte-writer.js'
import { instructionOf } from './instructions.js'
import {
  type FunctionType,
  type ModuleDeclarations,
  readDeclarations,
  readSections,
  refused,
  takenTypes,
} from './module-sections.js'

/** Names that a metered module exports beside its own. */
export const METER = { steps: 'sealpool.steps', stack: 'sealpool.stack', start: 'sealpool.start' } as const

/** Slots of 8 bytes that a frame takes beside locals and operands. */
const FRAME_SLOTS = 16
/** The largest frame: the innermost call is not counted before it runs. */
const MOST_FRAME_SLOTS = 4_096

const i32 = 0x7f
const i64 = 0x7e
const empty = 0x40
const op = {
  unreachable: 0x00,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  branchIf: 0x0d,
  call: 0x10,
  callIndirect: 0x11,
  select: 0x1b,
  localGet: 0x20,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i64Const: 0x42,
  i32LessSigned: 0x48,
  i64LessSigned: 0x53,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i64Sub: 0x7d,
  i64Shl: 0x86,
  i64ShrUnsigned: 0x88,
  extendUnsigned: 0xad,
  prefix: 0xfc,
} as const
/** Of each kind of float: its constant, the canonical NaN (Core Specification 4.3.1), its comparison, and its place among our locals. */
const floats = {
  f32: { constant: [0x43, 0x00, 0x00, 0xc0, 0x7f], equal: 0x5b, local: 0 },
  f64: { constant: [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], equal: 0x61, local: 1 },
} as const
/** f32, f64 and i32, one each. */
const ownLocals = [1, 0x7d, 1, 0x7c, 1, i32]
const workLocal = 2

/**
 * Rewrites a module. It must be valid (`WebAssembly.validate`): what is checked there is not checked again here. What it imports is not
 * metered; that it imports nothing is the engine's to check.
 *
 * @param bytes - the module
 * @param limits - `steps`: instructions that may be taken, and work of those that take long; `stackBytes`: stack of all calls
 * @returns the metered module, which exports the counters of {@link METER} and has no start function of its own; undefined for a module
 *   with instructions that this sandbox does not take
 */
export function meterModule(
  bytes: Uint8Array,
  limits: { readonly steps: number; readonly stackBytes: number },
): Uint8Array | undefined {
  try {
    return rewrite(bytes, limits)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function rewrite(
  bytes: Uint8Array,
  limits: { readonly steps: number; readonly stackBytes: number },
): Uint8Array {
  const sections = readSections(bytes)
  const shape = readDeclarations(sections)
  const code = sections.get(10)
  const exported = sections.get(7)
  if (code === undefined || exported === undefined) throw refused()
  sections.set(6, extended(sections.get(6), counters(limits), 2))
  const starts = sections.get(8)
  const names: ByteWriter = byteWriter(64)
  const exportOne = (name: string, kind: number, index: number) => {
    const text = new TextEncoder().encode(name)
    names.whole(text.length)
    names.append(text)
    names.put(kind)
    names.whole(index)
  }
  exportOne(METER.steps, 3, shape.globals)
  exportOne(METER.stack, 3, shape.globals + 1)
  if (starts !== undefined) exportOne(METER.start, 0, byteCursor(starts).whole())
  sections.set(7, extended(exported, names.done(), starts === undefined ? 2 : 3))
  sections.delete(8)
  sections.set(10, meterCode(code, shape))
  const out = byteWriter(2 * bytes.length)
  out.append(bytes.subarray(0, 8))
  for (const id of [1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11]) {
    const body = sections.get(id)
    if (body === undefined) continue
    out.put(id)
    out.whole(body.length)
    out.append(body)
  }
  return out.done()
}

/** A vector with more entries behind its own. */
function extended(body: Uint8Array | undefined, more: Uint8Array, count: number): Uint8Array {
  const cursor = byteCursor(body ?? Uint8Array.of(0))
  const out = byteWriter(cursor.end + more.length + 5)
  out.whole(cursor.whole() + count)
  out.append(cursor.take(cursor.end - cursor.at))
  out.append(more)
  return out.done()
}

/** The two counters, which go down. */
function counters(limits: { readonly steps: number; readonly stackBytes: number }): Uint8Array {
  const out = byteWriter(32)
  const signed = (given: number) => {
    let left = BigInt(given)
    for (; left >= 64n; left >>= 7n) out.put(Number(left & 127n) | 128)
    out.put(Number(left))
  }
  out.put(i64, 1, op.i64Const)
  signed(limits.steps)
  out.put(op.end, i32, 1, op.i32Const)
  signed(Math.floor(limits.stackBytes / 8))
  out.put(op.end)
  return out.done()
}

function meterCode(body: Uint8Array, shape: ModuleDeclarations): Uint8Array {
  const cursor = byteCursor(body)
  const out = byteWriter(4 * body.length)
  const count = cursor.whole()
  out.whole(count)
  for (let index = 0; index < count; index += 1) {
    const one = cursor.take(cursor.whole())
    const type = shape.types[shape.functions[shape.importedFunctions + index] ?? -1]
    if (type === undefined) throw refused()
    const metered = meterFunction(one, type, shape)
    out.whole(metered.length)
    out.append(metered)
  }
  return out.done()
}

/** An open block: operands under it, and what its type takes and gives. */
interface Block {
  readonly base: number
  readonly parameters: number
  readonly results: number
}

function meterFunction(body: Uint8Array, type: FunctionType, shape: ModuleDeclarations): Uint8Array {
  const cursor = byteCursor(body)
  const out = byteWriter(4 * body.length + 64)
  const locals = copyLocals(cursor, out) + type.parameters
  const steps = shape.globals
  const stack = shape.globals + 1
  const blocks: Block[] = [{ base: 0, parameters: 0, results: type.results }]
  const frames: number[] = []
  let height = 0
  let highest = 0
  let cost = 0
  let charge = 0

  const trapWhen = (...condition: readonly number[]) =>
    out.put(...condition, op.if, empty, op.unreachable, op.end)
  const get = (global: number) => {
    out.put(op.globalGet)
    out.whole(global)
  }
  const put = (global: number) => {
    out.put(op.globalSet)
    out.whole(global)
  }
  const local = (code: number, own: number) => {
    out.put(code)
    out.whole(locals + own)
  }
  const checkSteps = () => {
    get(steps)
    trapWhen(op.i64Const, 0, op.i64LessSigned)
  }
  /** Instructions in a row are paid for at the first of them. */
  const beginRow = () => {
    get(steps)
    out.put(op.i64Const)
    charge = out.padded(0)
    out.put(op.i64Sub)
    put(steps)
    checkSteps()
    cost = 0
  }
  const endRow = () => out.setPadded(charge, cost)
  const move = (by: number) => {
    height += by
    highest = Math.max(highest, height)
  }
  const frame = (code: number) => {
    get(stack)
    out.put(op.i32Const)
    frames.push(out.padded(0))
    out.put(code)
    put(stack)
  }

  beginRow()
  while (blocks.length > 0) {
    const from = cursor.at
    const first = cursor.byte()
    const code = first === op.prefix ? cursor.whole() : first
    const instruction = instructionOf(code, first === op.prefix)
    if (instruction === undefined) throw refused()
    const block = instruction.immediate === 'block' ? readBlockType(cursor, shape) : undefined
    const called = skipImmediate(cursor, first, instruction.immediate, shape)
    const text = body.subarray(from, cursor.at)
    cost += 1
    if (instruction.work !== undefined) {
      local(op.localTee, workLocal)
      get(steps)
      local(op.localGet, workLocal)
      const { work } = instruction
      out.put(
        op.extendUnsigned,
        op.i64Const,
        Math.abs(work),
        work < 0 ? op.i64ShrUnsigned : op.i64Shl,
        op.i64Sub,
      )
      put(steps)
      checkSteps()
    }
    if (called !== undefined) {
      frame(op.i32Sub)
      get(stack)
      trapWhen(op.i32Const, 0, op.i32LessSigned)
      out.append(text)
      frame(op.i32Add)
      move(called.results - called.parameters - (first === op.callIndirect ? 1 : 0))
      continue
    }
    if (first === op.end || first === op.else) endRow()
    if (first === op.end) {
      const ended = blocks.pop()
      height = (ended?.base ?? 0) + (ended?.results ?? 0)
      highest = Math.max(highest, height)
    } else if (first === op.else) {
      const open = blocks.at(-1)
      height = (open?.base ?? 0) + (open?.parameters ?? 0)
    } else if (block !== undefined) {
      if (first === op.if) move(-1)
      blocks.push({ base: height - block.parameters, ...block })
    } else move(first === op.branchIf ? -1 : instruction.effect)
    if (first === op.loop || first === op.if || first === op.branchIf) endRow()
    out.append(text)
    if (instruction.float !== undefined) {
      const { constant, equal, local: own } = floats[instruction.float]
      local(op.localTee, own)
      out.put(...constant)
      local(op.localGet, own)
      local(op.localGet, own)
      out.put(equal, op.select)
      highest = Math.max(highest, height + 3)
    }
    const begins =
      first === op.loop || first === op.if || first === op.else || first === op.branchIf || first === op.end
    if (begins && blocks.length > 0) beginRow()
  }
  if (cursor.at !== cursor.end) throw refused()
  // Parameters twice: as locals, and where the caller put them.
  const slots = FRAME_SLOTS + locals + ownLocals.length / 2 + type.parameters + highest
  if (slots > MOST_FRAME_SLOTS) throw refused()
  for (const at of frames) out.setPadded(at, slots)
  return out.done()
}

/** Copies the declarations of locals with ours behind them. @returns how many there were */
function copyLocals(cursor: ByteCursor, out: ByteWriter): number {
  const groups = cursor.whole()
  out.whole(groups + ownLocals.length / 2)
  let locals = 0
  for (let group = 0; group < groups; group += 1) {
    const count = cursor.whole()
    locals += count
    out.whole(count)
    const type = cursor.byte()
    if (!takenTypes.has(type)) throw refused()
    out.put(type)
  }
  out.put(...ownLocals)
  return locals
}

function readBlockType(cursor: ByteCursor, { types }: ModuleDeclarations): FunctionType {
  const first = cursor.byte()
  if (first === empty) return { parameters: 0, results: 0 }
  // One byte from 0x40 on is a negative number: a type of values, of which one comes out.
  if (first >= 0x40 && first < 0x80) return { parameters: 0, results: 1 }
  cursor.at -= 1
  const type = types[cursor.whole()]
  if (type === undefined) throw refused()
  return type
}

/** Reads over what follows an opcode. @returns what a call takes and gives */
function skipImmediate(
  cursor: ByteCursor,
  code: number,
  immediate: string,
  shape: ModuleDeclarations,
): FunctionType | undefined {
  switch (immediate) {
    case 'index': {
      const index = cursor.whole()
      return code === op.call ? calledType(shape, shape.functions[index]) : undefined
    }
    case 'indices': {
      const index = cursor.whole()
      cursor.whole()
      return code === op.callIndirect ? calledType(shape, index) : undefined
    }
    case 'branches':
      for (let count = cursor.whole(); count >= 0; count -= 1) cursor.whole()
      return undefined
    case 'memory':
      // From 64 on the alignment says that another number follows: modules with several memories.
      if (cursor.whole() >= 64) throw refused()
      cursor.whole()
      return undefined
    case 'zero':
      if (cursor.byte() !== 0) throw refused()
      return undefined
    case 'signed':
      cursor.skipSigned()
      return undefined
    case 'four':
      cursor.take(4)
      return undefined
    case 'eight':
      cursor.take(8)
      return undefined
    case 'types':
      cursor.take(cursor.whole())
      return undefined
    default:
      return undefined
  }
}

function calledType({ types }: ModuleDeclarations, index: number | undefined): FunctionType {
  const type = types[index ?? -1]
  if (type === undefined) throw refused()
  return type
}
