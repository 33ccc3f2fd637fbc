/**
 * The engine's own process: reads requests from standard input, answers on standard output, and knows nothing else.
 * It ends when its input ends, so it never outlives its caller.
 *
 * @module
 */
import type { TableLoad } from '../engine/engine.js'
import { QueryError } from '../errors.js'
import type { Database } from './database.js'
import { encodeFrame, frameDecoder } from './frame.js'
import type { Answer, LoadMessage, Request } from './message.js'

let database: Database | null = null
let queue: Promise<void> = Promise.resolve()
const decode = frameDecoder()

function tableOf(message: LoadMessage): TableLoad {
  if (!('parquet' in message)) return message
  const { paths, key } = message.parquet
  const parquet = key === undefined ? { paths } : { paths, key: Uint8Array.from(Buffer.from(key, 'base64')) }
  return { name: message.name, columns: message.columns, parquet }
}

async function answer(request: Request): Promise<Answer> {
  const { id } = request
  try {
    if (request.kind === 'open') {
      // Imported here, so that a missing @duckdb/node-api is an answer and not an exit.
      const { openDatabase } = await import('./database.js')
      database = await openDatabase(request)
      return { id, ok: true, rows: [] }
    }
    if (database === null) throw new QueryError('ENGINE_CLOSED', 'worker')
    if (request.kind === 'load') {
      await database.load(tableOf(request.table))
      return { id, ok: true, rows: [] }
    }
    return { id, ok: true, rows: await database.query(request.sql, request.tables) }
  } catch (error) {
    if (error instanceof QueryError) return { id, ok: false, code: error.code, place: error.place }
    return {
      id,
      ok: false,
      code: request.kind === 'open' ? 'ENGINE_UNAVAILABLE' : 'ENGINE_FAILED',
      place: request.kind,
    }
  }
}

process.stdin.on('data', (bytes: Uint8Array) => {
  for (const message of decode(bytes)) {
    queue = queue.then(async () => {
      process.stdout.write(encodeFrame(await answer(message as Request)))
    })
  }
})
process.stdin.on('end', () => process.exit(0))
