/**
 * Brings a store's tables to the wanted version, up or down, one transaction for each step.
 * @module
 */
import { NodeError } from '../errors.js'
import { integerOf } from './column.js'
import { firstTables } from './migration-001-first-tables.js'
import { chainUndone } from './migration-002-chain-undone.js'
import { accessAndLog } from './migration-003-access-and-log.js'
import { settledWrites } from './migration-004-settled-writes.js'
import { contentAndAccounts } from './migration-005-content-and-accounts.js'
import { farmingValues } from './migration-006-farming-values.js'
import { datasetFacts } from './migration-007-dataset-facts.js'
import { verdictAudits } from './migration-008-verdict-audits.js'
import { dueErasures } from './migration-009-due-erasures.js'
import { deletions } from './migration-010-deletions.js'
import { verdictLists } from './migration-011-verdict-lists.js'
import { coursesOfNumbers } from './migration-012-courses-of-numbers.js'
import { liveCopies } from './migration-013-live-copies.js'
import { validators } from './migration-014-validators.js'
import { earlierRewards } from './migration-015-earlier-rewards.js'
import { rescorings } from './migration-016-rescorings.js'
import { earlierPolicies } from './migration-017-earlier-policies.js'
import { rescoredAgreements } from './migration-018-rescored-agreements.js'
import type { StateStore } from './state-store.js'

/** One step of the tables' history. Steps are never edited once released; a change is a new step. */
export interface Migration {
  readonly version: number
  readonly title: string
  readonly up: string
  readonly down: string
}

/** All steps, in order. */
export const migrations: readonly Migration[] = [
  firstTables,
  chainUndone,
  accessAndLog,
  settledWrites,
  contentAndAccounts,
  farmingValues,
  datasetFacts,
  verdictAudits,
  dueErasures,
  deletions,
  verdictLists,
  coursesOfNumbers,
  liveCopies,
  validators,
  earlierRewards,
  rescorings,
  earlierPolicies,
  rescoredAgreements,
]

/** The version that this release of the node works with. */
export const currentVersion: number = migrations.at(-1)?.version ?? 0

/**
 * Reads which step the store stands at.
 * @returns 0 for an empty store
 */
export async function storedVersion(store: StateStore): Promise<number> {
  await store.run(
    'create table if not exists schema_migrations (version integer primary key, title text not null)',
  )
  const [row] = await store.query('select coalesce(max(version), 0) as version from schema_migrations')
  return row === undefined ? 0 : integerOf(row, 'version')
}

/**
 * Migrates a store.
 * @param store an open store
 * @param target wanted version; the newest known when absent
 * @param steps the history; the node's own when absent
 * @returns the versions before and after
 * @throws NodeError `STATE_TOO_NEW` when a later release of the node wrote the store
 */
export async function migrate(
  store: StateStore,
  target: number = currentVersion,
  steps: readonly Migration[] = migrations,
): Promise<{ readonly before: number; readonly after: number }> {
  const before = await storedVersion(store)
  const newest = steps.at(-1)?.version ?? 0
  if (before > newest) {
    throw new NodeError(
      'STATE_TOO_NEW',
      `schema version ${before}`,
      `this release knows versions up to ${newest}; start the release that wrote this data directory`,
    )
  }
  for (const step of steps.filter(({ version }) => version > before && version <= target)) {
    await store.transaction(async (tx) => {
      await tx.run(step.up)
      await tx.query('insert into schema_migrations (version, title) values ($1, $2)', [
        step.version,
        step.title,
      ])
    })
  }
  for (const step of steps.filter(({ version }) => version <= before && version > target).reverse()) {
    await store.transaction(async (tx) => {
      await tx.run(step.down)
      await tx.query('delete from schema_migrations where version = $1', [step.version])
    })
  }
  return { before, after: Math.max(0, Math.min(target, newest)) }
}
