/**
 * Brings an encrypted Parquet file of this package under another key: module after module is opened and sealed again, so that one
 * page is in memory at a time, nothing is parsed, and every length and offset stays what it was.
 * Source: parquet-format, Encryption.md (5.1 module layout, 5.4 encrypted footer mode), and the layout that
 * {@link createEncryptedParquet} writes: one data page for each column of each row group.
 */
import { RefineError } from '../../errors.js'
import { createModuleCipher, createModuleOpener, type ModulePlace } from './encrypted-module.js'
import { fileCryptoMetadata } from './file-metadata.js'
import { encodeThrift } from './thrift-compact.js'

/** A file that is read in ranges. */
export interface ParquetSource {
  /** Bytes in all. */
  readonly size: number
  /** Reads exactly so many bytes. */
  read(offset: number, length: number): Promise<Uint8Array>
}

const magic = new TextEncoder().encode('PARE')
const fileUniqueLength = 16
/** Largest module that is taken: pages are bounded by their row groups. */
const largestModule = 1024 * 1024 * 1024

/** What stands around the file's AAD identifier, and how long it is. */
function cryptoMetadataAround(): { readonly before: Uint8Array; readonly length: number } {
  const [one, other] = [0, 255].map((byte) =>
    encodeThrift(fileCryptoMetadata(new Uint8Array(fileUniqueLength).fill(byte))),
  )
  if (one === undefined || other === undefined) throw new RangeError('two encodings were asked for')
  const start = one.findIndex((byte, index) => byte !== other[index])
  return { before: one.slice(0, start), length: one.length }
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function refused(): RefineError {
  return new RefineError(
    'PARQUET_READ_FAILED',
    'source',
    'The file is not one that this package wrote with this key, or is damaged',
  )
}

/**
 * Encrypts a file anew.
 *
 * @param options - `source`: the file; `columns`: how many it has, `contributor` included; `fromKey`, `toKey`: 32 bytes each;
 *   `random`: CSPRNG for the new AAD identifier and nonces
 * @yields the new file's bytes, as many as the old one's, in order
 * @throws RefineError with `ARGUMENT_INVALID` for a key of another length or no column, `PARQUET_READ_FAILED` when the file is
 *   damaged, not written by this package, or of another key; what was given out until then is of no use
 */
export async function* rekeyParquet(options: {
  readonly source: ParquetSource
  readonly columns: number
  readonly fromKey: Uint8Array
  readonly toKey: Uint8Array
  readonly random: (length: number) => Uint8Array
}): AsyncGenerator<Uint8Array> {
  const { source, columns, fromKey, toKey, random } = options
  if (fromKey.length !== 32 || toKey.length !== 32) {
    throw new RefineError('ARGUMENT_INVALID', 'key', 'The Parquet key must be 32 bytes')
  }
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new RefineError('ARGUMENT_INVALID', 'columns', 'A file has at least one column')
  }
  const around = cryptoMetadataAround()
  const tailLength = 4 + magic.length
  if (source.size < magic.length + around.length + tailLength) throw refused()
  const tail = await source.read(source.size - tailLength, tailLength)
  const footerLength = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true)
  const footerStart = source.size - tailLength - footerLength
  if (!same(tail.slice(4), magic) || footerStart < magic.length || footerLength <= around.length) {
    throw refused()
  }
  if (!same(await source.read(0, magic.length), magic)) throw refused()
  const metadata = await source.read(footerStart, around.length)
  const fileUnique = metadata.slice(around.before.length, around.before.length + fileUniqueLength)
  if (!same(metadata, encodeThrift(fileCryptoMetadata(fileUnique)))) throw refused()

  const open = await createModuleOpener({ key: fromKey, fileUnique })
  const newUnique = Uint8Array.from(random(fileUniqueLength))
  const encrypt = await createModuleCipher({ key: toKey, fileUnique: newUnique, random })
  const moduleAt = async (offset: number, end: number, place: ModulePlace) => {
    if (end - offset < 4) throw refused()
    const head = await source.read(offset, 4)
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true)
    if (length > largestModule || length > end - offset - 4) throw refused()
    const plaintext = await open(await source.read(offset + 4, length), place)
    if (plaintext === undefined) throw refused()
    return { next: offset + 4 + length, parts: await encrypt(plaintext, place) }
  }

  yield magic
  let offset = magic.length
  for (let index = 0; offset < footerStart; index += 1) {
    const chunk = Math.floor(index / 2)
    const rowGroup = Math.floor(chunk / columns)
    if (rowGroup > 32_767) throw refused()
    const { next, parts } = await moduleAt(offset, footerStart, {
      type: index % 2 === 0 ? 'dataPageHeader' : 'dataPage',
      rowGroup,
      column: chunk % columns,
      page: 0,
    })
    yield* parts
    offset = next
  }
  const footerEnd = footerStart + footerLength
  const footer = await moduleAt(footerStart + around.length, footerEnd, { type: 'footer' })
  if (footer.next !== footerEnd) throw refused()
  yield encodeThrift(fileCryptoMetadata(newUnique))
  yield* footer.parts
  yield tail
}
