/**
 * Parquet files under Parquet Modular Encryption with an encrypted footer: schema, statistics-free metadata and pages are
 * all AES-256-GCM modules; what stays readable is the magic, the algorithm and the lengths.
 * Source: parquet-format, Encryption.md (magic `PARE`, section 5.4 encrypted footer mode).
 */
import { RefineError } from '../../errors.js'
import { contributorColumn, type NamedTable, type Row } from '../../schema/table-schema.js'
import { createModuleCipher, type Seal } from './encrypted-module.js'
import { fileLayout, parquetMagic } from './file-layout.js'
import { fileCryptoMetadata } from './file-metadata.js'
import { encodeColumnPage, type ParquetColumn } from './plain-column.js'
import { encodeThrift } from './thrift-compact.js'

/** Ordinals are 16-bit signed in the AAD. */
const largestOrdinal = 32_767

/** Makes the bytes of one file, row group after row group; concatenate what it returns. */
export interface EncryptedParquet {
  /** Bytes of the next row group. @param rows - its rows, at least one @throws RefineError `VALUE_TYPE`, `VALUE_MISSING`, `LIMIT_EXCEEDED` */
  rowGroup(rows: readonly Row[]): Promise<Uint8Array>
  /** The next row group in parts, out of page bodies in the order of the columns, as `encodeColumnPage` makes them. */
  encodedRowGroup(bodies: readonly Uint8Array[], rows: number): Promise<readonly Uint8Array[]>
  /** Bytes of the footer; the file is complete with them. */
  finish(): Promise<Uint8Array>
}

/**
 * The columns of a refined table in a file: `contributor`, then the schema's columns in order.
 *
 * @param table - the table
 * @returns its Parquet columns
 */
export function parquetColumns(table: NamedTable): ParquetColumn[] {
  return [
    { name: contributorColumn, type: 'integer', nullable: false, decimals: 0 },
    ...Object.entries(table.columns).map(([name, column]) => ({
      name,
      type: column.type,
      nullable: column.nullable === true,
      decimals: column.decimals ?? 0,
    })),
  ]
}

const lengthOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0)

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(lengthOf(parts))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Plaintext of a row group that was sealed. */
function overwrite(bodies: readonly Uint8Array[]): void {
  for (const body of bodies) body.fill(0)
}

/**
 * Starts an encrypted Parquet file.
 *
 * @param options - `table`: the table; `key`: AES-256 key, 32 bytes (the reader's footer key); `random`: CSPRNG for the
 *   file's AAD identifier and the nonces; `seal`: the platform's cipher under `key`, default WebCrypto's
 * @returns the file's encoder
 * @throws RefineError with `ARGUMENT_INVALID` when the key is not 32 bytes
 */
export async function createEncryptedParquet(options: {
  readonly table: NamedTable
  readonly key: Uint8Array
  readonly random: (length: number) => Uint8Array
  readonly seal?: Seal
}): Promise<EncryptedParquet> {
  if (options.key.length !== 32) {
    throw new RefineError('ARGUMENT_INVALID', 'key', 'The Parquet key must be 32 bytes')
  }
  const columns = parquetColumns(options.table)
  const fileUnique = Uint8Array.from(options.random(16))
  const encrypt = await createModuleCipher({ ...options, fileUnique })
  const layout = fileLayout(columns)
  let started = false

  const start = () => {
    if (started) return []
    started = true
    return [parquetMagic]
  }

  const writeGroup = async (bodies: readonly Uint8Array[], rows: number) => {
    const rowGroup = layout.count()
    const headers = layout.add(
      rows,
      bodies.map(({ length }) => length),
    )
    // At once: each is a way to the platform's threads and back, and a row group has two for every column.
    const modules = await Promise.all(
      bodies.flatMap((body, column) => {
        const place = { rowGroup, column, page: 0 }
        return [
          encrypt(headers[column] ?? new Uint8Array(), { type: 'dataPageHeader', ...place }),
          encrypt(body, { type: 'dataPage', ...place }),
        ]
      }),
    )
    return [...start(), ...modules.flat()]
  }
  const checkOrdinal = () => {
    if (layout.count() > largestOrdinal || columns.length > largestOrdinal) {
      throw new RefineError(
        'LIMIT_EXCEEDED',
        options.table.name,
        'A Parquet file holds at most 32768 row groups; write larger row groups',
      )
    }
  }

  return {
    async rowGroup(rows) {
      checkOrdinal()
      // All values are encoded before anything is counted, so that a refused row group leaves the file as it was.
      const bodies = columns.map((column) =>
        encodeColumnPage(
          column,
          rows.map((row) => row[column.name] ?? null),
        ),
      )
      return concatenate(await writeGroup(bodies, rows.length).finally(() => overwrite(bodies)))
    },

    async encodedRowGroup(bodies, rows) {
      checkOrdinal()
      if (bodies.length !== columns.length) {
        throw new RefineError('ARGUMENT_INVALID', 'bodies', 'There must be one page body per column')
      }
      return writeGroup(bodies, rows)
    },

    async finish() {
      const parts: Uint8Array[] = start()
      const cryptoMetadata = encodeThrift(fileCryptoMetadata(fileUnique))
      const footer = concatenate(await encrypt(layout.footer(), { type: 'footer' }))
      const length = new Uint8Array(4)
      new DataView(length.buffer).setUint32(0, cryptoMetadata.length + footer.length, true)
      return concatenate([...parts, cryptoMetadata, footer, length, parquetMagic])
    },
  }
}
