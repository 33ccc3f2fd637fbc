import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { NamedTable } from '../../schema/table-schema.js'
import { createModuleCipher } from './encrypted-module.js'
import { createEncryptedParquet, parquetColumns } from './encrypted-parquet.js'
import { parquetMagic } from './file-layout.js'
import { fileCryptoMetadata } from './file-metadata.js'
import { fileUniqueLength, openParquet, type ParquetSource } from './opened-parquet.js'
import { encodeColumnPage } from './plain-column.js'
import { parquetContributors, selectParquet } from './select-parquet.js'
import { encodeThrift } from './thrift-compact.js'

const table: NamedTable = {
  name: 'probes',
  description: 'Probes.',
  columns: { wage: { type: 'integer', description: 'd' } },
}
const columns = parquetColumns(table)
const random = (length: number) => new Uint8Array(randomBytes(length))
const [key, toKey] = [random(32), random(32)]
const page = (position: number, values: readonly number[]) => {
  const column = columns[position]
  if (column === undefined) throw new Error('there are two columns')
  return encodeColumnPage(column, values)
}

/** A file of this package's frame and key, its pages whatever they are. */
async function fileOf(groups: readonly { readonly bodies: readonly Uint8Array[]; readonly rows: number }[]) {
  const written = await createEncryptedParquet({ table, key, random })
  const parts: Uint8Array[] = []
  for (const { bodies, rows } of groups) parts.push(...(await written.encodedRowGroup(bodies, rows)))
  parts.push(await written.finish())
  return sourceOf(parts)
}
function sourceOf(parts: readonly Uint8Array[]): ParquetSource {
  const bytes = Buffer.concat(parts)
  return {
    size: bytes.length,
    read: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
  }
}
/** The same file with another footer, by whoever has its key. */
async function withFooter(source: ParquetSource, change: (footer: Uint8Array) => Uint8Array) {
  const opened = await openParquet({ source, columns: columns.length, key })
  const fileUnique = random(fileUniqueLength)
  const encrypt = await createModuleCipher({ key, fileUnique, random })
  const parts: Uint8Array[] = [parquetMagic]
  for await (const { place, plaintext } of opened.pages()) parts.push(...(await encrypt(plaintext, place)))
  const end = Buffer.concat([
    encodeThrift(fileCryptoMetadata(fileUnique)),
    ...(await encrypt(change(await opened.footer()), { type: 'footer' })),
  ])
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, end.length, true)
  return sourceOf([...parts, end, length, parquetMagic])
}
async function selected(source: ParquetSource, takes: (contributor: number) => boolean = () => true) {
  const parts: Uint8Array[] = []
  for await (const part of selectParquet({ source, table, fromKey: key, toKey, takes, random }))
    parts.push(part)
  return sourceOf(parts)
}
const people = (source: ParquetSource, of = key) =>
  parquetContributors({ source, columns: columns.length, key: of })
const damaged = expect.objectContaining({ code: 'PARQUET_READ_FAILED' })
const whole = { bodies: [page(0, [7, 8]), page(1, [70, 80])], rows: 2 }

describe('pages of which rows are taken', () => {
  test('are those of the rows that are wanted', async () => {
    const source = await fileOf([whole])
    expect(await people(source)).toEqual(new Set([7, 8]))
    expect(await people(await selected(source, (one) => one === 8), toKey)).toEqual(new Set([8]))
  })

  test.each<[string, Uint8Array]>([
    ['half a number', page(0, [7, 8]).subarray(0, 12)],
    ['a number that is none here', Uint8Array.from({ length: 16 }, () => 0x7f)],
  ])('have whole numbers of contributors: not %s', async (_, numbers) => {
    const source = await fileOf([{ bodies: [numbers, page(1, [70, 80])], rows: 2 }])
    await expect(people(source)).rejects.toEqual(damaged)
    await expect(selected(source)).rejects.toEqual(damaged)
  })

  test('are refused when another column has other rows, or the footer counts others', async () => {
    const fewer = await fileOf([{ bodies: [page(0, [7, 8]), page(1, [70])], rows: 2 }])
    await expect(selected(fewer)).rejects.toEqual(damaged)
    await expect(selected(await fileOf([{ ...whole, rows: 3 }]))).rejects.toEqual(damaged)
    await expect(selected(await fileOf([whole, { ...whole, rows: 1 }]))).rejects.toEqual(damaged)
  })

  test('are refused when the footer says less, or more, than what was written', async () => {
    const source = await fileOf([whole])
    expect(await people(await selected(await withFooter(source, (footer) => footer)), toKey)).toEqual(
      new Set([7, 8]),
    )
    const less = await withFooter(source, (footer) => footer.subarray(0, footer.length - 1))
    await expect(selected(less)).rejects.toEqual(damaged)
    const more = await withFooter(source, (footer) => Buffer.concat([footer, new Uint8Array(1)]))
    await expect(selected(more)).rejects.toEqual(damaged)
  })

  test('leave nothing of a row group of which nobody is wanted', async () => {
    const others = { bodies: [page(0, [1, 2]), page(1, [10, 20])], rows: 2 }
    const takes = (one: number) => one > 6
    const both = await selected(await fileOf([others, whole, others]), takes)
    expect(both.size).toBe((await selected(await fileOf([whole]), takes)).size)
  })
})
