// Worker thread of a file job: reads pieces of an export into pages. Started by piece-pool.ts, never imported.
import { parentPort, workerData } from 'node:worker_threads'
import { RefineError } from '../errors.js'
import type {
  FunctionReply,
  MappedBatch,
  MapReply,
  PieceAnswer,
  PieceRequest,
  WorkerData,
} from './piece-message.js'
import { emptyCache, readPiece } from './read-piece.js'

const data = workerData as WorkerData
const cache = emptyCache()
/** Pieces that wait for their mapping, and for their functions, by number. */
const mappings = new Map<number, (mapped: MappedBatch) => void>()
const replies = new Map<number, (results: readonly (readonly unknown[])[]) => void>()

function post(answer: PieceAnswer, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(answer, transfer)
}

parentPort?.on('message', (message: PieceRequest | FunctionReply | MapReply) => {
  if (message.kind === 'mapped') {
    mappings.get(message.number)?.(message.mapped)
    mappings.delete(message.number)
    return
  }
  if (message.kind === 'values') {
    replies.get(message.number)?.(message.results)
    replies.delete(message.number)
    return
  }
  const { number, piece, spare } = message
  for (const memory of spare) cache.pages.give(memory)
  readPiece(piece, data, cache, {
    call: (calls) =>
      new Promise((settle) => {
        replies.set(number, settle)
        post({ kind: 'call', number, calls })
      }),
    map: (batch, place) =>
      new Promise((settle) => {
        mappings.set(number, settle)
        post({ kind: 'map', number, batch, place })
      }),
  }).then(
    (result) => {
      // A buffer that two pages share is moved once.
      const buffers = new Set(
        result.tables.flatMap(({ pages, leaves }) =>
          [...pages, leaves].map(({ buffer }) => buffer as ArrayBuffer),
        ),
      )
      const memory = piece.buffer as ArrayBuffer
      post({ kind: 'done', number, memory, ...result }, [...buffers, memory])
    },
    (error: unknown) => {
      const known = error instanceof RefineError
      post({
        kind: 'fault',
        number,
        code: known ? error.code : 'MAP_FAILED',
        place: known ? error.place : 'worker',
        message: known ? error.message : 'A worker failed',
      })
    },
  )
})
