/** One element of DER (X.690): its tag, its contents, and the bytes of the whole. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

/**
 * Reads one DER element. Lengths must be minimal, as DER demands.
 *
 * @param bytes hostile bytes
 * @param at where it begins
 * @returns the element, or undefined when there is none
 */
export function readDer(bytes: Uint8Array, at = 0): DerElement | undefined {
  const tag = bytes[at]
  const first = bytes[at + 1]
  // Tags of more than one byte occur in nothing that is read here.
  if (tag === undefined || first === undefined || (tag & 31) === 31) return undefined
  let start = at + 2
  let length = first
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 4) return undefined
    length = 0
    for (let index = 0; index < count; index++) length = length * 256 + (bytes[start + index] ?? 0)
    start += count
    if (length < 0x80 || length < 256 ** (count - 1)) return undefined
  }
  if (start + length > bytes.length) return undefined
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) }
}

/**
 * Reads the elements that fill some contents.
 *
 * @param bytes contents of a constructed element
 * @returns the elements, or undefined when the bytes are not exactly a row of them
 */
export function readDerAll(bytes: Uint8Array): DerElement[] | undefined {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length; ) {
    const element = readDer(bytes, at)
    if (element === undefined || elements.length >= 1000) return undefined
    elements.push(element)
    at += element.whole.length
  }
  return elements
}

/** A non-negative INTEGER's value, undefined when it is negative, not minimal or none. */
export function derInteger(element: DerElement | undefined): bigint | undefined {
  if (element?.tag !== 0x02 || element.content.length === 0 || element.content.length > 2048) return undefined
  const [first = 0, second = 0] = element.content
  if (first >= 0x80 || (first === 0 && element.content.length > 1 && second < 0x80)) return undefined
  return bytesToInteger(element.content)
}

/** Big-endian bytes as a whole number. */
export function bytesToInteger(bytes: Uint8Array): bigint {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex === '' ? 0n : BigInt(`0x${hex}`)
}

/** OBJECT IDENTIFIER in dotted form, or undefined. */
export function derObjectId(element: DerElement | undefined): string | undefined {
  if (element?.tag !== 0x06 || element.content.length === 0 || element.content.length > 40) return undefined
  const numbers: number[] = []
  let value = 0
  for (const byte of element.content) {
    value = value * 128 + (byte & 127)
    if (value > Number.MAX_SAFE_INTEGER / 128) return undefined
    if (byte < 128) {
      numbers.push(value)
      value = 0
    }
  }
  if ((element.content.at(-1) ?? 0) >= 128) return undefined
  const [joint = 0, ...rest] = numbers
  const first = Math.min(2, Math.floor(joint / 40))
  return [first, joint - first * 40, ...rest].join('.')
}

/** Bytes of a BIT STRING without unused bits, or undefined. */
export function derBitString(element: DerElement | undefined): Uint8Array | undefined {
  return element?.tag === 0x03 && element.content[0] === 0 ? element.content.subarray(1) : undefined
}
