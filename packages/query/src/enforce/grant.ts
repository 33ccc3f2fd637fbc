import type { CatalogueTable } from '../catalogue/catalogue.js'
import { QueryError, type Span } from '../errors.js'

/** What a job may reach. A part that is absent is not restricted by the grant (the policy still restricts it). */
export interface Grant {
  /** Tables as `pool.table`. */
  readonly tables?: readonly string[]
  /** Columns as `pool.table.column`, counted in every clause, WHERE and JOIN included. */
  readonly columns?: readonly string[]
  /** Digests of approved statements (`templateDigest`): then nothing else may be asked, with any parameters. */
  readonly templates?: readonly string[]
}

/** @throws QueryError `TEMPLATE_NOT_APPROVED` */
export function checkTemplateGrant(grant: Grant, digest: () => string): void {
  if (grant.templates !== undefined && !grant.templates.includes(digest())) {
    throw new QueryError('TEMPLATE_NOT_APPROVED', 'sql')
  }
}

/** @throws QueryError `TABLE_NOT_GRANTED` */
export function checkTableGrant(grant: Grant, { pool, table }: CatalogueTable, at: Span): void {
  if (grant.tables !== undefined && !grant.tables.includes(`${pool.name}.${table.name}`)) {
    throw new QueryError('TABLE_NOT_GRANTED', at)
  }
}

/** @throws QueryError `COLUMN_NOT_GRANTED` */
export function checkColumnGrant(
  grant: Grant,
  { pool, table }: CatalogueTable,
  column: string,
  at: Span,
): void {
  if (grant.columns !== undefined && !grant.columns.includes(`${pool.name}.${table.name}.${column}`)) {
    throw new QueryError('COLUMN_NOT_GRANTED', at)
  }
}
