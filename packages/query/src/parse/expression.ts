import { QueryError, type Span } from '../errors.js'
import { readCall } from './call.js'
import { statementLimits } from './lexical.js'
import { readOperator } from './operator.js'
import type { LiteralValue, OrderSyntax, QuerySyntax, Syntax } from './syntax.js'
import { type Fields, isFields, type Locate, listOf, nodeOf, onlyFields, stringOf } from './tree.js'

/** What reading an expression needs from outside. */
export interface Reader {
  /** Finds places of nodes. */
  readonly locate: Locate
  /** Reads the fields of a nested `SelectStmt`. */
  readonly readQuery: (fields: Fields) => QuerySyntax
}

/**
 * Reads one expression of PostgreSQL's tree through the allow-list.
 *
 * @param value a node of the tree
 * @param reader places of nodes, and how nested queries are read
 * @param depth nesting so far
 * @throws QueryError with the code of the first thing that is not allowed
 */
export function readExpression(value: unknown, { locate, readQuery }: Reader, depth = 0): Syntax {
  const node = nodeOf(value)
  if (node === null) throw new QueryError('EXPRESSION_NOT_ALLOWED', locate({}))
  const { type, fields } = node
  const span = locate(fields)
  if (depth > statementLimits.depth) throw new QueryError('TOO_DEEP', span)
  const read = (child: unknown): Syntax => readExpression(child, { locate, readQuery }, depth + 1)
  switch (type) {
    case 'ColumnRef':
      return readColumn(fields, span)
    case 'A_Const':
      return { kind: 'literal', value: readLiteral(fields, span), span }
    case 'ParamRef': {
      onlyFields(fields, ['number'], span)
      const number = fields['number']
      if (typeof number !== 'number') throw new QueryError('PARAMETER_UNKNOWN', span)
      return { kind: 'parameter', number, span }
    }
    case 'A_Expr':
      return readOperator(fields, span, read)
    case 'BoolExpr':
      return readBoolean(fields, span, read)
    case 'NullTest': {
      onlyFields(fields, ['arg', 'nulltesttype'], span)
      return {
        kind: 'is-null',
        negated: fields['nulltesttype'] === 'IS_NOT_NULL',
        operand: read(fields['arg']),
        span,
      }
    }
    case 'BooleanTest':
      return readBooleanTest(fields, span, read)
    case 'CaseExpr':
      return readCase(fields, span, locate, read)
    case 'FuncCall':
      return readCall(fields, span, read)
    case 'SubLink':
      return readSubquery(fields, span, read, readQuery)
    case 'CoalesceExpr':
      onlyFields(fields, ['args'], span)
      return { kind: 'call', name: 'coalesce', parameters: listOf(fields['args']).map(read), span }
    case 'MinMaxExpr': {
      onlyFields(fields, ['args', 'op'], span)
      const name = fields['op'] === 'IS_LEAST' ? 'least' : 'greatest'
      return { kind: 'call', name, parameters: listOf(fields['args']).map(read), span }
    }
    case 'GroupingFunc':
      onlyFields(fields, ['args'], span)
      return { kind: 'grouping', parameters: listOf(fields['args']).map(read), span }
    case 'TypeCast':
      return readCast(fields, span, read)
    case 'SQLValueFunction':
    case 'XmlExpr':
    case 'JsonFuncExpr':
      throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    default:
      throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  }
}

function readColumn(fields: Fields, span: Span): Syntax {
  onlyFields(fields, ['fields'], span)
  const path: string[] = []
  for (const part of listOf(fields['fields'])) {
    if (nodeOf(part)?.type === 'A_Star') throw new QueryError('SELECT_STAR', span)
    const name = stringOf(part)
    if (name === null) throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
    path.push(name)
  }
  if (path.length === 0 || path.length > 3) throw new QueryError('COLUMN_UNKNOWN', span)
  return { kind: 'column', path, span }
}

