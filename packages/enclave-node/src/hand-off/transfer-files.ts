import type { NamedTable } from '@sealpool/refine'
import type { TransferFile } from './leash.js'

/** Bytes of a file that travel in one call. */
export const chunkBytes = 131_072

/** @returns how many chunks a file has */
export function chunkCount({ bytes }: Pick<TransferFile, 'bytes'>): number {
  return Math.ceil(bytes / chunkBytes)
}

/** @returns length of one chunk of a file in bytes */
export function chunkLength({ bytes }: Pick<TransferFile, 'bytes'>, index: number): number {
  return Math.min(chunkBytes, bytes - index * chunkBytes)
}

/**
 * Files of transfers, all of them ciphertext, by number; the adapter on disk is `runtime/transfer-folder.ts`. A transfer's name is
 * 32 hex digits or a slot: a job's number, or one with a shard's.
 */
export interface TransferFiles {
  /** Removes whatever lies there from before. */
  clear(): Promise<void>
  /** Writes bytes at an offset; the file is made when it is not there. */
  write(transfer: string, file: number, offset: number, bytes: Uint8Array): Promise<void>
  /** @returns exactly so many bytes. @throws NodeError `HAND_OFF_FILES_LOST` when they are not there */
  read(transfer: string, file: number, offset: number, length: number): Promise<Uint8Array>
  /** @returns length and SHA-256 of what lies there. @throws NodeError `HAND_OFF_FILES_LOST` */
  measure(transfer: string, file: number): Promise<TransferFile>
  /** Copies an encrypted Parquet file under another key. @returns its length and SHA-256 */
  rekey(
    transfer: string,
    file: number,
    source: {
      readonly path: string
      readonly columns: number
      readonly fromKey: Uint8Array
      readonly toKey: Uint8Array
    },
  ): Promise<TransferFile>
  /** Copies the rows of some contributors of an encrypted Parquet file under another key. @returns its length and SHA-256 */
  select(
    transfer: string,
    file: number,
    source: {
      readonly path: string
      readonly table: NamedTable
      readonly fromKey: Uint8Array
      readonly toKey: Uint8Array
      /** Whether a contributor's rows are copied. */
      readonly takes: (contributor: number) => boolean
    },
  ): Promise<TransferFile>
  /** @returns numbers of the contributors with rows in an encrypted Parquet file, each once */
  contributors(source: {
    readonly path: string
    readonly columns: number
    readonly key: Uint8Array
  }): Promise<ReadonlySet<number>>
  /** @returns path of a file, for an engine */
  path(transfer: string, file: number): string
  /** Removes a transfer; one that is gone is no error. */
  remove(transfer: string): Promise<void>
}
