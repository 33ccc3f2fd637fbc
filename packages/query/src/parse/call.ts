import { QueryError, type Span } from '../errors.js'
import { readSort } from './expression.js'
import { readFrame } from './frame.js'
import {
  type AggregateFunction,
  type AggregateSyntax,
  aggregateFunctions,
  type Syntax,
  scalarFunctions,
  windowFunctions,
} from './syntax.js'
import { type Fields, has, isFields, listOf, onlyFields, stringOf } from './tree.js'

const scalars = new Set(scalarFunctions)
const windows = new Set(windowFunctions)
const aggregates = new Set(aggregateFunctions)

/** Other names of the same aggregates. */
const aliases: Readonly<Record<string, AggregateFunction>> = {
  approx_count_distinct: 'count',
  approx_quantile: 'percentile',
  count_if: 'count',
  mean: 'avg',
  median: 'percentile',
  percentile_cont: 'percentile',
  quantile_cont: 'percentile',
  stddev: 'stddev_samp',
  variance: 'var_samp',
}
/** Other names of the same scalar functions; `left(x, n)` is the first n characters. */
const scalarAliases: Readonly<Record<string, string>> = {
  btrim: 'trim',
  ceiling: 'ceil',
  char_length: 'length',
  character_length: 'length',
  date_part: 'extract',
  datediff: 'date_diff',
  datepart: 'extract',
  datetrunc: 'date_trunc',
  ifnull: 'coalesce',
  left: 'substring',
  nvl: 'coalesce',
  pow: 'power',
  substr: 'substring',
}
/** DuckDB's functions that are named after what they take out of a moment, or make an interval of. */
const named: Readonly<Record<string, readonly ['extract' | 'to_interval', string]>> = {
  dayofmonth: ['extract', 'day'],
  dayofweek: ['extract', 'dow'],
  dayofyear: ['extract', 'doy'],
  epoch: ['extract', 'epoch'],
  isodow: ['extract', 'isodow'],
  isoyear: ['extract', 'isoyear'],
  to_days: ['to_interval', 'day'],
  to_hours: ['to_interval', 'hour'],
  to_minutes: ['to_interval', 'minute'],
  to_months: ['to_interval', 'month'],
  to_seconds: ['to_interval', 'second'],
  to_weeks: ['to_interval', 'week'],
  to_years: ['to_interval', 'year'],
  weekofyear: ['extract', 'week'],
  ...Object.fromEntries(
    ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute'].map((part) => [
      part,
      ['extract', part] as const,
    ]),
  ),
}
/** Tests of where a plain text is in another; `ends_with` and `contains` are DuckDB's names. */
const places: Readonly<Record<string, 'start' | 'end' | 'anywhere'>> = {
  starts_with: 'start',
  prefix: 'start',
  ends_with: 'end',
  suffix: 'end',
  contains: 'anywhere',
}
const paired: ReadonlySet<string> = new Set([
  'corr',
  'covar_pop',
  'covar_samp',
  'regr_intercept',
  'regr_slope',
])

/**
 * Reads a call: a scalar function, an aggregate or a window function of the allow-list.
 *
 * @throws QueryError `FUNCTION_NOT_ALLOWED`, `WINDOW_NOT_ALLOWED`
 */
