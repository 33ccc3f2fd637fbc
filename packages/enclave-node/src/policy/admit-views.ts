/**
 * Whether the pools of a job let its recipients have what the manifest gives them.
 * @module
 */
import type { JobManifest, ResultView } from '@sealpool/compute'
import { isViewWithin, mostOfView, type ViewRecipient } from '@sealpool/privacy'
import type { PlannablePool } from '../ingest/served-pool.js'
import { JobRefusal } from '../job/job-refusal.js'

/** Somebody who gets a view. */
interface Recipient {
  readonly recipient: 'consumer' | ViewRecipient
  readonly view: ResultView
}

function recipientsOf({ views }: Pick<JobManifest, 'views'>): readonly Recipient[] {
  if (views === undefined) return [{ recipient: 'consumer', view: { kind: 'whole' } }]
  return [
    { recipient: 'consumer', view: views.consumer },
    ...views.others.map(({ address, resultKey, view }) => ({
      recipient: { address, publicKey: resultKey?.publicKey ?? null },
      view,
    })),
  ]
}

/**
 * @param pools under all their restrictions
 * @throws JobRefusal `VIEW_NOT_ALLOWED` when somebody is given more than one of the pools allows
 */
export function requireViews(
  pools: readonly Pick<PlannablePool, 'policy'>[],
  manifest: Pick<JobManifest, 'views'>,
): void {
  const recipients = recipientsOf(manifest)
  for (const { policy } of pools) {
    for (const { recipient, view } of recipients) {
      if (!isViewWithin(view.kind, mostOfView(policy.views, recipient)))
        throw JobRefusal.of('VIEW_NOT_ALLOWED')
    }
  }
}

/**
 * @param columns names of the answer's columns, as the plan has them
 * @throws JobRefusal `VIEW_COLUMN_UNKNOWN` when a view names a column that is not in the answer, or twice
 */
export function requireViewColumns(columns: readonly string[], manifest: Pick<JobManifest, 'views'>): void {
  for (const { view } of recipientsOf(manifest)) {
    if (view.kind !== 'columns') continue
    const found = view.columns.every((name) => columns.filter((column) => column === name).length === 1)
    if (!found) throw JobRefusal.of('VIEW_COLUMN_UNKNOWN')
  }
}
