import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Expectation, Row, SqlEngine, TableLoad } from '../engine/engine.js'
import { pseudonymText } from '../engine/join-pseudonym.js'
import { requireTables } from '../engine/required-tables.js'
import { QueryError } from '../errors.js'
import { encodeFrame, frameDecoder, secretMark } from './frame.js'
import type { Answer, LoadMessage, Request } from './message.js'
import { isGuardedFolder } from './spill-folder.js'

/** Limits of the engine's process. */
export interface DuckDbEngineOptions {
  /** DuckDB's own memory limit, such as `1GB` (the default). */
  readonly memoryLimit?: string
  /**
   * Folder for what does not fit into memory; without it such a query fails. It must lie in memory (tmpfs) or on an encrypted
   * device (dm-crypt), or the engine does not start: DuckDB encrypts what it writes there, but with a key from a generator
   * that DuckDB itself calls unsafe. Prefer `slices`, which need less memory and write nothing.
   */
  readonly spillFolder?: string
  /** True accepts a `spillFolder` on a plain disk, where DuckDB's own encryption is all there is. */
  readonly spillOnPlainDisk?: boolean
  /**
   * 32 secret bytes under which contributors get other integers than the loader's: with another key for every job, a join key
   * of one job says nothing in another. Derive it from a secret, the plan and the data version, as the job's noise is where
   * that is derived: exact bounds choose groups by these integers, and a rerun with the same noise must choose the same.
   * Without it, or with null, the integers are the loader's.
   */
  readonly pseudonymKey?: Uint8Array | null
  /** In how many parts of the contributors statements are asked, 1 by default: memory falls and time rises. */
  readonly slices?: number
  /** Threads of DuckDB, 2 by default. */
  readonly threads?: number
  /** Wall-clock milliseconds for one request, 30000 by default; then the process is killed. */
  readonly timeoutMs?: number
  /**
   * Address space of the process in bytes, set by the shell's `ulimit -v`: DuckDB's limit does not hold in every
   * function. 8 GiB by default (Node maps much more than it uses); null sets none, as on systems without `/bin/sh`.
   */
  readonly addressSpaceBytes?: number | null
}

type RequestBody = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never

interface Waiting {
  readonly resolve: (rows: readonly Row[]) => void
  readonly reject: (error: QueryError) => void
  readonly timer: NodeJS.Timeout
}

/**
 * Starts DuckDB in a process of its own: no environment, no files but those that are loaded, limits on memory and
 * time, locked at the first query. After `ENGINE_TIMEOUT` or `ENGINE_CLOSED` start another one.
 *
 * @param options limits
 * @returns an engine; close it to end the process
 * @throws QueryError (from its methods) `ENGINE_UNAVAILABLE` when the worker or `@duckdb/node-api` is missing,
 *   `SPILL_FOLDER_UNGUARDED`
 */