/** Protobuf drops fields that hold their default, so `0`, `false` and `''` come as empty objects. */
function readLiteral(fields: Fields, span: Span): LiteralValue {
  onlyFields(fields, ['ival', 'fval', 'sval', 'boolval', 'isnull'], span)
  if (fields['isnull'] === true) return { type: 'null' }
  const inner = (key: string, name: string): unknown => {
    const holder = fields[key]
    return isFields(holder) ? holder[name] : undefined
  }
  if ('ival' in fields) {
    const value = inner('ival', 'ival') ?? 0
    if (typeof value === 'number') return { type: 'number', text: String(value) }
  }
  if ('fval' in fields) {
    const value = inner('fval', 'fval')
    if (typeof value === 'string') return { type: 'number', text: value }
  }
  if ('boolval' in fields) return { type: 'boolean', value: inner('boolval', 'boolval') === true }
  if ('sval' in fields) {
    const value = inner('sval', 'sval') ?? ''
    if (typeof value === 'string') return { type: 'text', text: value }
  }
  throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
}

function readBoolean(fields: Fields, span: Span, read: (child: unknown) => Syntax): Syntax {
  onlyFields(fields, ['boolop', 'args'], span)
  const operands = listOf(fields['args']).map(read)
  const first = operands[0]
  if (first === undefined) throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  switch (fields['boolop']) {
    case 'AND_EXPR':
      return { kind: 'and', operands, span }
    case 'OR_EXPR':
      return { kind: 'or', operands, span }
    case 'NOT_EXPR':
      return { kind: 'not', operand: first, span }
    default:
      throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  }
}

function readBooleanTest(fields: Fields, span: Span, read: (child: unknown) => Syntax): Syntax {
  onlyFields(fields, ['arg', 'booltesttype'], span)
  const operand = read(fields['arg'])
  switch (fields['booltesttype']) {
    case 'IS_TRUE':
      return { kind: 'is-true', value: true, negated: false, operand, span }
    case 'IS_NOT_TRUE':
      return { kind: 'is-true', value: true, negated: true, operand, span }
    case 'IS_FALSE':
      return { kind: 'is-true', value: false, negated: false, operand, span }
    case 'IS_NOT_FALSE':
      return { kind: 'is-true', value: false, negated: true, operand, span }
    case 'IS_UNKNOWN':
      return { kind: 'is-null', negated: false, operand, span }
    case 'IS_NOT_UNKNOWN':
      return { kind: 'is-null', negated: true, operand, span }
    default:
      throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  }
}

function readCase(fields: Fields, span: Span, locate: Locate, read: (child: unknown) => Syntax): Syntax {
  onlyFields(fields, ['arg', 'args', 'defresult'], span)
  const subject = fields['arg'] === undefined ? null : read(fields['arg'])
  const branches = listOf(fields['args']).map((entry) => {
    const branch = nodeOf(entry)
    if (branch?.type !== 'CaseWhen') throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
    const at = locate(branch.fields)
    onlyFields(branch.fields, ['expr', 'result'], at)
    const condition = read(branch.fields['expr'])
    // CASE x WHEN v is CASE WHEN x = v.
    const when: Syntax =
      subject === null
        ? condition
        : { kind: 'compare', operator: '=', left: subject, right: condition, span: condition.span }
    return { when, result: read(branch.fields['result']) }
  })
  const otherwise = fields['defresult'] === undefined ? null : read(fields['defresult'])
  return { kind: 'case', branches, otherwise, span }
}

/** Types to which a number may be cast, with the digits after the point that remain. */
const numericTypes: Readonly<Record<string, number | null>> = {
  int2: 0,
  int4: 0,
  int8: 0,
  bigint: 0,
  integer: 0,
  float4: null,
  float8: null,
  double: null,
}

