import { contributorColumn, rankColumn } from '../catalogue/catalogue.js'
import type { Expectation } from '../engine/engine.js'
import type { KeyProgram, ListedKey, Program, StatisticProgram } from '../plan/program.js'
import {
  type Block,
  type Relation,
  type RowRelation,
  type SelectRelation,
  tablesOf,
  unitsOf,
} from '../type/relation.js'
import { type Dialect, identifier } from './dialect.js'
import { alias, contributorOf, type ExpressionPrinter, expressionPrinter } from './expression.js'

/** A statement and what it must be when the engine's own parser reads it. */
export interface PrintedStatement extends Expectation {
  readonly sql: string
}

/** Names of the printed statement's columns: `k0`, `k1`, ... codes of keys, `s0`, `s1`, ... statistics, `bin`. */
export const keyName = (position: number) => `k${position}`
export const statisticName = (position: number) => `s${position}`
export const binName = 'bin'
export const valueName = 'value'

/** Which part of a program a statement asks for. */
export interface Part {
  /** Keys of the grouping set; all of them when absent. */
  readonly set?: readonly number[]
  /** The statistic whose bins are counted; the numbers of the other statistics when absent. */
  readonly bins?: number
  /** The statistic whose distinct values are listed, for adding up shards. */
  readonly values?: number
  /** Only contributors whose integer leaves `index` when it is divided by `of`. */
  readonly slice?: { readonly of: number; readonly index: number }
}

/**
 * Prints a program as one SELECT. Its answer has a row for each group that has rows, with the keys' codes and the exact
 * integers as text. The statement holds no text of the user other than quoted literals.
 */
export function printStatement(program: Program, dialect: Dialect, part: Part = {}): PrintedStatement {
  const select = (relation: RowRelation): string =>
    relation.kind === 'union'
      ? relation.inputs.map((input) => `(${printRows(input, context)})`).join(' UNION ALL ')
      : printRows(relation, context)
  const print: ExpressionPrinter = expressionPrinter(dialect, select)
  const context: Context = { dialect, print, select, slice: part.slice ?? null }
  const set = part.set ?? [...program.keys.keys()]
  const keys = set.flatMap((position) => {
    const key = program.keys[position]
    return key === undefined ? [] : [{ name: keyName(position), key }]
  })
  const only = part.bins ?? part.values
  const bins = only === undefined ? undefined : program.statistics[only]
  const from = printFrom(program, context)
  const statistics = bins === undefined ? program.statistics.filter(({ kind }) => kind !== 'bins') : [bins]
  const tables = tablesOf([program.from, program.where, keys, statistics]).map(
    ({ pool, table }) => `${pool}.${table}`,
  )
  const sql =
    bins?.kind === 'bins'
      ? printBins(bins, keys, from, dialect, print)
      : bins?.kind === 'distinct' || bins?.kind === 'distinct-sum'
        ? printValues(bins, keys, from, dialect, print)
        : printNumbers(program, keys, from, dialect, print)
  return { sql, tables }
}

/** What printing FROM needs, however deep it is nested. */
interface Context {
  readonly dialect: Dialect
  readonly print: ExpressionPrinter
  readonly select: (relation: RowRelation) => string
  readonly slice: Part['slice'] | null
}

interface NamedKey {
  readonly name: string
  readonly key: KeyProgram
}

function printBins(
  { of, low, width, bins }: StatisticProgram & { readonly kind: 'bins' },
  keys: readonly NamedKey[],
  from: string,
  dialect: Dialect,
  print: ExpressionPrinter,
): string {
  const distance = `(${dialect.wide(print.number(of))} - ${dialect.integer(low)})`
  const bin = `least(${dialect.quotient(`greatest(${distance}, 0)`, dialect.wide(dialect.integer(width)))}, ${bins - 1})`
  const placed = `CASE WHEN (${print.number(of)} IS NULL) THEN NULL ELSE ${bin} END`
  const inner = [
    ...keys.map(({ name, key }) => `${printKey(key, print)} AS ${name}`),
    `${placed} AS ${binName}`,
  ]
  const names = [...keys.map(({ name }) => `r.${name}`), `r.${binName}`]
  const outer = [
    ...keys.map((key) => keyText(key, dialect)),
    `${dialect.asText(`r.${binName}`)} AS ${binName}`,
    `${dialect.asText('count(*)')} AS ${statisticName(0)}`,
  ]
  const present = [...keys.map((key) => keyPresent(key, dialect)), `r.${binName} IS NOT NULL`]
  return `SELECT ${outer.join(', ')} FROM (SELECT ${inner.join(', ')} ${from}) AS r WHERE ${present.join(' AND ')} GROUP BY ${names.join(', ')}`
}

