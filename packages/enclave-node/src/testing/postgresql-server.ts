/**
 * A PostgreSQL server of its own from Debian's package, for tests of node groups.
 * @module
 */
import { execFileSync, spawn } from 'node:child_process'
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

/** A running server: address of a database in it, and its end. */
export interface PostgresServer {
  database(name: string): Promise<string>
  stop(): Promise<void>
}

/** Starts a server on a socket in a folder of its own. @param programs folder with `initdb` and `postgres` */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-group-'))
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
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-k', folder, '-h', '', '-c', 'fsync=off'],
    how,
  )
  const urlOf = (name: string) => `postgresql://node@/${name}?host=${encodeURIComponent(folder)}`
  const admin = async (): Promise<pg.Client> => {
    for (let attempt = 0; ; attempt++) {
      const client = new pg.Client({ connectionString: urlOf('postgres') })
      client.on('error', () => undefined)
      try {
        await client.connect()
        return client
      } catch (error) {
        if (attempt > 100 || server.exitCode !== null) throw error
        await sleep(100)
      }
    }
  }
  const client = await admin()
  return {
    async database(name) {
      await client.query(`create database "${name}"`)
      return urlOf(name)
    },
    async stop() {
      await client.end()
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGINT')
      await ended
      rmSync(folder, { recursive: true, force: true })
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
