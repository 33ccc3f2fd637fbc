import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** DER of one element. */
const der = (tag: number, ...contents: readonly (Uint8Array | readonly number[])[]): Buffer => {
  const content = Buffer.concat(contents.map((one) => Buffer.from(one)))
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const oid = (text: string): Buffer => {
  const [a = 0, b = 0, ...rest] = text.split('.').map(Number)
  const bytes = [a * 40 + b, ...rest].flatMap((value) => {
    const groups: number[] = []
    for (let left = value; groups.length === 0 || left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left % 128) | (groups.length > 0 ? 128 : 0))
    }
    return groups
  })
  return der(0x06, bytes)
}
const name = (text: string): Buffer =>
  der(0x30, der(0x31, der(0x30, oid('2.5.4.3'), der(0x0c, Buffer.from(text)))))
const time = (text: string): Buffer => der(0x17, Buffer.from(text))
const ES256 = der(0x30, oid('1.2.840.10045.4.3.2'))

export interface Issued {
  readonly certificate: Buffer
  readonly key: KeyObject
  readonly subject: string
}

/** A certificate of ours, made byte by byte so that a test may make a wrong one. */
export function issue(options: {
  readonly subject: string
  readonly by?: Issued
  readonly authority?: boolean
  readonly usage?: string
  readonly until?: string
  readonly critical?: string
  readonly pathLength?: number
  /** Bits of the key usage, the first ones from the left. */
  readonly keyUsage?: number
}): Issued {
  const { subject, by, authority = false, usage, until = '301231235959Z', critical } = options
  const { pathLength, keyUsage } = options
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const extension = (id: string, value: Buffer, isCritical = true): Buffer =>
    der(0x30, oid(id), ...(isCritical ? [der(0x01, [0xff])] : []), der(0x04, value))
  const extensions = [
    extension(
      '2.5.29.19',
      der(
        0x30,
        ...(authority ? [der(0x01, [0xff])] : []),
        ...(pathLength === undefined ? [] : [der(0x02, [pathLength])]),
      ),
    ),
    ...(keyUsage === undefined ? [] : [extension('2.5.29.15', der(0x03, [0, keyUsage]))]),
    ...(usage === undefined ? [] : [extension('2.5.29.37', der(0x30, oid(usage)), false)]),
    ...(critical === undefined ? [] : [extension(critical, der(0x30))]),
  ]
  const body = der(
    0x30,
    der(0xa0, der(0x02, [2])),
    der(0x02, [1]),
    ES256,
    name(by?.subject ?? subject),
    der(0x30, time('260101000000Z'), time(until)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  )
  const mark = sign('sha256', body, by?.key ?? privateKey)
  return { certificate: der(0x30, body, ES256, der(0x03, [0], mark)), key: privateKey, subject }
}

/** CBOR of plain values, maps from objects and from lists of pairs. */
export function cbor(value: unknown): Buffer {
  const head = (major: number, size: number): Buffer =>
    size < 24
      ? Buffer.from([(major << 5) | size])
      : size < 256
        ? Buffer.from([(major << 5) | 24, size])
        : Buffer.from([(major << 5) | 25, size >> 8, size & 255])
  if (value === null) return Buffer.from([0xf6])
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)])
  const entries = value instanceof Map ? [...value] : Object.entries(value as object)
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, one]) => [cbor(key), cbor(one)])])
}

const box = (type: string, content: Uint8Array): Buffer => {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(content.length + 8)
  header.write(type, 4, 'latin1')
  return Buffer.concat([header, content])
}
const superbox = (kind: string, label: string, ...boxes: readonly Uint8Array[]): Buffer => {
  const description = Buffer.concat([
    Buffer.from(kind, 'latin1'),
    Buffer.alloc(12),
    Buffer.from([3]),
    Buffer.from(`${label}\0`),
  ])
  return box('jumb', Buffer.concat([box('jumd', description), ...boxes]))
}
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** What a test may get wrong on purpose. */
export interface C2paChanges {
  readonly chain?: readonly Issued[]
  readonly signer?: KeyObject
  readonly assertion?: Buffer
  readonly url?: string
  readonly binding?: 'data' | 'bmff' | 'none'
  readonly exclusions?: readonly object[]
  readonly header?: Map<number, unknown>
  /** How often each assertion is listed. */
  readonly times?: number
  /** Bytes that the signer leaves in the unprotected header, for time stamps. */
  readonly padding?: number
  /** A chunk that is put in front of the manifest (or behind it) after signing; its room comes from the padding. */
  readonly inserted?: { readonly type: string; readonly content: Uint8Array }
  readonly behind?: boolean
  /** What the picture shows. */
  readonly content?: string
}

/** What a picture's container is like: its parts before and behind the manifest, and the manifest in its framing. */
interface Container {
  readonly before: Buffer
  readonly after: Buffer
  readonly wrap: (store: Uint8Array) => Buffer
}

function png(
  pixels = 'canary pixels',
): Container & { readonly chunk: (type: string, content: Uint8Array) => Buffer } {
  const chunk = (type: string, content: Uint8Array): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(content.length)
    // The checksum is no part of what is checked here.
    return Buffer.concat([length, Buffer.from(type, 'latin1'), content, Buffer.alloc(4)])
  }
  const before = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', Buffer.alloc(13, 1))])
  const after = Buffer.concat([chunk('IDAT', Buffer.from(pixels)), chunk('IEND', Buffer.alloc(0))])
  return { before, after, wrap: (store) => chunk('caBX', store), chunk }
}