/** The distinct values themselves, each once in a group: shards can have the same. */
function printValues(
  statistic: StatisticProgram & { readonly kind: 'distinct' | 'distinct-sum' },
  keys: readonly NamedKey[],
  from: string,
  dialect: Dialect,
  print: ExpressionPrinter,
): string {
  const value = printTerm(statistic, { from: [], unit: 0 }, dialect, print)
  const inner = [
    ...keys.map(({ name, key }) => `${printKey(key, print)} AS ${name}`),
    `${value} AS ${valueName}`,
  ]
  const names = [...keys.map(({ name }) => `r.${name}`), `r.${valueName}`]
  const outer = [
    ...keys.map((key) => keyText(key, dialect)),
    `${dialect.asText(`r.${valueName}`)} AS ${valueName}`,
  ]
  const present = [...keys.map((key) => keyPresent(key, dialect)), `r.${valueName} IS NOT NULL`]
  return `SELECT ${outer.join(', ')} FROM (SELECT ${inner.join(', ')} ${from}) AS r WHERE ${present.join(' AND ')} GROUP BY ${names.join(', ')}`
}

function printNumbers(
  program: Program,
  keys: readonly NamedKey[],
  from: string,
  dialect: Dialect,
  print: ExpressionPrinter,
): string {
  const { bounding, statistics } = program
  const listed = statistics.flatMap((statistic, position) =>
    statistic.kind === 'bins' ? [] : [{ statistic, name: statisticName(position) }],
  )
  const inner = [
    ...keys.map(({ name, key }) => `${printKey(key, print)} AS ${name}`),
    ...listed.map(({ statistic, name }) => `${printTerm(statistic, program, dialect, print)} AS ${name}`),
  ]
  const present = keys.map((key) => keyPresent(key, dialect))
  const where = present.length === 0 ? '' : ` WHERE ${present.join(' AND ')}`
  const group = keys.length === 0 ? '' : ` GROUP BY ${keys.map(({ name }) => `r.${name}`).join(', ')}`
  const keyTexts = keys.map((key) => keyText(key, dialect))
  if (bounding.kind === 'rank') {
    const totals = listed.map(
      ({ statistic, name }) => `${dialect.asText(totalOf(statistic, `r.${name}`))} AS ${name}`,
    )
    return `SELECT ${[...keyTexts, ...totals].join(', ')} FROM (SELECT ${inner.join(', ')} ${from}) AS r${where}${group}`
  }
  // Per contributor and group first, so that each weighs at most what it may, then at most so many groups of each.
  const names = keys.map(({ name }) => name)
  const listedNames = listed.map(({ name }) => name)
  const through = (from_: string, columns: readonly string[]) =>
    columns.map((name) => `${from_}.${name} AS ${name}`)
  const weights = listed.map(
    ({ statistic, name }) => `${weightOf(statistic, `r.${name}`, bounding.rows, dialect)} AS ${name}`,
  )
  const contributor = `${contributorOf(unitsOf(program))} AS u`
  const rows = `SELECT ${[contributor, ...inner].join(', ')} ${from}`
  const perGroup = ['r.u', ...names.map((name) => `r.${name}`)].join(', ')
  const per = `SELECT ${['r.u AS u', ...through('r', names), ...weights].join(', ')} FROM (${rows}) AS r${where} GROUP BY ${perGroup}`
  const totals = listed.map(({ name }) => `${dialect.asText(`coalesce(sum(r.${name}), 0)`)} AS ${name}`)
  if (names.length === 0) return `SELECT ${totals.join(', ')} FROM (${per}) AS r`
  const order = dialect.order(
    'p.u',
    names.map((name) => `p.${name}`),
  )
  const ranked = `SELECT ${[...through('p', names), ...through('p', listedNames)].join(', ')}, row_number() OVER (PARTITION BY p.u ORDER BY ${order}) AS g FROM (${per}) AS p`
  return `SELECT ${[...keyTexts, ...totals].join(', ')} FROM (${ranked}) AS r WHERE r.g <= ${bounding.groups}${group}`
}

