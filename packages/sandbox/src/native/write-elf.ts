import { type Machine, machines } from './machine.js'

const FILE_HEADER = 64
const PROGRAM_HEADER = 56
const HEADERS = FILE_HEADER + 3 * PROGRAM_HEADER
/** The largest page of either machine, so that a file loads whatever pages its kernel has. */
const PAGE = 0x1_0000
const READ_EXECUTE = 5
const READ_WRITE = 6

/** Bytes of memory that a written program may change, at {@link ElfPlan.scratch}. */
export const SCRATCH_BYTES = PAGE

/** Addresses of a program that is going to be written. */
interface ElfPlan {
  /** Address of the first byte of its data; the code stands behind it. */
  readonly data: bigint
  /** Address of the memory that it may change. */
  readonly scratch: bigint
}

/**
 * Where the parts of a written program will be.
 *
 * @param base - address that it is loaded at, a multiple of 64 KiB; it takes the 64 KiB from there, and scratch memory 2 MiB above
 */
export function planElf(base: bigint): ElfPlan {
  return { data: base + BigInt(HEADERS), scratch: base + 0x20_0000n }
}

/**
 * Writes a static program as the kernel loads it (System V ABI, ELF-64): data and code in one segment that nothing writes to, and
 * memory beside it that nothing executes.
 *
 * @param options - `base`: as for {@link planElf}; `data`: what stands at the plan's `data`, padded to whole words; `code`: instructions
 * @returns the file
 * @throws RangeError when data and code do not fit into 64 KiB
 */
export function writeElf(options: {
  readonly machine: Machine
  readonly base: bigint
  readonly data: Uint8Array
  readonly code: Uint8Array
}): Uint8Array {
  const { machine, base, code } = options
  const codeAt = HEADERS + Math.ceil(options.data.length / 8) * 8
  const length = codeAt + code.length
  if (length > PAGE) throw new RangeError('data and code of a written program take at most 64 KiB')
  const file = new Uint8Array(length)
  const view = new DataView(file.buffer)
  // Magic, 64 bits, little-endian, version 1.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 2, true)
  view.setUint16(18, machines[machine].elf, true)
  view.setUint32(20, 1, true)
  view.setBigUint64(24, base + BigInt(codeAt), true)
  view.setBigUint64(32, BigInt(FILE_HEADER), true)
  view.setUint16(52, FILE_HEADER, true)
  view.setUint16(54, PROGRAM_HEADER, true)
  view.setUint16(56, 3, true)
  const segments = [
    { type: 1, flags: READ_EXECUTE, address: base, inFile: length, inMemory: length },
    { type: 1, flags: READ_WRITE, address: planElf(base).scratch, inFile: 0, inMemory: SCRATCH_BYTES },
    // PT_GNU_STACK: the stack is not executable.
    { type: 0x6474_e551, flags: READ_WRITE, address: 0n, inFile: 0, inMemory: 0 },
  ]
  for (const [index, { type, flags, address, inFile, inMemory }] of segments.entries()) {
    const at = FILE_HEADER + index * PROGRAM_HEADER
    view.setUint32(at, type, true)
    view.setUint32(at + 4, flags, true)
    view.setBigUint64(at + 16, address, true)
    view.setBigUint64(at + 24, address, true)
    view.setBigUint64(at + 32, BigInt(inFile), true)
    view.setBigUint64(at + 40, BigInt(inMemory), true)
    view.setBigUint64(at + 48, BigInt(PAGE), true)
  }
  file.set(options.data, HEADERS)
  file.set(code, codeAt)
  return file
}
