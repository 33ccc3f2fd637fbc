import { contributorColumn, rankColumn } from '../catalogue/catalogue.js'
import type { Condition, NumberExpression, TextExpression, WindowExpression } from '../type/expression.js'
import type { RowRelation, ValueExpression } from '../type/relation.js'
import { type Dialect, identifier } from './dialect.js'

/** Prints expressions of one dialect. `relation` prints what a condition reads from other rows. */
export interface ExpressionPrinter {
  number(expression: NumberExpression): string
  text(expression: TextExpression): string
  condition(condition: Condition): string
  value(expression: ValueExpression): string
}

const smalls = 'abcdefghijklmnopqrstuvwxyz'
const capitals = smalls.toUpperCase()

/** The contributor of a row: of the source that is there. */
export function contributorOf(units: readonly number[]): string {
  const names = units.map((unit) => `${alias(unit)}.${contributorColumn}`)
  return names.length === 1 ? String(names[0]) : `coalesce(${names.join(', ')})`
}

function isValueOfRow(name: WindowExpression['name']): name is 'first_value' | 'last_value' {
  return name === 'first_value' || name === 'last_value'
}

/** The name of a relation in a printed statement. */
export const alias = (position: number) => `t${position}`

/**
 * Makes the printer of a dialect's expressions. Every expression is total: it gives a value or null for every row.
 *
 * @param relation prints a relation of contributors as a SELECT
 */
