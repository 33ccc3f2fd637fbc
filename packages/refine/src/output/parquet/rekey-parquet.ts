/**
 * Brings an encrypted Parquet file of this package under another key: module after module is opened and sealed again, so that one
 * page is in memory at a time, nothing is parsed, and every length and offset stays what it was.
 */
import { RefineError } from '../../errors.js'
import { createModuleCipher } from './encrypted-module.js'
import { parquetMagic } from './file-layout.js'
import { fileCryptoMetadata } from './file-metadata.js'
import { fileUniqueLength, openParquet, type ParquetSource } from './opened-parquet.js'
import { encodeThrift } from './thrift-compact.js'

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
  if (toKey.length !== 32) {
    throw new RefineError('ARGUMENT_INVALID', 'key', 'The Parquet key must be 32 bytes')
  }
  const opened = await openParquet({ source, columns, key: fromKey })
  const fileUnique = Uint8Array.from(random(fileUniqueLength))
  const encrypt = await createModuleCipher({ key: toKey, fileUnique, random })
  yield parquetMagic
  for await (const { place, plaintext } of opened.pages()) yield* await encrypt(plaintext, place)
  const footer = await encrypt(await opened.footer(), { type: 'footer' })
  yield encodeThrift(fileCryptoMetadata(fileUnique))
  yield* footer
  yield opened.tail
}
