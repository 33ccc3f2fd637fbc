import { NodeError } from '../errors.js'
import { currentVersion } from './migration.js'
import type { StoredRows } from './sealed-contents.js'

/** @returns which tables the rows are of, undefined when there are none */
export function tablesVersion(rows: StoredRows['rows']): number | undefined {
  if (rows.size === 0) return undefined
  const versions = (rows.get('schema_migrations') ?? []).map(
    (row) => (JSON.parse(row) as { version: number }).version,
  )
  const version = Math.max(0, ...versions)
  if (version > currentVersion) {
    throw new NodeError(
      'STATE_TOO_NEW',
      `schema version ${version}`,
      `this release knows versions up to ${currentVersion}; start the release that wrote this data directory`,
    )
  }
  return version
}
