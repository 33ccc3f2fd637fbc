import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClickHouseClient } from '../clickhouse/clickhouse-engine.js'

interface Session {
  query(sql: string, format?: string): string
  cleanup(): void
}

/**
 * ClickHouse in this process (npm `chdb`, 548 MB), where it is installed: `SEALPOOL_CHDB` names the folder that has it in its
 * `node_modules`. Null where it is not.
 */
export function chdbSession(): { readonly session: Session; close(): void } | null {
  const folder = process.env['SEALPOOL_CHDB']
  if (folder === undefined) return null
  const { Session: Made } = createRequire(join(folder, 'package.json'))('chdb') as {
    Session: new (path: string) => Session
  }
  const data = mkdtempSync(join(tmpdir(), 'sealpool-chdb-'))
  const session = new Made(data)
  return {
    session,
    close() {
      session.cleanup()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** A session in the form of a connection: settings go with the session, except what would lock it for good. */
export function chdbClient(session: Session): ClickHouseClient {
  const set = (settings: Readonly<Record<string, string | number>>) => {
    for (const [name, value] of Object.entries(settings)) {
      if (name !== 'readonly')
        session.query(`SET ${name} = ${typeof value === 'number' ? value : `'${value}'`}`)
    }
  }
  return {
    async query({ query, clickhouse_settings }) {
      set(clickhouse_settings)
      const text = session.query(query, 'JSONEachRow')
      return {
        json: async () =>
          text
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as unknown),
      }
    },
    async command({ query, clickhouse_settings }) {
      set(clickhouse_settings)
      session.query(query)
    },
  }
}
