import { execFile, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

/** Where Debian's package `postgresql` puts its programs; null when it is not installed. */
export function postgreSqlPrograms(): string | null {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return null
  const versions = readdirSync(root).sort((left, right) => Number(right) - Number(left))
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb'))) ?? null
}

export interface PostgreSqlServer {
  /** A connection to a database of this name, which is made when it is not there. */
  connect(database: string): Promise<pg.Client>
  stop(): Promise<void>
}

/** Starts a real server of its own: on a unix socket in a new folder, no port, removed afterwards. */
export async function startPostgreSql(programs: string): Promise<PostgreSqlServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-pg-'))
  const data = join(folder, 'data')
  const asRoot = process.getuid?.() === 0
  let user: { readonly uid: number; readonly gid: number } | null = null
  if (asRoot) {
    // PostgreSQL does not run as root; Debian's package brings a user.
    const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout)
    user = { uid: await id('-u'), gid: await id('-g') }
    chownSync(folder, user.uid, user.gid)
  }
  const environment = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }
  const options = { env: environment, cwd: folder, ...(user ?? {}) }
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'sealpool', '-A', 'trust', '-E', 'UTF8', '--no-sync'], options)
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-k', folder, '-h', '', '-c', 'fsync=off', '-c', 'shared_buffers=64MB', '-c', 'max_connections=40'],
    { ...options, stdio: 'ignore' },
  )
  const clients: pg.Client[] = []
  const connectTo = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({ host: folder, user: 'sealpool', database })
    client.on('error', () => {})
    await client.connect()
    clients.push(client)
    return client
  }
  const admin = await (async () => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await connectTo('postgres')
      } catch (error) {
        if (attempt > 200 || server.exitCode !== null) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  })()
  const databases = new Set<string>()
  return {
    async connect(database) {
      if (!databases.has(database)) {
        await admin.query(`CREATE DATABASE "${database}"`)
        databases.add(database)
      }
      return connectTo(database)
    },
    async stop() {
      await Promise.all(clients.map((client) => client.end().catch(() => {})))
      const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()))
      server.kill('SIGINT')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
