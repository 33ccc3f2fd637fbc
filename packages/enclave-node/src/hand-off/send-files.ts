import { sha256Digest } from '@sealpool/crypto'
import type { TransferFile } from './leash.js'
import type { TransferState } from './serve-hand-off.js'
import { chunkBytes, chunkCount, chunkLength } from './transfer-files.js'
import type { RefusedCall, TransferLine } from './transfer-line.js'

/** Chunks on their way at a time. */
const chunksAtOnce = 4

/**
 * Sends what the other node says is missing, until nothing is or the time is over. Every chunk may be sent twice.
 * @param options `list`: the files; `read`: reads a file of the transfer; `goOn`: whether there is time for more
 * @returns how the transfer stands
 */
export async function sendFiles(options: {
  readonly line: Pick<TransferLine, 'chunk' | 'status'>
  readonly transfer: string
  readonly list: readonly TransferFile[]
  readonly state: TransferState
  readonly read: (file: number, offset: number, length: number) => Promise<Uint8Array>
  readonly goOn: () => boolean
}): Promise<TransferState | RefusedCall> {
  const { line, transfer, list, read } = options
  let { state } = options
  const send = async ([file, index]: readonly [number, number]): Promise<TransferState | RefusedCall> => {
    const of = list[file]
    // It asks for what it was not promised: its fault, and nothing is read for it.
    if (of === undefined || index >= chunkCount(of)) return { refused: 'HAND_OFF_CHUNK' }
    const bytes = await read(file, index * chunkBytes, chunkLength(of, index))
    return line.chunk({ transfer, file, index, digest: sha256Digest(bytes), bytes })
  }
  while (state.state === 'receiving' && state.missing.length > 0) {
    for (let at = 0; at < state.missing.length; at += chunksAtOnce) {
      if (!options.goOn()) return state
      const answers = await Promise.all(state.missing.slice(at, at + chunksAtOnce).map(send))
      const refused = answers.find((answer) => 'refused' in answer)
      if (refused !== undefined) return refused
    }
    const next = await line.status(transfer)
    if ('refused' in next) return next
    state = next
  }
  return state
}
