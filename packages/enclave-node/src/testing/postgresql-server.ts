/**
 * A PostgreSQL server of its own from Debian's package, for tests of node groups.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openPostgresStore, type PostgresStore } from '../state/postgres-store.js'

/** Folder of the newest installed server's programs; undefined when there is none. */
export const postgresPrograms: string | undefined = (
  existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []
)
  .sort((a, b) => Number(b) - Number(a))
  .map((version) => `/usr/lib/postgresql/${version}/bin`)
  .find((folder) => existsSync(join(folder, 'initdb')))

/** A running server. */
export interface PostgresServer {
  /** Everything that it writes lies in here. */
  readonly folder: string
  /** Makes a database. @returns its address */
  database(name: string): Promise<string>
  /** `fast`: open transactions are rolled back, connections closed. `immediate`: as if it had crashed. */
  restart(how: 'fast' | 'immediate'): Promise<void>
  /** @param options.keep leaves the folder */
  stop(options?: { readonly keep: boolean }): Promise<void>
}

/**
 * Starts a server on a socket in a folder of its own.
 * @param programs folder with `initdb` and `postgres`
 * @param onStart told of each process of the server when it begins
 */
export async function startPostgres(
  programs: string,
  onStart: (process: ChildProcess) => void = () => undefined,
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-postgres-'))
  // The server refuses to run as root.
  const identity = (flag: string) => Number(execFileSync('id', [flag, 'postgres']))
  const user = process.getuid?.() === 0 ? { uid: identity('-u'), gid: identity('-g') } : null
  if (user !== null) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const how = {
    ...(user ?? {}),
    cwd: folder,
    stdio: 'ignore' as const,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  }
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'node', '-A', 'trust', '--no-sync'], how)
  const urlOf = (name: string) => `postgresql://node@/${name}?host=${encodeURIComponent(folder)}`
  const start = (): ChildProcess => {
    const child = spawn(
      join(programs, 'postgres'),
      ['-D', data, '-k', folder, '-h', '', '-c', 'fsync=off'],
      how,
    )
    onStart(child)
    return child
  }
  let server = start()
  const connected = async (): Promise<pg.Client> => {
    for (let attempt = 0; ; attempt++) {
      const client = new pg.Client({ connectionString: urlOf('postgres') })
      // What goes wrong is told by the call that it goes wrong in.
      client.on('error', () => undefined)
      try {
        await client.connect()
        return client
      } catch (error) {
        if (attempt > 200 || server.exitCode !== null) throw error
        await sleep(50)
      }
    }
  }
  const ask = async (text: string): Promise<void> => {
    const client = await connected()
    try {
      await client.query(text)
    } finally {
      await client.end()
    }
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill(signal)
    await ended
  }
  await ask('select 1')
  return {
    folder,
    async database(name) {
      await ask(`create database "${name}"`)
      return urlOf(name)
    },
    async restart(mode) {
      await end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
      server = start()
      await ask('select 1')
    },
    async stop({ keep } = { keep: false }) {
      await end('SIGINT')
      if (!keep) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Opens the store of a node group. */
export async function groupStore(
  connectionString: string,
  more: { readonly group?: string; readonly onStandby?: () => void } = {},
): Promise<PostgresStore> {
  return openPostgresStore({
    connect: async () => {
      const client = new pg.Client({ connectionString })
      client.on('error', () => undefined)
      await client.connect()
      return client
    },
    group: more.group ?? 'test',
    onStandby: more.onStandby ?? (() => undefined),
    pause: () => sleep(20),
  })
}
