/**
 * Indexes as files, so that they outlive the process. A file holds in order: `SPINDEX`, the version (3), the kind (1 near duplicates, 2
 * rows, 3 courses), 16 bytes that tell the pool's key without giving it away, the number of entries (32 bits, little-endian), the entries, and the
 * SHA-256 of all that. It is as private as the index and is kept sealed.
 */
import {
  type Digest,
  decodeHex,
  equalBytes,
  type OpenOptions,
  openBytes,
  type Random,
  type Recipient,
  type SealContext,
  sealBytes,
  sha256Digest,
} from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { PocError } from '../errors.js'
import {
  createNearDuplicateIndex,
  NEAR_ENTRY_BYTES,
  type NearDuplicateIndex,
} from './near-duplicate-index.js'
import { createRowIndex, ROW_ENTRY_BYTES, type RowIndex } from './row-index.js'

const magic = /* @__PURE__ */ new TextEncoder().encode('SPINDEX')
/** 2: items are the same in every wrapping, so indexes of version 1 answer nothing about them. */
const VERSION = 3
const kinds = { near: 1, rows: 2, courses: 3 } as const
const CHECK_BYTES = 16
const HEAD_BYTES = magic.length + 2 + CHECK_BYTES + 4
const DIGEST_BYTES = 32
const MEDIA_TYPE = 'application/vnd.sealpool.index'

/** The file of an index. */
export interface EncodedIndex {
  readonly bytes: Uint8Array
  /** SHA-256 of the bytes: keep it where it cannot be set back, and an older file is noticed. */
  readonly digest: Digest
}

function checkOf(key: Uint8Array, kind: keyof typeof kinds): Uint8Array {
  if (key.length < 32) {
    throw new PocError('KEY_INVALID', 'key', 'a sketch key has at least 32 bytes; derive one per pool')
  }
  const domain = `sealpool/index-file/${kind}`
  const print = keyedFingerprint({ key, domain, data: new Uint8Array() })
  return decodeHex(`0x${print.slice(0, 2 * CHECK_BYTES)}`)
}

const digestBytes = (bytes: Uint8Array): Uint8Array =>
  decodeHex(`0x${sha256Digest(bytes).slice('sha256:'.length)}`)

/**
 * Makes the file of an index. The same content gives the same bytes; a row index's do not depend on the order in which it was filled.
 *
 * @param options `kind` and `index`; `key`: the pool's key that the index was filled under, at least 32 bytes
 * @returns the file, not sealed, and its digest
 * @throws PocError `KEY_INVALID`
 */
export function encodeIndex(
  options: { readonly key: Uint8Array } & (
    | { readonly kind: 'near' | 'courses'; readonly index: NearDuplicateIndex }
    | { readonly kind: 'rows'; readonly index: RowIndex }
  ),
): EncodedIndex {
  const { kind, index, key } = options
  const check = checkOf(key, kind)
  const body = index.toBytes()
  const bytes = new Uint8Array(HEAD_BYTES + body.length + DIGEST_BYTES)
  bytes.set(magic)
  bytes.set([VERSION, kinds[kind]], magic.length)
  bytes.set(check, magic.length + 2)
  new DataView(bytes.buffer).setUint32(HEAD_BYTES - 4, index.size, true)
  bytes.set(body, HEAD_BYTES)
  bytes.set(digestBytes(bytes.subarray(0, -DIGEST_BYTES)), HEAD_BYTES + body.length)
  return { bytes, digest: sha256Digest(bytes) }
}

