/**
 * Opens the modules of an encrypted Parquet file of this package, one at a time, in the order in which they lie.
 * Source: parquet-format, Encryption.md (5.1 module layout, 5.4 encrypted footer mode), and the layout that
 * {@link createEncryptedParquet} writes: one data page for each column of each row group.
 */
import { RefineError } from '../../errors.js'
import { createModuleOpener, type ModulePlace } from './encrypted-module.js'
import { parquetMagic } from './file-layout.js'
import { fileCryptoMetadata } from './file-metadata.js'
import { encodeThrift } from './thrift-compact.js'

/** A file that is read in ranges. */
export interface ParquetSource {
  /** Bytes in all. */
  readonly size: number
  /** Reads exactly so many bytes. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** Where a page, or its header, stands. */
export type PagePlace = Exclude<ModulePlace, { readonly type: 'footer' }>

/** A page or its header, opened. */
export interface PageModule {
  readonly place: PagePlace
  readonly plaintext: Uint8Array
}

/** A file whose frame was checked. */
export interface OpenedParquet {
  /**
   * Opens one module after the other, up to the footer.
   *
   * @param wanted - which ones are read and opened; the others are passed over
   * @throws RefineError `PARQUET_READ_FAILED`
   */
  pages(wanted?: (place: PagePlace) => boolean): AsyncGenerator<PageModule>
  /** The footer. @throws RefineError `PARQUET_READ_FAILED` */
  footer(): Promise<Uint8Array>
  /** The footer's length and the magic, as they stand at the end. */
  readonly tail: Uint8Array
}

/** Bytes of a file's AAD identifier. */
export const fileUniqueLength = 16
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

/**
 * What is said of every file that is not what it should be.
 *
 * @returns the error, to be thrown
 */
export function damagedParquet(): RefineError {
  return new RefineError(
    'PARQUET_READ_FAILED',
    'source',
    'The file is not one that this package wrote with this key, or is damaged',
  )
}

/**
 * Checks the frame of a file and makes what opens its modules.
 *
 * @param options - `source`: the file; `columns`: how many it has, `contributor` included; `key`: 32 bytes
 * @returns the file
 * @throws RefineError with `ARGUMENT_INVALID` for a key of another length or no column, `PARQUET_READ_FAILED` when the file is
 *   damaged or not written by this package; of another key it is only found to be where a module is opened
 */
export async function openParquet(options: {
  readonly source: ParquetSource
  readonly columns: number
  readonly key: Uint8Array
}): Promise<OpenedParquet> {
  const { source, columns, key } = options
  if (key.length !== 32) {
    throw new RefineError('ARGUMENT_INVALID', 'key', 'The Parquet key must be 32 bytes')
  }
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new RefineError('ARGUMENT_INVALID', 'columns', 'A file has at least one column')
  }
  const around = cryptoMetadataAround()
  const tailLength = 4 + parquetMagic.length
  if (source.size < parquetMagic.length + around.length + tailLength) throw damagedParquet()
  const tail = await source.read(source.size - tailLength, tailLength)
  const footerLength = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true)
  const footerStart = source.size - tailLength - footerLength
  if (
    !same(tail.slice(4), parquetMagic) ||
    footerStart < parquetMagic.length ||
    footerLength <= around.length
  ) {
    throw damagedParquet()
  }
  if (!same(await source.read(0, parquetMagic.length), parquetMagic)) throw damagedParquet()
  const metadata = await source.read(footerStart, around.length)
  const fileUnique = metadata.slice(around.before.length, around.before.length + fileUniqueLength)
  if (!same(metadata, encodeThrift(fileCryptoMetadata(fileUnique)))) throw damagedParquet()

  const open = await createModuleOpener({ key, fileUnique })
  const lengthAt = async (offset: number, end: number): Promise<number> => {
    const head = await source.read(offset, 4)
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true)
    // Where less than a length is left, any is too much.
    if (length > largestModule || length > end - offset - 4) throw damagedParquet()
    return length
  }
  const moduleAt = async (offset: number, length: number, place: ModulePlace): Promise<Uint8Array> => {
    const plaintext = await open(await source.read(offset + 4, length), place)
    if (plaintext === undefined) throw damagedParquet()
    return plaintext
  }

  return {
    async *pages(wanted) {
      let offset = parquetMagic.length
      for (let index = 0; offset < footerStart; index += 1) {
        const chunk = Math.floor(index / 2)
        const rowGroup = Math.floor(chunk / columns)
        if (rowGroup > 32_767) throw damagedParquet()
        const place: PagePlace = {
          type: index % 2 === 0 ? 'dataPageHeader' : 'dataPage',
          rowGroup,
          column: chunk % columns,
          page: 0,
        }
        const length = await lengthAt(offset, footerStart)
        if (wanted === undefined || wanted(place)) {
          yield { place, plaintext: await moduleAt(offset, length, place) }
        }
        offset += 4 + length
      }
    },
    async footer() {
      const end = footerStart + footerLength
      const start = footerStart + around.length
      const length = await lengthAt(start, end)
      const plaintext = await moduleAt(start, length, { type: 'footer' })
      if (start + 4 + length !== end) throw damagedParquet()
      return plaintext
    },
    tail,
  }
}
