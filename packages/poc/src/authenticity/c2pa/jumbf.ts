/** A JUMBF superbox (ISO/IEC 19566-5): its label, its content boxes, and the bytes that hashed URIs cover. */
export interface Superbox {
  readonly label: string
  readonly type: string
  readonly boxes: readonly { readonly type: string; readonly content: Uint8Array }[]
  readonly superboxes: readonly Superbox[]
  /** Contents without the superbox's own header: what a hashed URI hashes. */
  readonly hashed: Uint8Array
}

const DEEPEST = 8
const MOST_BOXES = 2000
const LONGEST_LABEL = 1024

/**
 * Reads JUMBF boxes.
 *
 * @param bytes hostile bytes that begin with a superbox
 * @returns the first superbox, or undefined when the boxes do not nest
 */
export function readJumbf(bytes: Uint8Array): Superbox | undefined {
  const budget = { left: MOST_BOXES }
  const first = readBox(bytes, 0)
  return first?.type === 'jumb' ? readSuperbox(first.content, 0, budget) : undefined
}

interface Box {
  readonly type: string
  readonly content: Uint8Array
  readonly size: number
}

function readBox(bytes: Uint8Array, at: number): Box | undefined {
  if (bytes.length - at < 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at)
  const length = view.getUint32(0)
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
  let header = 8
  let size = length
  if (length === 0) size = bytes.length - at
  else if (length === 1) {
    if (view.byteLength < 16 || view.getUint32(8) !== 0) return undefined
    header = 16
    size = view.getUint32(12)
  }
  if (size < header || size > bytes.length - at) return undefined
  return { type, content: bytes.subarray(at + header, at + size), size }
}

function readSuperbox(bytes: Uint8Array, depth: number, budget: { left: number }): Superbox | undefined {
  if (depth > DEEPEST) return undefined
  const boxes: Box[] = []
  for (let at = 0; at < bytes.length; ) {
    const box = readBox(bytes, at)
    if (box === undefined || budget.left-- <= 0) return undefined
    boxes.push(box)
    at += box.size
  }
  const [description, ...rest] = boxes
  if (description?.type !== 'jumd' || description.content.length < 18) return undefined
  const toggles = description.content[16] ?? 0
  const end = description.content.indexOf(0, 17)
  // Bit 1: a label is there. Everything that C2PA refers to has one.
  if ((toggles & 2) === 0 || end === -1 || end - 17 > LONGEST_LABEL) return undefined
  const superboxes: Superbox[] = []
  for (const box of rest.filter(({ type }) => type === 'jumb')) {
    const inner = readSuperbox(box.content, depth + 1, budget)
    if (inner === undefined) return undefined
    superboxes.push(inner)
  }
  return {
    label: String.fromCharCode(...description.content.subarray(17, end)),
    type: String.fromCharCode(...description.content.subarray(0, 4)),
    boxes: rest.filter(({ type }) => type !== 'jumb'),
    superboxes,
    hashed: bytes,
  }
}

/** A superbox by its path of labels. */
export function findBox(box: Superbox | undefined, path: readonly string[]): Superbox | undefined {
  let current = box
  for (const label of path) current = current?.superboxes.find((one) => one.label === label)
  return current
}

/** Where a file holds its manifest. */
export interface ManifestStore {
  readonly bytes: Uint8Array
  /** First byte of the chunk or of the first segment that holds it, framing included. */
  readonly start: number
  /** First byte behind it. */
  readonly end: number
}

/**
 * Finds the manifest store in a file: the file itself (`.c2pa`), the `caBX` chunk of a PNG, or the APP11 segments of a JPEG, which
 * must follow each other without anything between them.
 *
 * @param bytes hostile file
 * @returns the store's bytes and its place, or undefined when there is none
 */
export function findManifestStore(bytes: Uint8Array): ManifestStore | undefined {
  if (isType(bytes, 4, 'jumb')) return { bytes, start: 0, end: bytes.length }
  if (isType(bytes, 1, 'PNG\r\n')) return fromPng(bytes)
  return bytes[0] === 0xff && bytes[1] === 0xd8 ? fromJpeg(bytes) : undefined
}

function isType(bytes: Uint8Array, at: number, text: string): boolean {
  return String.fromCharCode(...bytes.subarray(at, at + text.length)) === text
}

function fromPng(bytes: Uint8Array): ManifestStore | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let found: ManifestStore | undefined
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    if (length > bytes.length - at - 12) return undefined
    if (isType(bytes, at + 4, 'caBX')) {
      // Two stores would leave it open which of them counts.
      if (found !== undefined) return undefined
      found = { bytes: bytes.subarray(at + 8, at + 8 + length), start: at, end: at + 12 + length }
    }
    at += 12 + length
  }
  return found
}

function fromJpeg(bytes: Uint8Array): ManifestStore | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const parts: Uint8Array[] = []
  let instance: number | undefined
  let start = 0
  let end = 0
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
    const length = view.getUint16(at + 2)
    if (length < 2 || at + 2 + length > bytes.length) return undefined
    if (bytes[at + 1] === 0xeb && length >= 18 && isType(bytes, at + 4, 'JP')) {
      const own = view.getUint16(at + 6)
      const sequence = view.getUint32(at + 8)
      instance ??= own
      if (own !== instance || sequence !== parts.length + 1) return undefined
      if (parts.length === 0) start = at
      else if (at !== end) return undefined
      end = at + 2 + length
      // Later segments repeat the superbox's header, which stands there once.
      parts.push(bytes.subarray(at + 12 + (parts.length === 0 ? 0 : 8), at + 2 + length))
    }
    at += 2 + length
  }
  if (parts.length === 0) return undefined
  const store = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    store.set(part, at)
    at += part.length
  }
  return { bytes: store, start, end }
}
