import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { resolve as absolute } from 'node:path'
import { RefineError } from '../errors.js'
import { type InspectReply, type InspectRequest, inspectReply } from './worker-message.js'

/** What DuckDB found in a file. */
export interface ParquetInspection {
  readonly rows: number
  /** Names and DuckDB types in the order of the file. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

function ask(request: InspectRequest, timeoutMs: number): Promise<InspectReply> {
  const worker = createRequire(import.meta.url).resolve('@sealpool/refine/duckdb-worker')
  return new Promise((settle, fail) => {
    // An empty environment and no arguments: the child knows what stdin tells it.
    const child = spawn(process.execPath, [worker], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const parts: Buffer[] = []
    child.stdout.on('data', (part: Buffer) => parts.push(part))
    // A child that is gone before it read its request shows in its exit.
    child.stdin.on('error', () => undefined)
    child.on('error', (error) => {
      clearTimeout(timer)
      fail(error)
    })
    child.on('close', () => {
      clearTimeout(timer)
      try {
        settle(inspectReply.parse(JSON.parse(Buffer.concat(parts).toString('utf8'))))
      } catch (error) {
        fail(error)
      }
    })
    child.stdin.end(JSON.stringify(request))
  })
}

/**
 * Opens an encrypted Parquet file with a second, independent reader (DuckDB in a child process, locked down, allowed to
 * read this file's directory alone), reads every page and tells what is in it. For checking a file after it was written
 * or before it is served.
 *
 * @param options - `path`: the file; `key`: 32 bytes, given to the child over stdin; `timeoutMs`: default 60,000;
 *   `memoryLimitBytes`: DuckDB's limit, default 256 MiB
 * @returns rows and columns
 * @throws RefineError with `ARGUMENT_INVALID` for a key of another length, `PARQUET_READ_FAILED` when the key is wrong, the
 *   file is damaged or absent, or the child did not answer in time
 */
export async function inspectEncryptedParquet(options: {
  readonly path: string
  readonly key: Uint8Array
  readonly timeoutMs?: number
  readonly memoryLimitBytes?: number
}): Promise<ParquetInspection> {
  const { path, key, timeoutMs = 60_000, memoryLimitBytes = 256 * 1024 * 1024 } = options
  if (key.length !== 32) throw new RefineError('ARGUMENT_INVALID', 'key', 'The Parquet key must be 32 bytes')
  const request = { path: absolute(path), key: Buffer.from(key).toString('base64'), memoryLimitBytes }
  let reply: InspectReply
  try {
    reply = await ask(request, timeoutMs)
  } catch {
    // The cause is dropped: a spawn error lists arguments, a parse error quotes output.
    throw new RefineError(
      'PARQUET_READ_FAILED',
      'worker',
      'The reader did not answer; is @duckdb/node-api installed?',
    )
  }
  if (reply.ok) return { rows: reply.rows, columns: reply.columns }
  if (reply.failed === 'file') {
    throw new RefineError(
      'PARQUET_READ_FAILED',
      'path',
      'The file does not open with this key, or is damaged',
    )
  }
  throw new RefineError('PARQUET_READ_FAILED', `worker ${reply.failed}`, 'The reader could not start')
}
