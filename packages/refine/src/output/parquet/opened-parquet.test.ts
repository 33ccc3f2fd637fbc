import { describe, expect, test } from 'vitest'
import { createModuleCipher } from './encrypted-module.js'
import { parquetMagic } from './file-layout.js'
import { fileCryptoMetadata } from './file-metadata.js'
import { fileUniqueLength, openParquet, type ParquetSource } from './opened-parquet.js'
import { encodeThrift } from './thrift-compact.js'

const key = new Uint8Array(32)
const damaged = expect.objectContaining({ code: 'PARQUET_READ_FAILED' })
const metadata = encodeThrift(fileCryptoMetadata(new Uint8Array(fileUniqueLength)))
const u32 = (value: number) => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
/** What stands behind the pages, with so many bytes in place of the footer's module. */
const endWith = (footer: Uint8Array, magic = parquetMagic, length = metadata.length + footer.length) =>
  Buffer.concat([metadata, footer, u32(length), magic])
function sourceOf(bytes: Uint8Array): ParquetSource {
  return {
    size: bytes.length,
    read: async (offset, length) => {
      if (offset < 0 || offset + length > bytes.length) throw new Error('read beyond the file')
      return bytes.slice(offset, offset + length)
    },
  }
}
const open = (bytes: Uint8Array, columns = 1) => openParquet({ source: sourceOf(bytes), columns, key })
const passOver = async (bytes: Uint8Array) => {
  const opened = await open(bytes)
  for await (const _ of opened.pages(() => false)) throw new Error('nothing was wanted')
}
const footer = new Uint8Array(4)

describe('the frame of a file', () => {
  test('is taken as it is written', async () => {
    await passOver(Buffer.concat([parquetMagic, endWith(footer)]))
  })

  const other = new TextEncoder().encode('PAR1')
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['less than its end', new Uint8Array(5)],
    ['less than a frame', Buffer.concat([parquetMagic, endWith(footer).subarray(-12)])],
    ['another magic at the begin', Buffer.concat([other, endWith(footer)])],
    ['another magic at the end', Buffer.concat([parquetMagic, endWith(footer, other)])],
    [
      'a footer that begins before the file',
      Buffer.concat([parquetMagic, endWith(footer, parquetMagic, 200)]),
    ],
    // It would begin within the magic, with no page before it.
    [
      'a footer that begins in the magic',
      Buffer.concat([parquetMagic, endWith(footer, parquetMagic, metadata.length + footer.length + 2)]),
    ],
    ['no footer', Buffer.concat([parquetMagic, new Uint8Array(9), endWith(new Uint8Array(0))])],
    [
      'another algorithm',
      Buffer.concat([parquetMagic, endWith(footer)]).fill(0x55, parquetMagic.length, parquetMagic.length + 1),
    ],
  ])('is none of %s', async (_, bytes) => {
    await expect(open(bytes)).rejects.toEqual(damaged)
  })

  test('is none of a source that gives less than it was asked for', async () => {
    const whole = sourceOf(Buffer.concat([parquetMagic, endWith(footer)]))
    const read = async (offset: number, length: number) => whole.read(offset, offset === 0 ? 0 : length)
    await expect(openParquet({ source: { ...whole, read }, columns: 1, key })).rejects.toEqual(damaged)
  })

  test('opens with no key of another length', async () => {
    const source = sourceOf(Buffer.concat([parquetMagic, endWith(footer)]))
    for (const length of [16, 31, 33])
      await expect(openParquet({ source, columns: 1, key: new Uint8Array(length) })).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
      })
  })

  test.each([0, -1, 1.5, Number.NaN])('has no %d columns', async (columns) => {
    const bytes = Buffer.concat([parquetMagic, endWith(footer)])
    await expect(open(bytes, columns)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })
})

describe('modules of a file', () => {
  test('are of no more row groups than their places can tell apart', async () => {
    const groups = (count: number) =>
      Buffer.concat([parquetMagic, new Uint8Array(2 * 4 * count), endWith(footer)])
    await passOver(groups(32_768))
    await expect(passOver(groups(32_769))).rejects.toEqual(damaged)
  })

  test.each([
    ['half a length', new Uint8Array(3)],
    ['a length beyond the pages', u32(1)],
  ])('are not %s', async (_, pages) => {
    await expect(passOver(Buffer.concat([parquetMagic, pages, endWith(footer)]))).rejects.toEqual(damaged)
  })

  test.each([
    ['half a length', new Uint8Array(3)],
    ['a length beyond the end', u32(1)],
    ['none of this key', Buffer.concat([u32(28), new Uint8Array(28)])],
  ])('have a footer: not %s', async (_, bytes) => {
    const opened = await open(Buffer.concat([parquetMagic, endWith(bytes)]))
    await expect(opened.footer()).rejects.toEqual(damaged)
  })

  test('have nothing behind the footer', async () => {
    const fileUnique = new Uint8Array(fileUniqueLength)
    const encrypt = await createModuleCipher({ key, fileUnique, random: (length) => new Uint8Array(length) })
    const sealed = Buffer.concat(await encrypt(Uint8Array.of(1, 2), { type: 'footer' }))
    const footerOf = async (end: Uint8Array) => (await open(Buffer.concat([parquetMagic, end]))).footer()
    expect(await footerOf(endWith(sealed))).toEqual(Uint8Array.of(1, 2))
    await expect(footerOf(endWith(Buffer.concat([sealed, new Uint8Array(1)])))).rejects.toEqual(damaged)
  })

  test('are read only when they are no larger than any that is written', async () => {
    const gib = 1024 ** 3
    const end = endWith(footer)
    const size = 3 * gib
    const reads: number[] = []
    const whole = (length: number): ParquetSource => ({
      size,
      read: async (offset, count) => {
        reads.push(count)
        if (count >= gib) throw new Error('read')
        if (offset === 0) return parquetMagic.slice()
        if (offset === parquetMagic.length) return u32(length)
        const start = offset - (size - end.length)
        return Uint8Array.from(end.subarray(start, start + count))
      },
    })
    const first = async (length: number) => {
      const opened = await openParquet({ source: whole(length), columns: 1, key })
      for await (const _ of opened.pages()) return
    }
    await expect(first(gib)).rejects.toThrow('read')
    expect(reads.at(-1)).toBe(gib)
    await expect(first(gib + 1)).rejects.toEqual(damaged)
  })
})
