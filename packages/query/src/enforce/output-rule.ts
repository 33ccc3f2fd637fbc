import type { PlanPool } from '../catalogue/catalogue.js'

/** What an answer may be at most: the strictest rule of the pools in it, null where none has one. */
export interface OutputRule {
  readonly maximumRows: number | null
  readonly significantDigits: number | null
}

/** The strictest rules of pools; null when no pool has any. */
export function outputRuleOf(pools: readonly PlanPool[]): OutputRule | null {
  const least = (field: 'maximumRows' | 'significantDigits'): number | null => {
    const values = pools.flatMap(({ policy }) => policy.output?.[field] ?? [])
    return values.length === 0 ? null : Math.min(...values)
  }
  const rule = { maximumRows: least('maximumRows'), significantDigits: least('significantDigits') }
  return rule.maximumRows === null && rule.significantDigits === null ? null : rule
}
