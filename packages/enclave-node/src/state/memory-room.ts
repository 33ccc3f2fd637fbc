/**
 * How much of the working database is in this process's memory; the rest lies sealed beside the state.
 * @module
 */
import { pieceBytes } from './paged-file.js'
import { PiecePool } from './piece-pool.js'
import { namelessFile, removeLeftScratch, ScratchFile } from './scratch-file.js'

/** Of one with 20,000 contributions, which has 96 MB, what the node uses again and again has room. */
export const mostMemoryBytes = 48_000_000

/**
 * A pool for the files of one database. What a kill has left of an earlier process goes now, and not only once there is no room in memory.
 * @param options `directory`: where its scratch file lies once it needs one; `random`: gives that file's key; `mostBytes`: in memory
 */
export function memoryPool(options: {
  readonly directory: string
  readonly random: (length: number) => Uint8Array
  readonly mostBytes?: number
}): PiecePool {
  const { directory, random, mostBytes = mostMemoryBytes } = options
  removeLeftScratch(directory)
  const scratch = new ScratchFile({ open: () => namelessFile(directory), pieceBytes, random })
  return new PiecePool({ mostBytes, scratch })
}