/** The entries of a file, after everything about it was checked. */
function bodyOf(
  file: { readonly bytes: Uint8Array; readonly key: Uint8Array; readonly digest?: Digest },
  kind: keyof typeof kinds,
  entryBytes: number,
): Uint8Array {
  const { bytes, key, digest } = file
  const check = checkOf(key, kind)
  const refuse = (place: string, message: string) => new PocError('INDEX_INVALID', place, message)
  if (bytes.length < HEAD_BYTES + DIGEST_BYTES || !equalBytes(bytes.subarray(0, magic.length), magic)) {
    throw refuse('magic', 'this is no file of an index; open it with openIndex first')
  }
  if (bytes[magic.length] !== VERSION)
    throw refuse('version', `expected version ${VERSION}; build the index anew`)
  if (bytes[magic.length + 1] !== kinds[kind]) throw refuse('kind', `expected an index of kind ${kind}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = view.getUint32(HEAD_BYTES - 4, true) * entryBytes
  if (bytes.length !== HEAD_BYTES + length + DIGEST_BYTES) {
    throw refuse(
      'length',
      'the file is cut off or longer than its entries; restore it or build the index anew',
    )
  }
  const body = bytes.subarray(0, -DIGEST_BYTES)
  if (!equalBytes(bytes.subarray(-DIGEST_BYTES), digestBytes(body))) {
    throw refuse('checksum', 'the file is damaged; restore it or build the index anew')
  }
  if (digest !== undefined && sha256Digest(bytes) !== digest) {
    throw refuse('digest', 'this is not the file that was written last; restore that one')
  }
  if (!equalBytes(bytes.subarray(magic.length + 2, HEAD_BYTES - 4), check)) {
    throw refuse(
      'key',
      "the index was filled under another pool's key; give that key or build the index anew",
    )
  }
  return body.subarray(HEAD_BYTES)
}

/**
 * Reads the file of a near-duplicate index, of contents or of courses. Any bytes give an index or an error, in time and memory that grow with their length alone.
 *
 * @param file `bytes`: as {@link encodeIndex} made them; `key`: the pool's; `digest`: the file that is expected, if it is known; `kind`: `near`
 *   when absent
 * @returns the index, which answers and grows as the one that was written
 * @throws PocError `INDEX_INVALID`, `KEY_INVALID`
 */
export function decodeNearDuplicateIndex(file: {
  readonly kind?: 'near' | 'courses'
  readonly bytes: Uint8Array
  readonly key: Uint8Array
  readonly digest?: Digest
}): NearDuplicateIndex {
  return createNearDuplicateIndex({ from: bodyOf(file, file.kind ?? 'near', NEAR_ENTRY_BYTES) })
}

/**
 * Reads the file of a row index. Any bytes give an index or an error, in time and memory that grow with their length alone.
 *
 * @param file `bytes`: as {@link encodeIndex} made them; `key`: the pool's; `digest`: the file that is expected, if it is known
 * @returns the index, which answers and grows as the one that was written
 * @throws PocError `INDEX_INVALID`, `KEY_INVALID`
 */
export function decodeRowIndex(file: {
  readonly bytes: Uint8Array
  readonly key: Uint8Array
  readonly digest?: Digest
}): RowIndex {
  const from = bodyOf(file, 'rows', ROW_ENTRY_BYTES)
  try {
    return createRowIndex({ key: file.key, from })
  } catch (error) {
    if (!(error instanceof PocError)) throw error
    throw new PocError('INDEX_INVALID', 'rows', 'the rows are not those of an index; build the index anew')
  }
}

/**
 * Seals the file of an index to those who may go on with it, the pool's enclave.
 *
 * @param file as {@link encodeIndex} made it
 * @param options `recipients`; `scope`: chain, pool, policy and key epoch, which the file is bound to; `random`: for tests
 * @returns a sealed file (`sealBytes` of `@sealpool/crypto`)
 * @throws CryptoError as `sealBytes`
 */
export function sealIndex(
  file: EncodedIndex,
  options: {
    readonly recipients: readonly Recipient[]
    readonly scope: Pick<SealContext, 'chainId' | 'pool' | 'policyDigest' | 'epoch'>
    readonly random?: Random
  },
): Promise<Uint8Array> {
  const { recipients, scope, random } = options
  return sealBytes(file.bytes, { recipients, context: { ...scope, mediaType: MEDIA_TYPE }, random })
}

/**
 * Opens what {@link sealIndex} sealed. Another sealed file of the same pool, a contribution for example, is refused.
 *
 * @param sealed the sealed file
 * @param options `identities`; `expect`: fields of the context that must agree
 * @returns the file of the index, for {@link decodeNearDuplicateIndex} or {@link decodeRowIndex}
 * @throws CryptoError as `openBytes`
 */
export async function openIndex(sealed: Uint8Array, options: OpenOptions): Promise<EncodedIndex> {
  const { plaintext } = await openBytes(sealed, {
    ...options,
    expect: { ...options.expect, mediaType: MEDIA_TYPE },
  })
  return { bytes: plaintext, digest: sha256Digest(plaintext) }
}
