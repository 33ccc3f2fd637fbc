import { contributorColumn, rankColumn } from '../catalogue/catalogue.js'
import type { Expectation } from '../engine/engine.js'
import type { KeyProgram, Program, StatisticProgram } from '../plan/program.js'
import type { Condition, NumberExpression, TextExpression } from '../type/expression.js'

/** A statement and what it must be when DuckDB's own parser reads it. */
export interface PrintedStatement extends Expectation {
  readonly sql: string
}

/** Names of the printed statement's columns: `k0`, `k1`, ... codes of keys, `s0`, `s1`, ... statistics. */
export const keyName = (position: number) => `k${position}`
export const statisticName = (position: number) => `s${position}`

/**
 * Prints a program as one DuckDB SELECT. Its answer has a row for each group that has rows, with the keys' codes and
 * the exact integers as text. The statement holds no text of the user other than quoted literals.
 */
export function printDuckDb(program: Program): PrintedStatement {
  const { sources, keys, statistics } = program
  const inner = [
    ...keys.map((key, position) => `${printKey(key)} AS ${keyName(position)}`),
    ...statistics.map((statistic, position) => `${printTerm(statistic)} AS ${statisticName(position)}`),
  ]
  const tables = sources.map(({ pool, table }) => `${pool}.${table}`)
  const from = sources.map(({ pool, table }, position) => {
    const name = `${identifier(pool)}.${identifier(table)} AS ${alias(position)}`
    return position === 0
      ? `FROM ${name}`
      : `JOIN ${name} ON ${alias(0)}.${contributorColumn} = ${alias(position)}.${contributorColumn}`
  })
  // The rank is kept before any condition: which rows of a contributor count must not depend on the statement.
  const conditions = sources.map(({ rows }, position) => `${alias(position)}.${rankColumn} <= ${rows}`)
  if (program.where !== null) conditions.push(printCondition(program.where))
  const select = `SELECT ${inner.join(', ')} ${from.join(' ')} WHERE ${conditions.join(' AND ')}`
  const outer = [
    ...keys.map((_, position) => `CAST(r.${keyName(position)} AS VARCHAR) AS ${keyName(position)}`),
    ...statistics.map((statistic, position) => printTotal(statistic, position)),
  ]
  const present = keys.map((_, position) => `r.${keyName(position)} IS NOT NULL`)
  const where = present.length === 0 ? '' : ` WHERE ${present.join(' AND ')}`
  const group =
    keys.length === 0 ? '' : ` GROUP BY ${keys.map((_, position) => `r.${keyName(position)}`).join(', ')}`
  return { sql: `SELECT ${outer.join(', ')} FROM (${select}) AS r${where}${group}`, tables }
}

const alias = (position: number) => `t${position}`

/** A quoted name: policies' names are lower-case ASCII, quotes are doubled all the same. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A quoted text: DuckDB reads no escapes in plain strings. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** An integer literal; anything else would be a fault of the planner. */
function integer(units: string): string {
  if (!/^-?[0-9]{1,38}$/.test(units)) throw new RangeError('not an integer of at most 38 digits')
  return units.startsWith('-') ? `(${units})` : units
}

function printKey({ branches, otherwise }: KeyProgram): string {
  const cases = branches.map(({ when, code }) => `WHEN ${printCondition(when)} THEN ${code}`)
  const last = otherwise === null ? 'NULL' : String(otherwise)
  return cases.length === 0 ? last : `CASE ${cases.join(' ')} ELSE ${last} END`
}

/** What one row adds to a statistic. */
function printTerm(statistic: StatisticProgram): string {
  switch (statistic.kind) {
    case 'rows':
      return '1'
    case 'contributors':
      return `${alias(0)}.${contributorColumn}`
    case 'matching':
      return `CASE WHEN ${printCondition(statistic.when)} THEN 1 ELSE 0 END`
    case 'sum':
      return `(${printNumber(statistic.of)} - ${integer(statistic.centre)})`
  }
}

