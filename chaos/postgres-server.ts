/** A PostgreSQL server of its own (Debian's programs), that can be restarted. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { postgresPrograms } from '../packages/enclave-node/src/testing/postgresql-server.js'
import { track } from './process-list.js'

/** A running server. */
export interface RestartablePostgres {
  readonly url: string
  readonly folder: string
  /** `fast`: open transactions are rolled back, connections closed. `immediate`: as if it had crashed. */
  restart(how: 'fast' | 'immediate'): Promise<void>
  stop(): Promise<void>
}

/** @returns a server with an empty database, or undefined where PostgreSQL is not installed */
export async function startPostgresServer(): Promise<RestartablePostgres | undefined> {
  const programs = postgresPrograms
  if (programs === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
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
  const start = (): ChildProcess =>
    track(spawn(join(programs, 'postgres'), ['-D', data, '-k', folder, '-h', '', '-c', 'fsync=off'], how))
  const ask = async (database: string, text: string): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      const client = new pg.Client({ connectionString: urlOf(database) })
      client.on('error', () => undefined)
      try {
        await client.connect()
        await client.query(text)
        await client.end()
        return
      } catch (error) {
        await client.end().catch(() => undefined)
        if (attempt > 200 || server.exitCode !== null) throw error
        await sleep(50)
      }
    }
  }
  let server = start()
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill(signal)
    await ended
  }
  await ask('postgres', 'create database chaos')
  return {
    url: urlOf('chaos'),
    folder,
    async restart(mode) {
      await end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
      server = start()
      await ask('chaos', 'select 1')
    },
    stop: () => end('SIGINT'),
  }
}
