import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { NamedTable } from '../../schema/table-schema.js'
import { createEncryptedParquet, parquetColumns } from './encrypted-parquet.js'
import type { ParquetSource } from './opened-parquet.js'
import { encodeColumnPage } from './plain-column.js'
import { parquetContributors, selectParquet } from './select-parquet.js'

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
  const bytes = Buffer.concat(parts)
  const source: ParquetSource = {
    size: bytes.length,
    read: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
  }
  return source
}
async function selected(source: ParquetSource, takes: (contributor: number) => boolean = () => true) {
  const parts: Uint8Array[] = []
  for await (const part of selectParquet({ source, table, fromKey: key, toKey, takes, random }))
    parts.push(part)
  const bytes = Buffer.concat(parts)
  return {
    size: bytes.length,
    read: async (offset: number, length: number) => new Uint8Array(bytes.subarray(offset, offset + length)),
  }
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
})