export function expressionPrinter(
  dialect: Dialect,
  relation: (value: RowRelation) => string,
): ExpressionPrinter {
  const column = (source: number, name: string) => `${alias(source)}.${identifier(name)}`

  const number = (expression: NumberExpression): string => {
    switch (expression.kind) {
      case 'column': {
        const { source, column: named, decimals, clamp } = expression
        const name = column(source, named)
        const value = dialect.column(name, decimals)
        if (clamp === null) return value
        // least and greatest skip nulls; here a missing value stays missing.
        const [low, high] = [dialect.integer(clamp.low), dialect.integer(clamp.high)]
        return `CASE WHEN ${value} < ${low} THEN ${low} WHEN ${value} > ${high} THEN ${high} ELSE ${value} END`
      }
      case 'derived':
        return column(expression.source, expression.column)
      case 'constant':
        return dialect.integer(expression.units)
      case 'scale':
        return `(${dialect.wide(number(expression.operand))} * ${dialect.integer(expression.factor)})`
      case 'add':
      case 'subtract':
      case 'multiply': {
        const operator = { add: '+', subtract: '-', multiply: '*' }[expression.kind]
        return `(${dialect.wide(number(expression.left))} ${operator} ${dialect.wide(number(expression.right))})`
      }
      case 'case': {
        const value = (result: NumberExpression | null) =>
          result === null ? dialect.noWide : dialect.wide(number(result))
        const cases = expression.branches.map(
          ({ when, result }) => `WHEN ${condition(when)} THEN ${value(result)}`,
        )
        return `CASE ${cases.join(' ')} ELSE ${value(expression.otherwise)} END`
      }
      case 'quotient':
      case 'remainder': {
        const left = dialect.wide(number(expression.left))
        const right = dialect.wide(number(expression.right))
        const divided = dialect[expression.kind](left, right)
        return `CASE WHEN (${right} = 0) THEN ${dialect.noWide} ELSE ${divided} END`
      }
      case 'real':
        return real(expression)
      case 'date-part':
        return dialect.wide(dialect.datePart(expression.part, dialect.wide(number(expression.operand))))
      case 'months-added':
        return dialect.wide(
          dialect.monthsAdded(dialect.wide(number(expression.days)), dialect.wide(number(expression.months))),
        )
      case 'text-length': {
        const size = dialect.wide(dialect.length(text(expression.operand)))
        const most = dialect.integer(expression.most)
        return `CASE WHEN (${size} > ${most}) THEN ${dialect.wide(most)} ELSE ${size} END`
      }
      case 'rounded':
        return rounded(expression.mode, expression.factor, dialect.wide(number(expression.operand)))
      case 'window':
        return window(expression)
      case 'per-contributor': {
        const { name, operand, when } = expression
        if (operand === null) {
          return when === null ? 'count(*)' : `count(CASE WHEN ${condition(when)} THEN 1 ELSE NULL END)`
        }
        const value = dialect.wide(number(operand))
        const counted =
          when === null ? value : `CASE WHEN ${condition(when)} THEN ${value} ELSE ${dialect.noWide} END`
        return `${name}(${counted})`
      }
    }
  }

  /** Division by a positive constant, from division towards zero alone. */
  const rounded = (mode: 'floor' | 'ceil' | 'trunc' | 'half', factor: string, value: string): string => {
    const divide = (dividend: string) => dialect.quotient(dividend, dialect.wide(dialect.integer(factor)))
    const rest = dialect.integer(String(BigInt(factor) - 1n))
    switch (mode) {
      case 'trunc':
        return divide(value)
      case 'half': {
        const half = dialect.integer(String(BigInt(factor) / 2n))
        return `CASE WHEN (${value} < 0) THEN ${divide(`(${value} - ${half})`)} ELSE ${divide(`(${value} + ${half})`)} END`
      }
      case 'floor':
        return `CASE WHEN (${value} < 0) THEN ${divide(`(${value} - ${rest})`)} ELSE ${divide(value)} END`
      case 'ceil':
        return `CASE WHEN (${value} > 0) THEN ${divide(`(${value} + ${rest})`)} ELSE ${divide(value)} END`
    }
  }

  /** Outside of its domain a function is asked for something inside, so that no engine fails before CASE leaves it out. */
  const real = (expression: NumberExpression & { readonly kind: 'real' }): string => {
    const { name, operand, operandDecimals, decimals } = expression
    const value = dialect.wide(number(operand))
    const least = name === 'ln' ? '1' : name === 'sqrt' ? '0' : null
    const inside =
      least === null ? value : `CASE WHEN (${value} < ${least}) THEN ${dialect.wide(least)} ELSE ${value} END`
    const argument = `(${dialect.real(inside)} / 1e${operandDecimals})`
    const result = dialect.whole(`(${name}(${argument}) * 1e${decimals})`)
    const [low, high] = [
      dialect.wide(dialect.integer(expression.low)),
      dialect.wide(dialect.integer(expression.high)),
    ]
    const outside = least === null ? '' : `WHEN (${value} < ${least}) THEN ${dialect.noWide} `
    return `CASE ${outside}WHEN (${result} < ${low}) THEN ${low} WHEN (${result} > ${high}) THEN ${high} ELSE ${result} END`
  }

  const window = (expression: WindowExpression): string => {
    const { name, operand, offset, units, ranked } = expression
    const value = operand === null ? null : dialect.wide(number(operand))
    const call =
      name === 'lag' || name === 'lead'
        ? `${name}(${value ?? dialect.noWide}, ${offset})`
        : isValueOfRow(name)
          ? dialect.rowValue(name, value ?? dialect.noWide)
          : `${name}(${value ?? (name === 'count' ? '*' : '')})`
    const partition = [contributorOf(units), ...expression.partitionBy.map(number)]
    const order = expression.orderBy.map(
      ({ value: by, descending, nullsFirst }) =>
        `${number(by)} ${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    )
    // Functions that tell rows of equal value apart must do so alike in every engine and every run.
    const tells = name === 'row_number' || name === 'lag' || name === 'lead' || isValueOfRow(name)
    if (order.length > 0 && (tells || expression.frame?.mode === 'rows')) {
      order.push(...ranked.map((source) => `${alias(source)}.${rankColumn} ASC NULLS LAST`))
    }
    const by = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`
    return `${call} OVER (PARTITION BY ${partition.join(', ')}${by}${frame(expression)})`
  }

  /** For the first and the last of a frame's rows, which are told apart: what is equal in order is not one row. */
  const frame = ({ name, frame: written }: WindowExpression): string => {
    if (written === undefined) return ''
    const end = (offset: number | null, unbounded: string): string => {
      if (offset === null) return unbounded
      if (offset === 0) return 'CURRENT ROW'
      return offset < 0 ? `${-offset} PRECEDING` : `${offset} FOLLOWING`
    }
    const mode = isValueOfRow(name) ? 'ROWS' : written.mode.toUpperCase()
    return ` ${mode} BETWEEN ${end(written.from, 'UNBOUNDED PRECEDING')} AND ${end(written.to, 'UNBOUNDED FOLLOWING')}`
  }

  const text = (expression: TextExpression): string => {
    switch (expression.kind) {
      case 'text':
        return dialect.text(expression.value)
      case 'text-column':
        return column(expression.source, expression.column)
      case 'text-cased': {
        const [from, to] = expression.to === 'lower' ? [capitals, smalls] : [smalls, capitals]
        return dialect.translate(text(expression.operand), from, to)
      }
      case 'text-trimmed':
        return dialect.trim(text(expression.operand))
      case 'text-part':
        return dialect.part(text(expression.operand), expression.from, expression.length)
      case 'text-joined':
        return dialect.concatenate(text(expression.left), text(expression.right))
      case 'text-case':
        break
    }
    const value = (result: TextExpression | null) => (result === null ? 'NULL' : text(result))
    const cases = expression.branches.map(
      ({ when, result }) => `WHEN ${condition(when)} THEN ${value(result)}`,
    )
    return `CASE ${cases.join(' ')} ELSE ${value(expression.otherwise)} END`
  }

  const members = (operand: string, items: readonly string[]): string =>
    items.length === 0 ? '(FALSE)' : `(${operand} IN (${items.join(', ')}))`

  /** Always in parentheses, so that no operator's precedence decides anything. */
  const condition = (value: Condition): string => {
    switch (value.kind) {
      case 'compare':
        return `(${number(value.left)} ${value.operator} ${number(value.right)})`
      case 'compare-text':
        return `(${text(value.left)} ${value.operator} ${text(value.right)})`
      case 'compare-flag':
        return `(${condition(value.left)} ${value.operator} ${condition(value.right)})`
      case 'flag':
        return `(${column(value.source, value.column)})`
      case 'truth':
        return value.value === null ? `(${dialect.noBoolean})` : `(${value.value ? 'TRUE' : 'FALSE'})`
      case 'and':
      case 'or':
        return `(${value.operands.map(condition).join(value.kind === 'and' ? ' AND ' : ' OR ')})`
      case 'not':
        return `(NOT ${condition(value.operand)})`
      case 'in-numbers':
        return members(number(value.operand), value.items.map(dialect.integer))
      case 'in-texts':
        return members(text(value.operand), value.items.map(dialect.text))
      case 'like':
        return dialect.like(text(value.operand), value.pattern)
      case 'member':
        return `(${contributorOf(value.sources)} IN (SELECT m.${contributorColumn} FROM (${relation(value.of)}) AS m))`
      case 'matched':
        return `(${alias(value.source)}.${contributorColumn} IS NOT NULL)`
      case 'null-number':
        return `(${number(value.operand)} IS NULL)`
      case 'null-text':
        return `(${text(value.operand)} IS NULL)`
      case 'null-flag':
        return `(${condition(value.operand)} IS NULL)`
      case 'is-true':
        return `(coalesce(${condition(value.operand)}, ${value.value ? 'FALSE' : 'TRUE'}) = ${value.value ? 'TRUE' : 'FALSE'})`
    }
  }

  const value = (expression: ValueExpression): string => {
    switch (expression.type) {
      case 'number':
        return number(expression.number)
      case 'text':
        return text(expression.text)
      case 'boolean':
        return condition(expression.condition)
    }
  }
  return { number, text, condition, value }
}
