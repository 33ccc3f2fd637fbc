import type { RowRule } from '@sealpool/privacy'
import { columnDecimals, type PolicyTable } from '../catalogue/catalogue.js'
import { QueryError } from '../errors.js'
import { parseDecimal, rescale } from '../type/decimal.js'
import type { Condition, NumberExpression } from '../type/expression.js'
import { storedMoment, storedRange } from '../type/moment.js'
import { unitsOf } from '../type/moment-text.js'

/**
 * What a policy's rules on rows say of a table at its place in FROM. They hold in silence: the rows that they leave out are not
 * there for any statement.
 *
 * @returns null for a table without rules
 * @throws QueryError `POLICY_UNSUPPORTED` for a rule on a column that the table has not
 */
export function rowRuleOf(table: PolicyTable, source: number): Condition | null {
  const conditions = (table.rows ?? []).flatMap((rule) => conditionsOf(rule, table, source))
  const [only] = conditions
  if (only === undefined) return null
  return conditions.length === 1 ? only : { kind: 'and', operands: conditions }
}

function conditionsOf(rule: RowRule, table: PolicyTable, source: number): readonly Condition[] {
  const column = table.columns.find(({ name }) => name === rule.column)
  if (column === undefined) throw new QueryError('POLICY_UNSUPPORTED', `${table.name}.rows`)
  if (column.type === 'text') {
    const operand = { kind: 'text-column', source, column: column.name } as const
    return [{ kind: 'in-texts', operand, items: (rule.in ?? []).map(String) }]
  }
  if (column.type === 'boolean') {
    const operand = { kind: 'flag', source, column: column.name } as const
    const values = [...new Set(rule.in ?? [])]
    return [
      { kind: 'or', operands: values.map((value) => ({ kind: 'is-true', value: value === true, operand })) },
    ]
  }
  const range = storedRange(column)
  if (range !== null) {
    const left = storedMoment(source, column.name, range)
    const bound = (operator: '>=' | '<=', text: string | undefined): readonly Condition[] => {
      if (text === undefined) return []
      const units = unitsOf(range.type, text)
      if (units === null) throw new QueryError('POLICY_UNSUPPORTED', `${table.name}.rows`)
      return [{ kind: 'compare', operator, left, right: { kind: 'constant', units: String(units) } }]
    }
    return [...bound('>=', rule.earliest), ...bound('<=', rule.latest)]
  }
  const decimals = columnDecimals(column)
  const left: NumberExpression = { kind: 'column', source, column: column.name, decimals, clamp: null }
  const units = (value: number | string | boolean): string => {
    const decimal = parseDecimal(String(value))
    if (decimal === null) throw new QueryError('POLICY_UNSUPPORTED', `${table.name}.rows`)
    return String(rescale(decimal, decimals, 'down'))
  }
  if (rule.in !== undefined) return [{ kind: 'in-numbers', operand: left, items: rule.in.map(units) }]
  const bound = (operator: '>=' | '<=', value: number | undefined): readonly Condition[] =>
    value === undefined
      ? []
      : [{ kind: 'compare', operator, left, right: { kind: 'constant', units: units(value) } }]
  return [...bound('>=', rule.min), ...bound('<=', rule.max)]
}