/** A segment of a JPEG; the manifest's are `APP11`, of which the second and later ones repeat the superbox's header. */
function segment(marker: number, content: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(content.length + 2, 2)
  return Buffer.concat([head, content])
}

const jpeg: Container = {
  before: Buffer.concat([Buffer.from([0xff, 0xd8]), segment(0xe0, Buffer.from('JFIF canary'))]),
  after: Buffer.from([0xff, 0xda, 0, 4, 1, 2, 0xff, 0xd9]),
  wrap: (store) => {
    const parts: Buffer[] = []
    for (let at = 0; at < store.length; at += 700) {
      const head = Buffer.from([0x4a, 0x50, 0, 1, 0, 0, 0, parts.length + 1])
      const repeated = at === 0 ? [] : [store.subarray(0, 8)]
      parts.push(segment(0xeb, Buffer.concat([head, ...repeated, store.subarray(at, at + 700)])))
    }
    return Buffer.concat(parts)
  },
}

/** A PNG whose `caBX` chunk holds a signed manifest over the rest of the file. */
export function signedPng(leaf: Issued, changes: C2paChanges = {}): Uint8Array {
  const { chunk, ...container } = png(changes.content)
  const { inserted } = changes
  return signedPicture(leaf, container, changes, inserted && chunk(inserted.type, inserted.content))
}

/** A JPEG whose APP11 segments hold one. */
export function signedJpeg(leaf: Issued, changes: C2paChanges = {}): Uint8Array {
  const { inserted } = changes
  return signedPicture(leaf, jpeg, changes, inserted && segment(0xee, inserted.content))
}

function signedPicture(
  leaf: Issued,
  { before, after, wrap }: Container,
  changes: C2paChanges,
  inserted: Uint8Array | undefined,
): Uint8Array {
  const content = sha256(Buffer.concat([before, after]))
  const { padding = 0 } = changes
  const build = (size: number, pad: number): Buffer => {
    const { binding = 'data' } = changes
    const exclusions = changes.exclusions ?? [
      { start: before.length, length: wrap(Buffer.alloc(size)).length },
    ]
    const hash = superbox(
      'cbor',
      binding === 'bmff' ? 'c2pa.hash.bmff.v2' : 'c2pa.hash.data',
      box('cbor', cbor({ exclusions, alg: 'sha256', hash: content, pad: Buffer.alloc(8) })),
    )
    const action = superbox(
      'cbor',
      'c2pa.actions',
      box('cbor', cbor({ actions: [{ action: 'c2pa.created' }] })),
    )
    const list = [action, ...(binding === 'none' ? [] : [hash])]
    const claim = cbor({
      alg: 'sha256',
      claim_generator: 'fixture',
      signature: 'self#jumbf=c2pa.signature',
      assertions: Array.from({ length: changes.times ?? 1 }, () => list).flatMap((all) =>
        all.map((one, index) => ({
          url:
            changes.url ??
            `self#jumbf=c2pa.assertions/${index === 0 ? 'c2pa.actions' : binding === 'bmff' ? 'c2pa.hash.bmff.v2' : 'c2pa.hash.data'}`,
          hash: sha256(one.subarray(8)),
        })),
      ),
    })
    const chain = (changes.chain ?? [leaf]).map((one) => one.certificate)
    const header = cbor(
      changes.header ??
        new Map<number, unknown>([
          [1, -7],
          [33, chain.length === 1 ? chain[0] : chain],
        ]),
    )
    const signed = cbor(['Signature1', header, Buffer.alloc(0), claim])
    const mark = sign('sha256', signed, { key: changes.signer ?? leaf.key, dsaEncoding: 'ieee-p1363' })
    const cose = Buffer.concat([
      Buffer.from([0xd2]),
      cbor([header, new Map([['pad', Buffer.alloc(pad)]]), null, mark]),
    ])
    const stored = changes.assertion === undefined ? list : [changes.assertion, ...list.slice(1)]
    return superbox(
      'c2pa',
      'c2pa',
      superbox(
        'c2ma',
        'urn:uuid:fixture',
        superbox('c2as', 'c2pa.assertions', ...stored),
        superbox('c2cl', 'c2pa.claim', box('cbor', claim)),
        superbox('c2cs', 'c2pa.signature', box('cbor', cose)),
      ),
    )
  }
  // The exclusion's length stands in the manifest and depends on it: three rounds settle it.
  let size = 1000
  for (let round = 0; round < 3; round++) size = build(size, padding).length
  if (inserted === undefined)
    return Uint8Array.from(Buffer.concat([before, wrap(build(size, padding)), after]))
  // Nothing that is signed depends on the padding, so whoever wants to takes room from it.
  const store = build(size, padding - inserted.length)
  const parts = changes.behind === true ? [wrap(store), inserted] : [inserted, wrap(store)]
  return Uint8Array.from(Buffer.concat([before, ...parts, after]))
}

/** Another assertion of the same label. */
export const otherActions = superbox('cbor', 'c2pa.actions', box('cbor', cbor({ actions: [] })))
