/**
 * Files of tables that no refinement names: an attempt that was cut short, or in which somebody took a contribution back, has left them.
 * @module
 */
import type { IngestContext, PartStore } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { noteDeletion } from '../state/deletion-table.js'
import { filesOfRefinements } from '../state/expired-rows.js'
import type { StateStore } from '../state/state-store.js'

/** Files that are looked up at once. */
const pageFiles = 200

/** @returns the number of the refinement in a file's name, or in what {@link noteOrphans} notes about files */
export function refinementNumberOf(name: string): string {
  return /\d{1,18}/.exec(name)?.[0] ?? '0'
}

/**
 * Notes the orphaned files of a pool as due. Which tables they are of is not told: it would say who has rows there.
 * @returns how many refinements they are of
 */
export async function noteOrphans(
  store: StateStore,
  parts: Pick<PartStore, 'list'>,
  pool: ServedPool,
): Promise<number> {
  let noted = 0
  for await (const page of orphanedFiles(store, parts, pool)) noted += await note(store, pool, page)
  return noted
}

/**
 * Removes the orphaned files of a pool now. They are noted before, as what is to be signed for.
 * @param context its state and files
 * @param pool whose files
 */
export async function removeOrphans(
  { store, parts }: Pick<IngestContext, 'store' | 'parts'>,
  pool: ServedPool,
): Promise<void> {
  for await (const page of orphanedFiles(store, parts, pool)) {
    await note(store, pool, page)
    await parts.remove(
      pool,
      page.map((file) => ({ table: '', file, rows: 0 })),
    )
  }
}

async function note(store: StateStore, pool: ServedPool, orphans: readonly string[]): Promise<number> {
  const numbers = new Set(orphans.map(refinementNumberOf))
  await store.transaction(async (tx) => {
    for (const number of numbers) {
      const object = `refinement ${number}`
      const rows = { kind: 'rows', pool: pool.address, object, digest: null } as const
      await noteDeletion(tx, { ...rows, reason: 'orphaned' }, 'due')
    }
  })
  return numbers.size
}

/** Names of the files, some at a time. */
async function* orphanedFiles(
  store: StateStore,
  parts: Pick<PartStore, 'list'>,
  pool: ServedPool,
): AsyncGenerator<readonly string[]> {
  let page: string[] = []
  const orphans = async (): Promise<readonly string[]> => {
    const named = await filesOfRefinements(store, pool.address, page.map(refinementNumberOf))
    return page.filter((file) => !named.has(file))
  }
  for await (const file of parts.list(pool)) {
    page.push(file)
    if (page.length < pageFiles) continue
    const found = await orphans()
    if (found.length > 0) yield found
    page = []
  }
  const found = await orphans()
  if (found.length > 0) yield found
}
