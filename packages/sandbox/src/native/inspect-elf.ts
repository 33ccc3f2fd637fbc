import { LAUNCHER_BASE, LAUNCHER_BYTES } from './launcher.js'
import { type Machine, machines } from './machine.js'

const FILE_HEADER = 64
const PROGRAM_HEADER = 56
const MOST_SEGMENTS = 64
const TYPE_EXECUTABLE = 2
const TYPE_POSITION_INDEPENDENT = 3
const LOADED = 1
const INTERPRETER = 3
const STACK = 0x6474_e551
const EXECUTE = 1
const WRITE = 2
/** Where user space ends on the machine with the most of it. */
const HIGHEST_ADDRESS = 2n ** 56n

/** What a program asks for, read from its bytes before the kernel sees it. */
interface ElfShape {
  /** Bytes of address space from its first segment to its last. */
  readonly memoryBytes: number
}

interface Segment {
  readonly type: number
  readonly flags: number
  readonly offset: bigint
  readonly address: bigint
  readonly inFile: bigint
  readonly inMemory: bigint
}

/**
 * Reads the headers of a program (System V ABI, ELF-64).
 *
 * @param bytes - any bytes
 * @param machine - that it must be for
 * @returns the shape, or undefined for what is no static program of this machine, has memory that can be both written and executed,
 *   an executable stack, or a part where the launcher is
 */
export function inspectElf(bytes: Uint8Array, machine: Machine): ElfShape | undefined {
  const segments = readSegments(bytes, machine)
  if (segments === undefined) return undefined
  const { entry, all } = segments
  const loaded = all.filter(({ type }) => type === LOADED)
  const broken = all.some(
    (segment) =>
      segment.type === INTERPRETER ||
      (segment.type === STACK && (segment.flags & EXECUTE) !== 0) ||
      (segment.type === LOADED && !isLoadable(segment, bytes.length)),
  )
  const starts = loaded.some(
    ({ flags, address, inFile }) => (flags & EXECUTE) !== 0 && entry >= address && entry < address + inFile,
  )
  if (broken || !starts) return undefined
  const [first, last] = loaded.reduce<readonly [bigint, bigint]>(
    ([low, high], { address, inMemory }) => [
      address < low ? address : low,
      address + inMemory > high ? address + inMemory : high,
    ],
    [HIGHEST_ADDRESS, 0n],
  )
  return { memoryBytes: Number(last - first) }
}

function isLoadable({ flags, offset, address, inFile, inMemory }: Segment, fileLength: number): boolean {
  const end = address + inMemory
  // Memory comes in pages of up to 64 KiB, of which the launcher's must have no part.
  const meetsLauncher = end > LAUNCHER_BASE - LAUNCHER_BYTES && address < LAUNCHER_BASE + 2n * LAUNCHER_BYTES
  return (
    (flags & (WRITE | EXECUTE)) !== (WRITE | EXECUTE) &&
    inFile <= inMemory &&
    offset + inFile <= BigInt(fileLength) &&
    end <= HIGHEST_ADDRESS &&
    !meetsLauncher
  )
}

function readSegments(
  bytes: Uint8Array,
  machine: Machine,
): { readonly entry: bigint; readonly all: readonly Segment[] } | undefined {
  if (bytes.length < FILE_HEADER) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const system = view.getUint8(7)
  const type = view.getUint16(16, true)
  const at = view.getBigUint64(32, true)
  const count = view.getUint16(56, true)
  const known =
    view.getUint32(0) === 0x7f45_4c46 &&
    // 64 bits, little-endian, version 1; of System V or Linux.
    view.getUint32(4) >>> 8 === 0x02_0101 &&
    (system === 0 || system === 3) &&
    (type === TYPE_EXECUTABLE || type === TYPE_POSITION_INDEPENDENT) &&
    view.getUint16(18, true) === machines[machine].elf &&
    view.getUint32(20, true) === 1 &&
    view.getUint16(54, true) === PROGRAM_HEADER &&
    count > 0 &&
    count <= MOST_SEGMENTS &&
    at + BigInt(count * PROGRAM_HEADER) <= BigInt(bytes.length)
  if (!known) return undefined
  const all = Array.from({ length: count }, (_, index): Segment => {
    const start = Number(at) + index * PROGRAM_HEADER
    const long = (offset: number): bigint => view.getBigUint64(start + offset, true)
    return {
      type: view.getUint32(start, true),
      flags: view.getUint32(start + 4, true),
      offset: long(8),
      address: long(16),
      inFile: long(32),
      inMemory: long(40),
    }
  })
  return { entry: view.getBigUint64(24, true), all }
}