function printKey(key: KeyProgram, print: ExpressionPrinter): string {
  if ('open' in key) return key.open === 'text' ? print.text(key.text) : print.number(key.number)
  if ('listed' in key) return print.value(key.listed)
  const cases = key.branches.map(({ when, code }) => `WHEN ${print.condition(when)} THEN ${code}`)
  const last = key.otherwise === null ? 'NULL' : String(key.otherwise)
  return cases.length === 0 ? last : `CASE ${cases.join(' ')} ELSE ${last} END`
}

/** The values of a listed key as literals. */
function literalsOf(key: ListedKey, dialect: Dialect): readonly string[] {
  return key.values.map((value) =>
    typeof value === 'boolean'
      ? value
        ? 'TRUE'
        : 'FALSE'
      : key.listed.type === 'number'
        ? dialect.integer(value)
        : dialect.text(value),
  )
}

/** The ends of a list of whole numbers without gaps: a comparison is cheaper than a long list. */
function runOf(
  values: readonly (string | boolean)[],
): { readonly first: string; readonly last: string } | null {
  const units = values.map((value) => BigInt(String(value)))
  const [first] = units
  const last = units.at(-1)
  if (first === undefined || last === undefined) return null
  const gapless = units.every((value, index) => value === first + BigInt(index))
  return gapless ? { first: String(first), last: String(last) } : null
}

/** Rows that are in a group at all. */
function keyPresent({ name, key }: NamedKey, dialect: Dialect, relation = 'r'): string {
  const column = `${relation}.${name}`
  if (!('listed' in key)) return `${column} IS NOT NULL`
  const run = key.listed.type === 'number' ? runOf(key.values) : null
  const listed =
    run === null
      ? `${column} IN (${literalsOf(key, dialect).join(', ')})`
      : `(${column} >= ${dialect.integer(run.first)} AND ${column} <= ${dialect.integer(run.last)})`
  return key.missing === null ? listed : `(${listed} OR ${column} IS NULL)`
}

/** The code of a group, or the value of an open key, as text. */
function keyText({ name, key }: NamedKey, dialect: Dialect): string {
  const column = `r.${name}`
  if (!('listed' in key)) return `${dialect.asText(column)} AS ${name}`
  const cases = literalsOf(key, dialect).map((literal, code) => `WHEN ${column} = ${literal} THEN ${code}`)
  const last = key.missing === null ? 'NULL' : String(key.missing)
  return `${dialect.asText(`CASE ${cases.join(' ')} ELSE ${last} END`)} AS ${name}`
}

/** What one row adds to a statistic. */
function printTerm(
  statistic: StatisticProgram,
  { from, unit }: Pick<Block, 'from' | 'unit'>,
  dialect: Dialect,
  print: ExpressionPrinter,
): string {
  const contributor = contributorOf(unitsOf({ from, unit }))
  switch (statistic.kind) {
    case 'rows':
    case 'bins':
      return '1'
    case 'contributors':
      return statistic.when === undefined
        ? contributor
        : `CASE WHEN ${print.condition(statistic.when)} THEN ${contributor} ELSE NULL END`
    case 'first-rows': {
      const first = from.map((_, position) => `${alias(position)}.${rankColumn} = 1`)
      return `CASE WHEN (${first.join(' AND ')}) THEN 1 ELSE 0 END`
    }
    case 'matching':
      return `CASE WHEN ${print.condition(statistic.when)} THEN 1 ELSE 0 END`
    case 'sum':
    case 'distinct-sum':
      return dialect.term(`(${print.number(statistic.of)} - ${dialect.integer(statistic.centre)})`)
    case 'distinct': {
      const value = print.value(statistic.of)
      return statistic.when === null
        ? value
        : `CASE WHEN ${print.condition(statistic.when)} THEN ${value} ELSE NULL END`
    }
  }
}

function totalOf(statistic: StatisticProgram, name: string): string {
  if (statistic.kind === 'rows') return 'count(*)'
  if (statistic.kind === 'contributors' || statistic.kind === 'distinct') return `count(DISTINCT ${name})`
  return `coalesce(sum(${statistic.kind === 'distinct-sum' ? 'DISTINCT ' : ''}${name}), 0)`
}