function readCast(fields: Fields, span: Span, read: (child: unknown) => Syntax): Syntax {
  onlyFields(fields, ['arg', 'typeName'], span)
  const type = fields['typeName']
  if (!isFields(type)) throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  onlyFields(type, ['names', 'typmods', 'typemod'], span)
  const names = listOf(type['names']).map(stringOf)
  const name =
    names.length === 2 && names[0] === 'pg_catalog' ? names[1] : names.length === 1 ? names[0] : null
  if (typeof name !== 'string') throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  const operand = read(fields['arg'])
  const modifiers = listOf(type['typmods']).map(read)
  if (name === 'date' || name === 'timestamp') {
    // A precision rounds: nobody needs it, and engines round differently.
    if (modifiers.length > 0) throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
    return { kind: 'moment-cast', to: name, operand, span }
  }
  if (name === 'interval') return readInterval(operand, modifiers, span)
  if (name === 'numeric' || name === 'decimal') {
    const [precision, scale] = modifiers.map((entry) =>
      entry.kind === 'literal' && entry.value.type === 'number' ? Number(entry.value.text) : Number.NaN,
    )
    if (precision === undefined) return { kind: 'cast', operand, decimals: null, span }
    const decimals = scale ?? 0
    // A narrower precision would overflow for some values and not for others: only wide ones are casts of the scale.
    if (!(precision >= 18 && precision <= 38 && decimals >= 0 && decimals <= 9)) {
      throw new QueryError('NUMBER_RANGE', span)
    }
    return { kind: 'cast', operand, decimals, span }
  }
  if (modifiers.length > 0 || !Object.hasOwn(numericTypes, name))
    throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  return { kind: 'cast', operand, decimals: numericTypes[name] ?? null, span }
}

/** PostgreSQL's bits for the field of `INTERVAL '3' MONTH`. */
const intervalFields = {
  2: 'month',
  4: 'year',
  8: 'day',
  1024: 'hour',
  2048: 'minute',
  4096: 'second',
} as const

function readInterval(operand: Syntax, modifiers: readonly Syntax[], span: Span): Syntax {
  const [field, precision] = modifiers
  if (field === undefined) return { kind: 'interval', unit: null, operand, span }
  const bits = field.kind === 'literal' && field.value.type === 'number' ? field.value.text : ''
  const unit = Object.entries(intervalFields).find(([known]) => known === bits)?.[1]
  if (unit === undefined || precision !== undefined) throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  return { kind: 'interval', unit, operand, span }
}

function readSubquery(
  fields: Fields,
  span: Span,
  read: (child: unknown) => Syntax,
  readQuery: (fields: Fields) => QuerySyntax,
): Syntax {
  onlyFields(fields, ['subLinkType', 'testexpr', 'subselect'], span, { operName: 'SUBQUERY_NOT_ALLOWED' })
  const select = nodeOf(fields['subselect'])
  if (select?.type !== 'SelectStmt') throw new QueryError('SUBQUERY_NOT_ALLOWED', span)
  switch (fields['subLinkType']) {
    case 'EXISTS_SUBLINK':
      return { kind: 'exists', query: readQuery(select.fields), span }
    case 'ANY_SUBLINK':
      return {
        kind: 'in-query',
        operand: read(fields['testexpr']),
        query: readQuery(select.fields),
        span,
      }
    case 'EXPR_SUBLINK':
      return { kind: 'scalar-query', query: readQuery(select.fields), span }
    default:
      throw new QueryError('SUBQUERY_NOT_ALLOWED', span)
  }
}

/** One entry of ORDER BY. */
export function readSort(entry: unknown, read: (child: unknown) => Syntax, at: Span): OrderSyntax {
  const node = nodeOf(entry)
  if (node?.type !== 'SortBy') throw new QueryError('CLAUSE_NOT_ALLOWED', at)
  const value = read(node.fields['node'])
  onlyFields(node.fields, ['node', 'sortby_dir', 'sortby_nulls'], value.span)
  const direction = node.fields['sortby_dir']
  const nulls = node.fields['sortby_nulls']
  if (direction === 'SORTBY_USING') throw new QueryError('CLAUSE_NOT_ALLOWED', value.span)
  return {
    value,
    descending: direction === 'SORTBY_DESC',
    nullsFirst: nulls === 'SORTBY_NULLS_FIRST' ? true : nulls === 'SORTBY_NULLS_LAST' ? false : null,
    span: value.span,
  }
}
