import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BackupFile, type BackupState, readBackup, writeBackup } from './backup-file.js'

const key = new Uint8Array(32).fill(1)
const node = '0x01 on 1:0x02'
const pool = `0x${'ab'.repeat(20)}`
const bytesOf = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 255)
const state: BackupState = {
  head: { store: bytesOf(16, 1), keyId: bytesOf(16, 2), version: 7, sealed: bytesOf(300, 3) },
  sealed: Array.from({ length: 1_203 }, (_, row) => ({
    name: bytesOf(32, row),
    version: 1 + (row % 7),
    sealed: bytesOf(40 + (row % 50), row),
  })),
}
const fileOf = (name: string, content: Uint8Array): BackupFile => ({
  name,
  bytes: content.length,
  async *read() {
    for (let from = 0; from < content.length; from += 1_000) yield content.subarray(from, from + 1_000)
  },
})
const contents = {
  [`tables/${pool}/12-workers.parquet`]: bytesOf(70_000, 9),
  [`tables/${pool}/13-workers.parquet`]: new Uint8Array(),
  'audit.jsonl': bytesOf(2_345, 5),
}
const files = Object.entries(contents).map(([name, content]) => fileOf(name, content))

async function joined(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all)
}
const written = (own: Partial<Parameters<typeof writeBackup>[0]> = {}) =>
  joined(writeBackup({ header: { node, commit: 7 }, state, files, ...own }, key))
/** In pieces of another length than it was written in. */
async function* piecesOf(bytes: Uint8Array, length = 777): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length)
}
async function read(bytes: Uint8Array, own: { key?: Uint8Array; node?: string; length?: number } = {}) {
  const backup = await readBackup(piecesOf(bytes, own.length), { key, node, ...own })
  const found: Record<string, Uint8Array> = {}
  for await (const file of backup.files()) found[file.name] = Uint8Array.from(await joined(file.read()))
  await backup.finish()
  return { header: backup.header, state: backup.state, files: found }
}
const codeOf = (run: Promise<unknown>) =>
  run.then(
    () => 'accepted',
    (error: { code?: string; name: string }) => error.code ?? error.name,
  )

describe('a backup', () => {
  it('gives back what was put in, however it comes in pieces', async () => {
    const bytes = await written()
    for (const length of [13, 777, 1 << 20]) {
      expect(await read(bytes.subarray(), { length })).toEqual({
        header: { node, commit: 7 },
        state,
        files: contents,
      })
    }
  }, 60_000)

  it('of an empty state without files is one as well', async () => {
    const bytes = await written({ state: { ...state, sealed: [] }, files: [] })
    expect((await read(bytes)).state.sealed).toEqual([])
  })

  it('is refused wherever it was changed', async () => {
    const bytes = await written({ state: { ...state, sealed: state.sealed.slice(0, 3) } })
    for (let at = 0; at < bytes.length; at += at < 1_500 ? 7 : 1_009) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 4
      expect(['BACKUP_INVALID', 'STATE_OF_ANOTHER_NODE'], `byte ${at}`).toContain(await codeOf(read(changed)))
    }
  })

  it('is refused cut at any place, and with anything behind it', async () => {
    const bytes = await written({ state: { ...state, sealed: state.sealed.slice(0, 3) } })
    for (const length of [0, 1, 50, 100, 500, bytes.length - 33, bytes.length - 32, bytes.length - 1]) {
      expect(await codeOf(read(bytes.subarray(0, length))), `${length}`).toBe('BACKUP_INVALID')
    }
    expect(await codeOf(read(Buffer.concat([bytes, Buffer.from([0])])))).toBe('BACKUP_INVALID')
  })

  it('of another node, or under another key of it, is refused', async () => {
    const bytes = await written()
    expect(await codeOf(read(bytes, { node: '0x01 on 2:0x02' }))).toBe('STATE_OF_ANOTHER_NODE')
    expect(await codeOf(read(bytes, { key: new Uint8Array(32).fill(2) }))).toBe('BACKUP_INVALID')
  })

  it.each([
    '../audit.jsonl',
    'tables/../../x',
    `tables/${pool}/../x.parquet`,
    '/etc/passwd',
    'node.lock',
    `tables/${pool}/1-a/b.parquet`,
  ])('with a file named %s is refused, though its author were the node itself', async (name) => {
    const bytes = await written({ files: [fileOf(name, bytesOf(3, 1))] })
    expect(await codeOf(read(bytes))).toBe('BACKUP_INVALID')
  })

  it('is not made of a file that changes its length', async () => {
    const growing = { ...fileOf('audit.jsonl', bytesOf(10, 1)), bytes: 9 }
    expect(await codeOf(written({ files: [growing] }))).toBe('BACKUP_FAILED')
  })

  it('of any bytes is an error in bounded time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        expect(await codeOf(read(bytes))).toBe('BACKUP_INVALID')
      }),
    )
    // A length that nobody sends is not made room for.
    const header = { format: 'sealpool/node-backup', version: 1, node, commit: 1 }
    const huge = Buffer.from(`${JSON.stringify(header)}\n{"name":"state","bytes":9007199254740991}\nx`)
    expect(await codeOf(read(huge))).toBe('BACKUP_INVALID')
  })
})
