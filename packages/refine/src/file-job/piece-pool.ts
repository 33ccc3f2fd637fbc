import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { RefineError } from '../errors.js'
import type { PieceAnswer, PieceResult, WorkerData } from './piece-message.js'
import { emptyCache, type MapRecords, type PieceHost, readPiece } from './read-piece.js'

/** Reads pieces, several at a time where there are workers. */
export interface PieceReader {
  /** Reads a piece. @param piece - whole records; may be moved away @param map - maps its records @returns its pages */
  read(piece: Uint8Array, map: MapRecords): Promise<PieceResult>
  /** Takes the memory of a table's pages, which nobody reads any more. @param pages - as `read` gave them */
  reuse(pages: readonly Uint8Array[]): void
  /** How many pieces may be under way at once, until they are stored. */
  readonly width: number
  close(): Promise<void>
}

interface Waiting {
  readonly map: MapRecords
  readonly settle: (result: PieceResult) => void
  readonly fail: (error: unknown) => void
}

/** The buffers of pages, which share one. */
const memoriesOf = (pages: readonly Uint8Array[]) => new Set(pages.map(({ buffer }) => buffer as ArrayBuffer))

/**
 * Starts the readers of one export.
 *
 * @param data - what its pieces share
 * @param options - `workers`: threads, 0 for this one; `call`: calls functions of the refiner; `free`: gets the memory of pieces that were read
 * @returns the reader
 */
export function createPieceReader(
  data: WorkerData,
  options: { readonly workers: number; readonly free: (memory: ArrayBuffer) => void } & Pick<
    PieceHost,
    'call'
  >,
): PieceReader {
  const { workers, call, free } = options
  if (workers === 0) {
    const cache = emptyCache()
    return {
      width: 1,
      read: async (piece, map) => {
        const result = await readPiece(piece, data, cache, { call, map })
        free(piece.buffer as ArrayBuffer)
        return result
      },
      reuse: (pages) => {
        for (const memory of memoriesOf(pages)) cache.pages.give(memory)
      },
      close: async () => undefined,
    }
  }
  const entry = createRequire(import.meta.url).resolve('@sealpool/refine/piece-worker')
  let number = 0
  const threads = Array.from({ length: workers }, () => {
    const waiting = new Map<number, Waiting>()
    // No environment and no arguments, of the process that started it neither: the thread knows what it is told.
    const thread = new Worker(entry, {
      workerData: data,
      env: {},
      argv: [],
      execArgv: [],
      stdin: false,
      // What a thread makes per row is short-lived: a small nursery keeps it in the caches and the process under its bound.
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    })
    const failAll = (error: unknown) => {
      for (const { fail } of waiting.values()) fail(error)
      waiting.clear()
    }
    thread.on('error', () => failAll(new RefineError('MAP_FAILED', 'worker', 'A worker thread failed')))
    thread.on('exit', () => failAll(new RefineError('MAP_FAILED', 'worker', 'A worker thread ended')))
    thread.on('message', (answer: PieceAnswer) => {
      if (answer.kind === 'call') {
        const { number: asked, calls } = answer
        call(calls).then((results) => thread.postMessage({ kind: 'values', number: asked, results }), failAll)
        return
      }
      if (answer.kind === 'map') {
        const { number: asked, batch, place } = answer
        waiting
          .get(asked)
          ?.map(batch, place)
          .then(
            (mapped) => thread.postMessage({ kind: 'mapped', number: asked, mapped }),
            // The mapping of this piece alone: which record is told must not depend on what runs at once.
            (error: unknown) => {
              waiting.get(asked)?.fail(error)
              waiting.delete(asked)
            },
          )
        return
      }
      const one = waiting.get(answer.number)
      waiting.delete(answer.number)
      if (answer.kind === 'done') {
        free(answer.memory)
        one?.settle(answer)
      } else {
        const message = answer.message.replace(/ \(at [^)]*\)$/, '')
        one?.fail(new RefineError(answer.code, answer.place, message))
      }
    })
    return { thread, waiting }
  })
  // A piece in each thread and one behind it, and one that is being stored: no thread waits for another's.
  const width = 2 * workers + 1
  let spare: ArrayBuffer[] = []
  return {
    width,
    read: (piece, map) =>
      new Promise<PieceResult>((settle, fail) => {
        const least = threads.reduce((best, each) => (each.waiting.size < best.waiting.size ? each : best))
        number += 1
        least.waiting.set(number, { settle, fail, map })
        // Nothing else looks at a piece's memory: it is moved, not copied.
        least.thread.postMessage({ kind: 'piece', number, piece, spare }, [
          piece.buffer as ArrayBuffer,
          ...spare,
        ])
        spare = []
      }),
    reuse: (pages) => {
      for (const memory of memoriesOf(pages)) if (spare.length < width) spare.push(memory)
    },
    close: async () => {
      await Promise.all(threads.map(({ thread }) => thread.terminate()))
    },
  }
}