/** What one contributor adds to a group, at most. */
function weightOf(statistic: StatisticProgram, name: string, rows: number, dialect: Dialect): string {
  switch (statistic.kind) {
    case 'rows':
      return `least(count(*), ${rows})`
    case 'contributors':
      return statistic.when === undefined ? '1' : `least(count(${name}), 1)`
    case 'sum': {
      const most = BigInt(statistic.reach) * BigInt(rows)
      return `least(greatest(coalesce(sum(${name}), 0), ${dialect.integer(String(-most))}), ${dialect.integer(String(most))})`
    }
    default:
      return `least(coalesce(sum(${name}), 0), ${rows})`
  }
}

/** FROM and WHERE of a block. */
function printFrom(block: Block, context: Context): string {
  const { dialect, print } = context
  const conditions: string[] = []
  const full = block.from.some(({ join }) => join === 'full')
  const items = block.from.map(({ relation, join, contributor, on, before }, position) => {
    const plain = printRelation(relation, position, context)
    // The rank is kept before any condition: which rows of a contributor count must not depend on the statement.
    const rank =
      relation.kind === 'table'
        ? [`${alias(position)}.${rankColumn} <= ${relation.rows}`, ...inSlice(position, context)]
        : []
    // What a condition beside a full join does not find would be there all the same, without its other half.
    const early = full && relation.kind === 'table'
    const named = early
      ? printEarly(plain, [...rank, ...(before === undefined ? [] : [print.condition(before)])], position)
      : plain
    const kept = early ? [] : rank
    if (position === 0) {
      conditions.push(...kept)
      return `FROM ${named}`
    }
    const linked = contributor
      ? [`${alias(block.unit)}.${contributorColumn} = ${alias(position)}.${contributorColumn}`]
      : []
    const [column] = relation.kind === 'public' ? relation.columns : []
    if (join === 'left' && column !== undefined) {
      const outer = contributorOf(unitsOf(block))
      linked.push(...dialect.outerLink(outer, `${alias(position)}.${identifier(column.name)}`))
    }
    const joined = [...linked, ...kept, ...(on === null ? [] : [print.condition(on)])]
    const verb = join === 'left' ? 'LEFT JOIN' : join === 'full' ? 'FULL JOIN' : 'JOIN'
    return `${verb} ${named} ON ${joined.length === 0 ? 'TRUE' : joined.join(' AND ')}`
  })
  if (block.where !== null) conditions.push(print.condition(block.where))
  return `${items.join(' ')}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`
}

/** A table of which only some rows are there before it is joined. */
function printEarly(table: string, conditions: readonly string[], position: number): string {
  return `(SELECT * FROM ${table} WHERE ${conditions.join(' AND ')}) AS ${alias(position)}`
}

/** A joined or nested table has the same contributors, so that a slice is taken of each table by itself. */
function inSlice(position: number, { dialect, slice }: Context): readonly string[] {
  if (slice === null || slice === undefined) return []
  const { of, index } = slice
  const rest = dialect.remainder(
    dialect.wide(`${alias(position)}.${contributorColumn}`),
    dialect.wide(dialect.integer(String(of))),
  )
  // What is left of a negative number is negative.
  return [`(${rest} IN (${dialect.integer(String(index))}, ${dialect.integer(String(index - of))}))`]
}

function printRelation(relation: Relation, position: number, { dialect, select }: Context): string {
  switch (relation.kind) {
    case 'table':
      return `${identifier(relation.pool)}.${identifier(relation.table)} AS ${alias(position)}`
    case 'public':
      return dialect.publicRows(relation, alias(position))
    default:
      return `(${select(relation)}) AS ${alias(position)}`
  }
}

/** A relation of contributors as a SELECT whose first column is the contributor. */
function printRows(relation: SelectRelation, context: Context): string {
  const { print } = context
  const contributor = contributorOf(unitsOf(relation))
  const columns = [
    `${contributor} AS ${contributorColumn}`,
    ...relation.columns.map(({ name, value }) => `${print.value(value)} AS ${identifier(name)}`),
  ]
  const group =
    relation.perContributor === null
      ? ''
      : ` GROUP BY ${[contributor, ...relation.perContributor.map(print.value)].join(', ')}`
  const having = relation.having === null ? '' : ` HAVING ${print.condition(relation.having)}`
  return `SELECT ${relation.distinct ? 'DISTINCT ' : ''}${columns.join(', ')} ${printFrom(relation, context)}${group}${having}`
}
