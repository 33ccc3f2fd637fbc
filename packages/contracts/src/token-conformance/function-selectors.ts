import { type Hex, hexToBytes, toFunctionSelector } from 'viem'

const PUSH1 = 0x60
const PUSH4 = 0x63
const PUSH32 = 0x7f
const DELEGATECALL = 0xf4
const CALLCODE = 0xf2
const EQ = 0x14
const DUP1 = 0x80
const SWAP16 = 0x9f

/** What can be told from a contract's code without running it. */
export interface CodeFacts {
  /** Four-byte values that the code compares or builds with: its function selectors are among them. */
  readonly selectors: ReadonlySet<Hex>
  /** Those of them that the code compares with something for equality, as a dispatcher does; errors are not among them. */
  readonly dispatched: ReadonlySet<Hex>
  /** Whether it may run other code in its own place. */
  readonly delegates: boolean
}

/** Reads a contract's runtime code instruction by instruction; bytes inside a push are no instructions. */
export function codeFactsOf(code: Hex): CodeFacts {
  const bytes = withoutMetadata(hexToBytes(code))
  const selectors = new Set<Hex>()
  const dispatched = new Set<Hex>()
  let delegates = false
  for (let place = 0; place < bytes.length; place++) {
    const instruction = at(bytes, place)
    if (instruction === DELEGATECALL || instruction === CALLCODE) delegates = true
    if (instruction < PUSH1 || instruction > PUSH32) continue
    // A compiler writes a selector that begins with zeros as a shorter push.
    const width = instruction - PUSH1 + 1
    if (instruction <= PUSH4 && place + width < bytes.length) {
      let digits = ''
      for (let index = 1; index <= width; index++)
        digits += at(bytes, place + index)
          .toString(16)
          .padStart(2, '0')
      const value: Hex = `0x${digits.padStart(8, '0')}`
      selectors.add(value)
      let next = place + width + 1
      while (at(bytes, next) >= DUP1 && at(bytes, next) <= SWAP16) next += 1
      if (instruction === PUSH4 && bytes[next] === EQ) dispatched.add(value)
    }
    place += width
  }
  return { selectors, dispatched, delegates }
}

/** The code without the CBOR map that compilers append, whose last two bytes are its length: it is data. */
function withoutMetadata(code: Uint8Array): Uint8Array {
  const length = (at(code, code.length - 2) << 8) | at(code, code.length - 1)
  const start = code.length - 2 - length
  const isMap = start >= 0 && (at(code, start) & 0xf0) === 0xa0
  return isMap ? code.subarray(0, start) : code
}

/** A byte of code; beyond its end the machine reads zeros. */
function at(code: Uint8Array, place: number): number {
  return code[place] ?? 0
}

/** Selectors by signature. */
export function selectorsOf(signatures: readonly string[]): ReadonlyMap<Hex, string> {
  return new Map(signatures.map((signature) => [toFunctionSelector(signature), signature]))
}