export function readCall(fields: Fields, span: Span, read: (child: unknown) => Syntax): Syntax {
  onlyFields(
    fields,
    [
      'funcname',
      'args',
      'agg_star',
      'agg_distinct',
      'agg_filter',
      'agg_order',
      'agg_within_group',
      'over',
      'funcformat',
    ],
    span,
    { func_variadic: 'FUNCTION_NOT_ALLOWED' },
  )
  const names = listOf(fields['funcname'])
  // A qualified name (pg_catalog.count) is another function as far as we know; the parser itself gives one to TRIM, SUBSTRING, EXTRACT.
  const special = fields['funcformat'] === 'COERCE_SQL_SYNTAX' && stringOf(names[0]) === 'pg_catalog'
  const spelled = names.length === (special ? 2 : 1) ? stringOf(names.at(-1)) : null
  const written = spelled === 'btrim' || spelled === 'substring' || spelled === 'extract'
  const name = special && !written ? null : spelled
  if (name === null || (!special && fields['funcformat'] !== 'COERCE_EXPLICIT_CALL')) {
    throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  }
  if (fields['over'] !== undefined) return readWindow(name, fields, span, read)
  const star = fields['agg_star'] === true
  const distinct = fields['agg_distinct'] === true
  const within = fields['agg_within_group'] === true
  const plain = !star && !distinct && fields['agg_filter'] === undefined && fields['agg_order'] === undefined
  const scalar = Object.hasOwn(scalarAliases, name) ? (scalarAliases[name] ?? name) : name
  const moment = Object.hasOwn(named, name) ? named[name] : undefined
  if (moment !== undefined) {
    if (!plain) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    const unit: Syntax = { kind: 'literal', value: { type: 'text', text: moment[1] }, span }
    const parameters = listOf(fields['args']).map(read)
    return { kind: 'call', name: moment[0], parameters: [unit, ...parameters], span }
  }
  const place = Object.hasOwn(places, name) ? places[name] : undefined
  if (place !== undefined) {
    const [operand, pattern, more] = listOf(fields['args']).map(read)
    if (!plain || operand === undefined || pattern === undefined || more !== undefined) {
      throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    }
    return { kind: 'like', negated: false, operand, pattern, plain: place, span }
  }
  if (name === 'if' || name === 'iff') {
    const [when, result, otherwise, more] = listOf(fields['args']).map(read)
    if (
      !plain ||
      when === undefined ||
      result === undefined ||
      otherwise === undefined ||
      more !== undefined
    ) {
      throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    }
    return { kind: 'case', branches: [{ when, result }], otherwise, span }
  }
  if (has(scalars, scalar)) {
    if (!plain || name === 'to_interval') throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    const parameters = listOf(fields['args']).map(read)
    const first: Syntax = { kind: 'literal', value: { type: 'number', text: '1' }, span }
    const two = name === 'left' || name === 'ifnull' || name === 'nvl'
    if (two && parameters.length !== 2) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    const given = name === 'left' ? [...parameters.slice(0, 1), first, ...parameters.slice(1)] : parameters
    return { kind: 'call', name: scalar, parameters: given, span }
  }
  const aggregate = Object.hasOwn(aliases, name) ? aliases[name] : has(aggregates, name) ? name : undefined
  if (aggregate === undefined || name === 'percentile') throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  const given = listOf(fields['args'])
  const filter = fields['agg_filter'] === undefined ? null : read(fields['agg_filter'])
  const call = (
    parameters: readonly Syntax[],
    fraction: Syntax | null = null,
    changes: Partial<Pick<AggregateSyntax, 'distinct' | 'filter'>> = {},
  ): Syntax => ({
    kind: 'aggregate',
    name: aggregate,
    distinct,
    parameters,
    filter,
    fraction,
    span,
    ...changes,
  })
  if (star) {
    if (name !== 'count' || given.length > 0 || distinct) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    return call([])
  }
  if (within) {
    const order = listOf(fields['agg_order']).map((entry) => readSort(entry, read, span))
    const [only] = order
    if (
      name !== 'percentile_cont' ||
      given.length !== 1 ||
      only === undefined ||
      order.length > 1 ||
      only.descending
    ) {
      throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    }
    return call([only.value], read(given[0]))
  }
  // An order inside of an aggregate matters only to those that collect values.
  if (fields['agg_order'] !== undefined || name === 'percentile_cont') {
    throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  }
  if (name === 'count_if' || name === 'approx_count_distinct') {
    const [only, more] = given.map(read)
    if (only === undefined || more !== undefined || distinct)
      throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    // Counts here are exact before noise; nothing is gained by another approximation.
    if (name === 'approx_count_distinct') return call([only], null, { distinct: true })
    const both: Syntax = filter === null ? only : { kind: 'and', operands: [filter, only], span }
    return call([], null, { filter: both })
  }
  if (name === 'quantile_cont' || name === 'approx_quantile') {
    if (given.length !== 2 || distinct) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    return call([read(given[0])], read(given[1]))
  }
  if (name === 'median') {
    if (given.length !== 1 || distinct) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    return call([read(given[0])], { kind: 'literal', value: { type: 'number', text: '0.5' }, span })
  }
  const wanted = paired.has(aggregate) ? 2 : 1
  const once = aggregate === 'count' || aggregate === 'sum' || aggregate === 'avg'
  if (given.length !== wanted || (distinct && !once)) {
    throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  }
  return call(given.map(read))
}

function readWindow(name: string, fields: Fields, span: Span, read: (child: unknown) => Syntax): Syntax {
  const over = fields['over']
  if (
    !has(windows, name) ||
    fields['agg_distinct'] === true ||
    fields['agg_filter'] !== undefined ||
    !isFields(over)
  ) {
    throw new QueryError('WINDOW_NOT_ALLOWED', span)
  }
  onlyFields(over, ['partitionClause', 'orderClause', 'frameOptions', 'startOffset', 'endOffset'], span, {
    name: 'WINDOW_NOT_ALLOWED',
    refname: 'WINDOW_NOT_ALLOWED',
  })
  const frame = readFrame(over, span, read)
  return {
    kind: 'window',
    name,
    parameters: listOf(fields['args']).map(read),
    partitionBy: listOf(over['partitionClause']).map(read),
    orderBy: listOf(over['orderClause']).map((entry) => readSort(entry, read, span)),
    ...(frame === null ? {} : { frame }),
    span,
  }
}
