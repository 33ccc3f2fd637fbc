/** What the kernel tells a filter of one system call. */
export interface FilterInput {
  readonly architecture: number
  readonly number: number
  readonly instruction?: bigint
  readonly arguments?: readonly bigint[]
}

/**
 * Runs a filter of system calls as the kernel does, for the instructions that filters of this package have.
 *
 * @param filter - as it was assembled
 * @param input - the call
 * @returns what it answers
 * @throws RangeError for another instruction, a load beside the words that there are, and an end without an answer, which the kernel's
 *   own check would not have taken
 */
export function runFilter(filter: Uint8Array, input: FilterInput): number {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, input.number, true)
  data.setUint32(4, input.architecture, true)
  data.setBigUint64(8, input.instruction ?? 0n, true)
  for (const [index, value] of (input.arguments ?? []).entries())
    data.setBigUint64(16 + 8 * index, value, true)
  const view = new DataView(filter.buffer, filter.byteOffset, filter.length)
  let accumulator = 0
  for (let at = 0; at < filter.length; at += 8) {
    const [code, yes, no, k] = [
      view.getUint16(at, true),
      view.getUint8(at + 2),
      view.getUint8(at + 3),
      view.getUint32(at + 4, true),
    ]
    const jump = (holds: boolean): void => {
      at += 8 * (holds ? yes : no)
    }
    if (code === 0x06) return k
    if (code === 0x20) accumulator = loaded(data, k)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x15) jump(accumulator === k)
    else if (code === 0x35) jump(accumulator >= k)
    else if (code === 0x45) jump((accumulator & k) !== 0)
    else throw new RangeError(`no instruction ${code}`)
  }
  throw new RangeError('the filter ends without an answer')
}

function loaded(data: DataView, at: number): number {
  if (at % 4 !== 0) throw new RangeError('a load beside a word')
  return data.getUint32(at, true)
}
