import { AttestError } from '../errors.js'
import { checkObjectIdentifier } from './object-identifier.js'

/**
 * One element of a DER tree (X.690). All byte views alias the parsed input; nothing is copied.
 */
export interface DerNode {
  /** The identifier octet: class, constructed bit and tag number (below 31). */
  readonly tag: number
  /** Offset of the identifier octet in the parsed input. */
  readonly offset: number
  /** Identifier, length and content octets. */
  readonly raw: Uint8Array
  /** Content octets. */
  readonly content: Uint8Array
  /** The elements inside a constructed element; empty for a primitive one. */
  readonly children: readonly DerNode[]
}

/** Identifier octets of the universal types that certificates and CRLs use. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Deepest nesting accepted: certificates need fewer than ten levels. */
export const maximumDerDepth = 24

/** Most elements accepted in one input, so that memory stays proportional to a real certificate or CRL. */
export const maximumDerElements = 200_000

interface Budget {
  elements: number
}

/**
 * Parses exactly one DER element, refusing every encoding that is BER but not DER: indefinite, padded or oversized lengths,
 * long tags, non-minimal integers, booleans other than 00 and FF, unused bits that are set, unsorted SET OF, bytes left over.
 * Being canonical matters: two different byte strings must never read as the same certificate.
 *
 * @param bytes the whole encoding; not retained beyond the returned views
 * @returns the root element with its children
 * @throws AttestError `BAD_DER`; bounded depth ({@link maximumDerDepth}) and element count ({@link maximumDerElements})
 */
export function parseDer(bytes: Uint8Array): DerNode {
  const { node, next } = readElement(bytes, 0, bytes.length, 0, { elements: 0 })
  if (next !== bytes.length) throw bad(next, 'bytes are left over after the element')
  return node
}

function bad(offset: number, what: string): AttestError {
  return new AttestError('BAD_DER', `byte ${offset}`, `Not canonical DER: ${what}`)
}

function readElement(
  bytes: Uint8Array,
  offset: number,
  end: number,
  depth: number,
  budget: Budget,
): { node: DerNode; next: number } {
  if (depth > maximumDerDepth) throw bad(offset, `nested deeper than ${maximumDerDepth}`)
  budget.elements += 1
  if (budget.elements > maximumDerElements) throw bad(offset, `more than ${maximumDerElements} elements`)
  const tag = octet(bytes, offset, end)
  if ((tag & 0x1f) === 0x1f) throw bad(offset, 'multi-byte tags do not occur in certificates')
  const { length, headerLength } = readLength(bytes, offset, end)
  const contentStart = offset + headerLength
  const next = contentStart + length
  if (next > end) throw bad(offset, 'the length reaches beyond the enclosing element')
  const content = bytes.subarray(contentStart, next)
  const constructed = (tag & 0x20) !== 0
  const children: DerNode[] = []
  if (constructed) {
    let position = contentStart
    while (position < next) {
      const child = readElement(bytes, position, next, depth + 1, budget)
      children.push(child.node)
      position = child.next
    }
  }
  const node: DerNode = { tag, offset, raw: bytes.subarray(offset, next), content, children }
  checkUniversal(node)
  return { node, next }
}

function octet(bytes: Uint8Array, offset: number, end: number): number {
  const value = offset < end ? bytes[offset] : undefined
  if (value === undefined) throw bad(offset, 'the input ends in the middle of an element')
  return value
}

function readLength(bytes: Uint8Array, offset: number, end: number) {
  const first = octet(bytes, offset + 1, end)
  if (first < 0x80) return { length: first, headerLength: 2 }
  const count = first & 0x7f
  if (count === 0) throw bad(offset, 'indefinite length')
  if (count > 4) throw bad(offset, 'length of more than four octets')
  let length = 0
  for (let i = 0; i < count; i += 1) length = length * 256 + octet(bytes, offset + 2 + i, end)
  if (length < 0x80 || length < 256 ** (count - 1)) throw bad(offset, 'length is not minimal')
  return { length, headerLength: 2 + count }
}

/** X.690 rules for the content of universal types (sections 8 and 11). */
function checkUniversal(node: DerNode): void {
  const { tag, content, offset } = node
  if ((tag & 0xc0) !== 0) return
  const number = tag & 0x1f
  const constructed = (tag & 0x20) !== 0
  if ((number === 0x10 || number === 0x11) !== constructed) {
    throw bad(offset, 'a universal type has the wrong primitive/constructed bit')
  }
  switch (tag) {
    case derTag.boolean:
      if (content.length !== 1 || (content[0] !== 0x00 && content[0] !== 0xff)) {
        throw bad(offset, 'a BOOLEAN is neither 00 nor FF')
      }
      return
    case derTag.integer:
    case derTag.enumerated: {
      const [first, second] = content
      if (first === undefined) throw bad(offset, 'an INTEGER is empty')
      if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
        throw bad(offset, 'an INTEGER is not minimal')
      }
      return
    }
    case derTag.bitString: {
      const unused = content[0]
      if (unused === undefined || unused > 7 || (content.length === 1 && unused !== 0)) {
        throw bad(offset, 'a BIT STRING has a wrong count of unused bits')
      }
      const last = content[content.length - 1] ?? 0
      if (content.length > 1 && (last & ((1 << unused) - 1)) !== 0) {
        throw bad(offset, 'unused bits of a BIT STRING are set')
      }
      return
    }
    case derTag.null:
      if (content.length !== 0) throw bad(offset, 'a NULL has content')
      return
    case derTag.objectIdentifier:
      checkObjectIdentifier(content, offset)
      return
    case derTag.set:
      checkSetOrder(node)
      return
    default:
      return
  }
}

/** SET OF components ascend as octet strings, the shorter padded with zeros (X.690 11.6). */
function checkSetOrder(node: DerNode): void {
  for (let i = 1; i < node.children.length; i += 1) {
    const before = node.children[i - 1]?.raw ?? new Uint8Array()
    const after = node.children[i]?.raw ?? new Uint8Array()
    for (let j = 0; j < Math.max(before.length, after.length); j += 1) {
      const difference = (after[j] ?? 0) - (before[j] ?? 0)
      if (difference > 0) break
      if (difference < 0) throw bad(node.offset, 'the components of a SET OF are not sorted')
    }
  }
}