function printTotal(statistic: StatisticProgram, position: number): string {
  const name = statisticName(position)
  const total =
    statistic.kind === 'rows'
      ? 'count(*)'
      : statistic.kind === 'contributors'
        ? `count(DISTINCT r.${name})`
        : `coalesce(sum(r.${name}), 0)`
  return `CAST(${total} AS VARCHAR) AS ${name}`
}

function printColumn(source: number, column: string): string {
  return `${alias(source)}.${identifier(column)}`
}

/**
 * Prints a number in fixed point. Columns are 64-bit; what is computed from them is 128-bit, which the ranges of the
 * planner never leave. TRY makes a value that does not fit null, never an error.
 */
export function printNumber(expression: NumberExpression): string {
  switch (expression.kind) {
    case 'column': {
      const { source, column, decimals, clamp } = expression
      const name = printColumn(source, column)
      const fixed = decimals === 0 ? name : `round(${name} * 1${'0'.repeat(decimals)})`
      const value = `TRY(CAST(${fixed} AS BIGINT))`
      return clamp === null
        ? value
        : // least and greatest skip nulls, so a missing value must be kept missing.
          `CASE WHEN ${name} IS NULL THEN NULL ELSE least(greatest(${value}, ${integer(clamp.low)}), ${integer(clamp.high)}) END`
    }
    case 'constant':
      return integer(expression.units)
    case 'scale':
      return `(CAST(${printNumber(expression.operand)} AS HUGEINT) * ${integer(expression.factor)})`
    case 'add':
    case 'subtract':
    case 'multiply': {
      const operator = { add: '+', subtract: '-', multiply: '*' }[expression.kind]
      const [left, right] = [expression.left, expression.right].map(
        (operand) => `CAST(${printNumber(operand)} AS HUGEINT)`,
      )
      return `(${left} ${operator} ${right})`
    }
    case 'case': {
      const value = (result: NumberExpression | null) =>
        result === null ? 'CAST(NULL AS HUGEINT)' : `CAST(${printNumber(result)} AS HUGEINT)`
      const cases = expression.branches.map(
        ({ when, result }) => `WHEN ${printCondition(when)} THEN ${value(result)}`,
      )
      return `CASE ${cases.join(' ')} ELSE ${value(expression.otherwise)} END`
    }
  }
}

function printText(expression: TextExpression): string {
  return expression.kind === 'text'
    ? text(expression.value)
    : printColumn(expression.source, expression.column)
}

/** Prints a condition, always in parentheses, so that no operator's precedence decides anything. */
export function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'compare':
      return `(${printNumber(condition.left)} ${condition.operator} ${printNumber(condition.right)})`
    case 'compare-text':
      return `(${printText(condition.left)} ${condition.operator} ${printText(condition.right)})`
    case 'compare-flag':
      return `(${printCondition(condition.left)} ${condition.operator} ${printCondition(condition.right)})`
    case 'flag':
      return `(${printColumn(condition.source, condition.column)})`
    case 'truth':
      return condition.value === null ? '(CAST(NULL AS BOOLEAN))' : `(${condition.value ? 'TRUE' : 'FALSE'})`
    case 'and':
    case 'or':
      return `(${condition.operands.map(printCondition).join(condition.kind === 'and' ? ' AND ' : ' OR ')})`
    case 'not':
      return `(NOT ${printCondition(condition.operand)})`
    case 'in-numbers':
      return printMembers(printNumber(condition.operand), condition.items.map(integer))
    case 'in-texts':
      return printMembers(printText(condition.operand), condition.items.map(text))
    case 'null-number':
      return `(${printNumber(condition.operand)} IS NULL)`
    case 'null-text':
      return `(${printText(condition.operand)} IS NULL)`
    case 'null-flag':
      return `(${printCondition(condition.operand)} IS NULL)`
    case 'is-true':
      return `(coalesce(${printCondition(condition.operand)}, ${condition.value ? 'FALSE' : 'TRUE'}) = ${condition.value ? 'TRUE' : 'FALSE'})`
  }
}

function printMembers(operand: string, items: readonly string[]): string {
  return items.length === 0 ? '(FALSE)' : `(${operand} IN (${items.join(', ')}))`
}
