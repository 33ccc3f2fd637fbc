import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { contributorsOfParquet, rekeyEncryptedParquet, selectEncryptedParquet } from '@sealpool/refine/duckdb'
import { NodeError } from '../errors.js'
import type { TransferFiles } from '../hand-off/transfer-files.js'

/**
 * Files of transfers under `<folder>/<transfer>/<number>.parquet`.
 * @param folder of all transfers, made when absent
 */
export function transferFolder(folder: string): TransferFiles {
  const folderOf = (transfer: string): string => {
    if (!/^[0-9a-f]{1,32}(?:-\d{1,2})?$/.test(transfer)) throw new RangeError('a transfer has another name')
    return join(folder, transfer)
  }
  const pathOf = (transfer: string, file: number): string => join(folderOf(transfer), `${file}.parquet`)
  const made = async (transfer: string): Promise<void> => {
    await mkdir(folderOf(transfer), { recursive: true, mode: 0o700 })
  }
  const lost = (transfer: string, cause?: unknown): NodeError =>
    new NodeError(
      'HAND_OFF_FILES_LOST',
      `transfer ${transfer}`,
      'a file of the hand-off is gone or was cut; it begins anew',
      { cause },
    )
  return {
    clear: () => rm(folder, { recursive: true, force: true }),
    async write(transfer, file, offset, bytes) {
      await made(transfer)
      // Created when absent, never cut: chunks come in any order.
      const handle = await open(pathOf(transfer, file), 'a').then(async (created) => {
        await created.close()
        return open(pathOf(transfer, file), 'r+')
      })
      try {
        let written = 0
        while (written < bytes.length) {
          const step = await handle.write(bytes, written, bytes.length - written, offset + written)
          written += step.bytesWritten
        }
      } finally {
        await handle.close()
      }
    },
    async read(transfer, file, offset, length) {
      const bytes = new Uint8Array(length)
      const handle = await open(pathOf(transfer, file), 'r').catch((cause: unknown) => {
        throw lost(transfer, cause)
      })
      try {
        let filled = 0
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
          if (bytesRead === 0) throw lost(transfer)
          filled += bytesRead
        }
      } finally {
        await handle.close()
      }
      return bytes
    },
    async measure(transfer, file) {
      const hash = createHash('sha256')
      let bytes = 0
      try {
        for await (const part of createReadStream(pathOf(transfer, file)) as AsyncIterable<Buffer>) {
          hash.update(part)
          bytes += part.length
        }
      } catch (cause) {
        throw lost(transfer, cause)
      }
      return { bytes, digest: `sha256:${hash.digest('hex')}` }
    },
    async rekey(transfer, file, { path, columns, fromKey, toKey }) {
      await made(transfer)
      return rekeyEncryptedParquet({ from: path, columns, fromKey, to: pathOf(transfer, file), toKey })
    },
    async select(transfer, file, { path, ...source }) {
      await made(transfer)
      return selectEncryptedParquet({ from: path, to: pathOf(transfer, file), ...source })
    },
    contributors: ({ path, ...source }) => contributorsOfParquet({ from: path, ...source }),
    path: pathOf,
    remove: (transfer) => rm(folderOf(transfer), { recursive: true, force: true }),
  }
}
