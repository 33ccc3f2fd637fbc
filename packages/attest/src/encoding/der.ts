import { AttestError } from '../errors.js'
import { needBytes } from './argument.js'
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

/**
 * What the views of a node are taken from. They are made when they are asked for: a revocation list has thousands of nodes,
 * and most are looked at once or never.
 */
interface DerSource extends DerNode {
  readonly source: Uint8Array
  readonly contentStart: number
  readonly end: number
}

const views: Pick<DerNode, 'raw' | 'content'> & ThisType<DerSource> = {
  get raw(): Uint8Array {
    const { source, offset, end } = this
    return source.subarray(offset, end)
  },
  get content(): Uint8Array {
    const { source, contentStart, end } = this
    return source.subarray(contentStart, end)
  },
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
  needBytes(bytes, 'der')
  let elements = 0
  let position = 0
  const octet = (offset: number, end: number): number => {
    const value = offset < end ? bytes[offset] : undefined
    if (value === undefined) throw bad(offset, 'the input ends in the middle of an element')
    return value
  }
  /** Reads the length at `position`, and moves behind it. */
  const readLength = (offset: number, end: number): number => {
    const first = octet(offset + 1, end)
    position = offset + 2
    if (first < 0x80) return first
    const count = first & 0x7f
    if (count === 0) throw bad(offset, 'indefinite length')
    if (count > 4) throw bad(offset, 'length of more than four octets')
    let length = 0
    for (let i = 0; i < count; i += 1) length = length * 256 + octet(position + i, end)
    if (length < 0x80 || length < 256 ** (count - 1)) throw bad(offset, 'length is not minimal')
    position += count
    return length
  }
  /** Reads the element at `position`, and moves behind it. */
  const readElement = (enclosing: number, depth: number): DerNode => {
    const offset = position
    if (depth > maximumDerDepth) throw bad(offset, `nested deeper than ${maximumDerDepth}`)
    elements += 1
    if (elements > maximumDerElements) throw bad(offset, `more than ${maximumDerElements} elements`)
    const tag = octet(offset, enclosing)
    if ((tag & 0x1f) === 0x1f) throw bad(offset, 'multi-byte tags do not occur in certificates')
    const length = readLength(offset, enclosing)
    const contentStart = position
    const end = contentStart + length
    if (end > enclosing) throw bad(offset, 'the length reaches beyond the enclosing element')
    const children: DerNode[] = []
    if ((tag & 0x20) === 0) position = end
    else while (position < end) children.push(readElement(end, depth + 1))
    // Four times as quick as a literal with __proto__, and as one that makes its views at once.
    const node: { -readonly [K in keyof DerSource]: DerSource[K] } = Object.create(views)
    node.tag = tag
    node.offset = offset
    node.children = children
    node.source = bytes
    node.contentStart = contentStart
    node.end = end
    checkUniversal(node)
    return node
  }
  const node = readElement(bytes.length, 0)
  if (position !== bytes.length) throw bad(position, 'bytes are left over after the element')
  return node
}

function bad(offset: number, what: string): AttestError {
  return new AttestError('BAD_DER', `byte ${offset}`, `Not canonical DER: ${what}`)
}

/** X.690 rules for the content of universal types (sections 8 and 11). */
function checkUniversal({ tag, source, contentStart, end, offset, children }: DerSource): void {
  if ((tag & 0xc0) !== 0) return
  const number = tag & 0x1f
  const constructed = (tag & 0x20) !== 0
  if ((number === 0x10 || number === 0x11) !== constructed) {
    throw bad(offset, 'a universal type has the wrong primitive/constructed bit')
  }
  const length = end - contentStart
  const first = source[contentStart] ?? 0
  const second = source[contentStart + 1] ?? 0
  switch (tag) {
    case derTag.boolean:
      if (length !== 1 || (first !== 0x00 && first !== 0xff))
        throw bad(offset, 'a BOOLEAN is neither 00 nor FF')
      return
    case derTag.integer:
    case derTag.enumerated:
      if (length === 0) throw bad(offset, 'an INTEGER is empty')
      if (length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
        throw bad(offset, 'an INTEGER is not minimal')
      }
      return
    case derTag.bitString: {
      if (length === 0 || first > 7 || (length === 1 && first !== 0)) {
        throw bad(offset, 'a BIT STRING has a wrong count of unused bits')
      }
      const last = source[end - 1] ?? 0
      if (length > 1 && (last & ((1 << first) - 1)) !== 0) {
        throw bad(offset, 'unused bits of a BIT STRING are set')
      }
      return
    }
    case derTag.null:
      if (length !== 0) throw bad(offset, 'a NULL has content')
      return
    case derTag.objectIdentifier:
      checkObjectIdentifier(source.subarray(contentStart, end), offset)
      return
    case derTag.set:
      checkSetOrder(children, offset)
      return
    default:
      return
  }
}

/** SET OF components ascend as octet strings, the shorter padded with zeros (X.690 11.6). */
function checkSetOrder(children: readonly DerNode[], offset: number): void {
  for (let i = 1; i < children.length; i += 1) {
    const before = children[i - 1]?.raw ?? new Uint8Array()
    const after = children[i]?.raw ?? new Uint8Array()
    for (let j = 0; j < Math.max(before.length, after.length); j += 1) {
      const difference = (after[j] ?? 0) - (before[j] ?? 0)
      if (difference > 0) break
      if (difference < 0) throw bad(offset, 'the components of a SET OF are not sorted')
    }
  }
}
