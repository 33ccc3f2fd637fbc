/**
 * Programs for a pool: code of somebody else's that its members vote for, and that its node runs on blocks of contributors.
 * @module
 */
import { type Digest, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import type { BlobStore } from '../store/blob-store.js'

/** What a program is written for: a script, a module of WebAssembly, Python, or a static program for Linux. */
export const programRuntimes = ['quickjs', 'webassembly', 'pyodide', 'native'] as const

/** One of them. */
export type ProgramRuntime = (typeof programRuntimes)[number]

/** Largest program that a node fetches, in bytes. */
export const maximumProgramBytes = 8 * 1024 * 1024

/** A program that a pool's node can fetch. */
export interface StoredProgram {
  readonly runtime: ProgramRuntime
  /** Which of its functions is called. */
  readonly entry: string
  /** Digest of its bytes, for `code` of the parameters. */
  readonly code: Digest
  /** Digest of bytes, runtime and entry together: what policies list, and what votes, permits and receipts name as the job's code. */
  readonly program: Digest
}

/**
 * Puts a program where the pool's node looks for it.
 *
 * @param options - the program
 * @param options.blobStore of the pool
 * @param options.bytes UTF-8 text for `quickjs` and `pyodide`, the binary itself for `webassembly` and `native`
 * @param options.runtime what it is written for
 * @param options.entry which function is called; default `main`
 * @returns its digests
 * @throws ClientError `OPTION_INVALID`; BlobStoreError
 */
export async function storeProgram(options: {
  readonly blobStore: Pick<BlobStore, 'put'>
  readonly bytes: Uint8Array
  readonly runtime: ProgramRuntime
  readonly entry?: string
}): Promise<StoredProgram> {
  const { blobStore, bytes, runtime, entry = 'main' } = options
  if (bytes.length === 0 || bytes.length > maximumProgramBytes)
    throw new ClientError('OPTION_INVALID', 'bytes', 'expected a program of 1 byte to 8 MiB')
  if (!programRuntimes.includes(runtime))
    throw new ClientError('OPTION_INVALID', 'runtime', `expected ${programRuntimes.join(', ')}`)
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(entry))
    throw new ClientError('OPTION_INVALID', 'entry', 'expected the name of a function')
  const { digest: code } = await blobStore.put(bytes)
  const program = digestOf({ format: 'sealpool/program', version: 1, runtime, entry, code })
  return { runtime, entry, code, program }
}

/** Bounds to begin with: some seconds for one run, and steps that are used up before. */
const stepsOf: Readonly<Partial<Record<ProgramRuntime, number>>> = {
  quickjs: 50_000_000,
  webassembly: 500_000_000,
}

/**
 * Parameters of a job to begin with: of the pool's first table that programs may read every column that it lets anybody use, twenty blocks, and
 * one output from 0 to 1. Edit what the program reads, what it gives and how long it may take before you propose it.
 *
 * @param stored - the program
 * @param policy - the pool's
 * @returns parameters of the computation `program`
 * @throws ClientError `OPTION_INVALID` for a policy without a table that programs may read: one without rules on its rows, with a column of some use
 */
export function programParameters(stored: StoredProgram, policy: JsonObject): JsonObject {
  const { runtime, entry, code } = stored
  const [table] = listOf(policy['tables']).flatMap(readableTable)
  if (table === undefined) {
    throw new ClientError(
      'OPTION_INVALID',
      'policy',
      'expected a pool’s policy with a table that programs may read: without rules on its rows, and with a column of some use; ask another pool',
    )
  }
  const steps = stepsOf[runtime]
  return {
    runtime,
    code,
    entry,
    tables: [table],
    argument: null,
    split: { kind: 'blocks', blocks: 20 },
    outputs: [{ name: 'value', min: 0, max: 1 }],
    limits: { memoryBytes: 67_108_864, timeMs: 5_000, ...(steps === undefined ? {} : { steps }) },
  }
}

/** What a program may read of a table of a policy, as parameters name it; none where the pool would refuse all of it. */
function readableTable(value: JsonValue): readonly JsonObject[] {
  const table = objectOf(value)
  if (table === undefined || table['rows'] !== undefined) return []
  const columns = listOf(table['columns']).flatMap((given) => {
    const column = objectOf(given)
    return listOf(column?.['use']).length === 0 ? [] : (column?.['name'] ?? [])
  })
  if (columns.length === 0) return []
  return [{ table: table['name'] ?? null, columns, rows: table['rowsPerContributor'] ?? 1 }]
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : []
}

function objectOf(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined
}
