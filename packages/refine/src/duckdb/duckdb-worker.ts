/**
 * Child process that opens one encrypted Parquet file with a locked DuckDB, reads all of it (so every module's tag is
 * checked) and tells its columns and row count. Request over stdin, reply over stdout.
 */
import { dirname } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type InspectReply, type InspectRequest, inspectRequest } from './worker-message.js'

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`

async function readStdin(): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

async function connect(request: InspectRequest) {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: `${request.memoryLimitBytes}B`,
    // From the first moment on: what does not fit into memory must not be spilled to a disk in the clear.
    temp_directory: '',
    max_temp_directory_size: '0KB',
  })
  const connection = await instance.connect()
  for (const statement of [
    'SET autoinstall_known_extensions = false',
    'SET autoload_known_extensions = false',
    'SET allow_community_extensions = false',
    'SET allow_persistent_secrets = false',
    "SET temp_directory = ''",
    'SET enable_logging = false',
    'SET enable_external_file_cache = false',
    `PRAGMA add_parquet_key('file', ${quote(request.key)})`,
    `SET allowed_directories = [${quote(dirname(request.path))}]`,
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ]) {
    await connection.run(statement)
  }
  return connection
}

async function inspect(request: InspectRequest): Promise<InspectReply> {
  let connection: Awaited<ReturnType<typeof connect>>
  try {
    connection = await connect(request)
  } catch {
    return { ok: false, failed: 'engine' }
  }
  const source = `read_parquet(${quote(request.path)}, encryption_config = {footer_key: 'file'})`
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)
    const columns = described
      .getRowsJson()
      .map(([name, type]) => ({ name: String(name), type: String(type) }))
    // Counting each column reads its pages; count(*) alone would answer from the footer.
    const counts = columns.map(({ name }) => `count("${name.replaceAll('"', '""')}")`)
    const counted = await connection.runAndReadAll(`SELECT count(*), ${counts.join(', ')} FROM ${source}`)
    return { ok: true, rows: Number(counted.getRowsJson()[0]?.[0]), columns }
  } catch {
    return { ok: false, failed: 'file' }
  }
}

async function main(): Promise<void> {
  let request: InspectRequest | undefined
  try {
    request = inspectRequest.parse(JSON.parse(await readStdin()))
  } catch {
    request = undefined
  }
  const reply: InspectReply =
    request === undefined ? { ok: false, failed: 'request' } : await inspect(request)
  process.stdout.write(JSON.stringify(reply), () => process.exit(0))
}

await main()