export function createDuckDbEngine(options: DuckDbEngineOptions = {}): SqlEngine {
  const { memoryLimit = '1GB', threads = 2, timeoutMs = 30_000, addressSpaceBytes = 8 * 2 ** 30 } = options
  const { spillFolder, spillOnPlainDisk = false, slices = 1, pseudonymKey = null } = options
  const guarded = spillFolder === undefined || spillOnPlainDisk || isGuardedFolder(spillFolder)
  const child = guarded ? start(addressSpaceBytes, spillFolder !== undefined) : null
  const waiting = new Map<number, Waiting>()
  let ended: QueryError | null = null
  const loaded = new Set<string>()
  let nextId = 1

  const end = (error: QueryError): void => {
    if (ended !== null) return
    ended = error
    child?.kill('SIGKILL')
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer)
      reject(error)
    }
    waiting.clear()
  }
  const receive = (answer: Answer): void => {
    const entry = waiting.get(answer.id)
    if (entry === undefined) return
    waiting.delete(answer.id)
    clearTimeout(entry.timer)
    if (answer.ok) entry.resolve(answer.rows)
    else entry.reject(new QueryError(answer.code, answer.place))
  }
  if (!guarded) ended = new QueryError('SPILL_FOLDER_UNGUARDED', 'spillFolder')
  else if (child === null) ended = new QueryError('ENGINE_UNAVAILABLE', 'duckdb-worker')
  else {
    const decode = frameDecoder()
    child.stdout?.on('data', (bytes: Uint8Array) => {
      try {
        for (const message of decode(bytes)) receive(message as Answer)
      } catch {
        end(new QueryError('ENGINE_ANSWER_INVALID', 'duckdb-worker'))
      }
    })
    // A write to a process that has ended fails here; its end is what is reported.
    child.stdin?.on('error', () => {})
    child.on('error', () => end(new QueryError('ENGINE_UNAVAILABLE', 'duckdb-worker')))
    child.on('exit', () => end(new QueryError('ENGINE_CLOSED', 'duckdb-worker')))
  }

  const request = (body: RequestBody, secret?: Uint8Array): Promise<readonly Row[]> =>
    new Promise((resolve, reject) => {
      if (ended !== null) {
        reject(ended)
        return
      }
      const id = nextId
      nextId += 1
      const timer = setTimeout(() => end(new QueryError('ENGINE_TIMEOUT', body.kind)), timeoutMs)
      waiting.set(id, { resolve, reject, timer })
      try {
        const frame = encodeFrame({ id, ...body }, secret)
        child?.stdin?.write(frame, () => frame.fill(0))
      } catch {
        waiting.delete(id)
        clearTimeout(timer)
        reject(new QueryError(body.kind === 'load' ? 'ENGINE_LOAD_FAILED' : 'ENGINE_FAILED', body.kind))
      }
    })
  const opened = request({
    kind: 'open',
    threads,
    memoryLimit,
    spillFolder: spillFolder ?? null,
    pseudonymKey: pseudonymKey === null ? null : pseudonymText(pseudonymKey),
  })
  // Whoever calls next is told; until then nobody listens.
  opened.catch(() => {})

  return {
    dialect: 'duckdb',
    slices: Math.max(1, Math.floor(slices)),
    async load(table) {
      await opened
      const key = 'parquet' in table ? table.parquet.key : undefined
      await request({ kind: 'load', table: messageOf(table) }, key)
      loaded.add(table.name)
    },
    async query(sql: string, expectation?: Expectation) {
      await opened
      return request({ kind: 'query', sql, tables: expectation?.tables ?? null })
    },
    async ready(tables) {
      await opened
      if (ended !== null) throw ended
      requireTables(loaded, tables)
    },
    async close() {
      if (child === null || child.exitCode !== null || child.signalCode !== null) {
        end(new QueryError('ENGINE_CLOSED', 'duckdb-worker'))
        return
      }
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      end(new QueryError('ENGINE_CLOSED', 'duckdb-worker'))
      await exited
    },
  }
}

function messageOf(table: TableLoad): LoadMessage {
  if (!('parquet' in table)) return table
  const { paths, key } = table.parquet
  const parquet = key === undefined ? { paths } : { paths, key: secretMark }
  return { name: table.name, columns: table.columns, parquet }
}

/**
 * The worker is found through the package's manifest, so that it is the built one from sources, from dist and from a
 * bundle. Resolving its subpath would follow the export conditions of the running process, which under a test
 * runner name the TypeScript source.
 */
function start(addressSpaceBytes: number | null, writesFiles: boolean): ChildProcess | null {
  let worker: string
  try {
    const manifest = createRequire(import.meta.url).resolve('@sealpool/query/package.json')
    worker = join(dirname(manifest), 'dist/duckdb/worker.js')
    if (!existsSync(worker)) return null
  } catch {
    return null
  }
  const command = [process.execPath, worker]
  // No core dump, which would hold the tables; and no file of any size where nothing is to be spilled.
  const files = writesFiles ? '' : ' && ulimit -f 0'
  const limited =
    addressSpaceBytes === null
      ? command
      : [
          '/bin/sh',
          '-c',
          `ulimit -v ${Math.floor(addressSpaceBytes / 1024)} && ulimit -c 0${files} && exec "$@"`,
          'sh',
          ...command,
        ]
  const [file = process.execPath, ...parameters] = limited
  // The worker's own messages could quote data: nobody reads them.
  return spawn(file, parameters, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] })
}
