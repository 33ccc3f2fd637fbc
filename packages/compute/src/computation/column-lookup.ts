import type { PolicyColumn, PoolPolicy } from '@sealpool/privacy'
import { ComputeError } from '../errors.js'
import type { DesignFeature, DesignTarget } from '../linear-regression/design.js'
import type { LinearRegressionParameters } from '../linear-regression/parameters.js'

type ColumnName = { readonly pool: string; readonly table: string; readonly column: string }
type NumericRequest = ColumnName & { readonly min?: number; readonly max?: number }

/** Key under which a column's value stands in a joined row. */
export function columnKey({ pool, table, column }: ColumnName): string {
  return `${pool}.${table}.${column}`
}

/** Looks the target up and settles its public range. */
export function lookUpTarget(
  request: LinearRegressionParameters['target'],
  policies: ReadonlyMap<string, PoolPolicy>,
): DesignTarget {
  const place = 'compute.parameters.target'
  const range = measureRange(request, policies, place)
  const transform = request.transform ?? 'identity'
  if (transform === 'log' && !(range.min > 0)) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${place}.min`,
      'A logarithm needs a range above zero. Give a min above zero, from what is known beforehand.',
    )
  }
  return { key: columnKey(request), transform, ...range }
}

/** Looks a feature up and settles its public range or categories. */
export function lookUpFeature(
  request: LinearRegressionParameters['features'][number],
  index: number,
  policies: ReadonlyMap<string, PoolPolicy>,
): DesignFeature {
  const place = `compute.parameters.features[${index}]`
  const { name, transform, equals } = request
  const key = columnKey(request)
  if (transform !== 'indicator') return { name, key, transform, ...measureRange(request, policies, place) }
  const column = lookUp(request, policies, place)
  if (column.use.length === 0) throw notAllowed(`${place}.column`, 'The policy allows no use of this column.')
  const expected = column.type === 'text' ? 'string' : column.type === 'boolean' ? 'boolean' : 'number'
  const values = column.values ?? (column.type === 'boolean' ? [false, true] : null)
  if (equals === undefined || typeof equals !== expected || (values !== null && !values.includes(equals))) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${place}.equals`,
      `Expected one of the column's public values, of type ${column.type}.`,
    )
  }
  return { name, key, transform, equals, values }
}

function measureRange(
  request: NumericRequest,
  policies: ReadonlyMap<string, PoolPolicy>,
  place: string,
): { readonly min: number; readonly max: number } {
  const column = lookUp(request, policies, place)
  const { min: lowest, max: highest } = column
  if (!column.use.includes('measure') || lowest === undefined || highest === undefined) {
    throw notAllowed(
      `${place}.column`,
      'The policy does not let this column be used as a number (use: measure).',
    )
  }
  const min = request.min ?? lowest
  const max = request.max ?? highest
  if (!(lowest <= min && min < max && max <= highest)) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${place}.min`,
      `A range must lie within the policy's (${lowest} to ${highest}), min below max.`,
    )
  }
  return { min, max }
}

function lookUp(request: ColumnName, policies: ReadonlyMap<string, PoolPolicy>, place: string): PolicyColumn {
  const policy = policies.get(request.pool)
  if (policy === undefined) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${place}.pool`,
      `The manifest lists no pool ${request.pool}. Add it to its pools.`,
    )
  }
  const table = policy.tables.find(({ name }) => name === request.table)
  if (table === undefined) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${place}.table`,
      `Pool ${request.pool} has no table ${request.table}.`,
    )
  }
  if (table.rowsPerContributor !== 1) {
    throw notAllowed(
      `${place}.table`,
      'A regression takes tables with one row per contributor; this one allows more.',
    )
  }
  if (table.rows !== undefined) throw someRowsCount(`${place}.table`, table.name)
  const column = table.columns.find(({ name }) => name === request.column)
  if (column === undefined) {
    throw new ComputeError(
      'PARAMETERS_INVALID',
      `${place}.column`,
      `Table ${request.table} has no column ${request.column}.`,
    )
  }
  return column
}

/** Error for what a policy forbids. */
export function notAllowed(place: string, message: string): ComputeError {
  return new ComputeError('NOT_ALLOWED', place, message)
}

/** Error for a table whose policy counts only some rows: computations read them all. */
export function someRowsCount(place: string, table: string): ComputeError {
  return notAllowed(
    place,
    `The policy counts only some rows of table ${table}, and a computation would see them all. Ask a query.`,
  )
}
