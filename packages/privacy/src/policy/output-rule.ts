import type { PoolPolicy } from './policy.js'

/** What an answer may be at most: the strictest rule of the pools in it. */
export interface OutputRule {
  /** Rows that may leave, or null where no pool bounds them. */
  readonly maximumRows: number | null
  /** Significant digits that released numbers keep, or null where no pool bounds them. */
  readonly significantDigits: number | null
}

/**
 * The strictest rules on output among policies.
 *
 * @param policies - Of all pools that an answer is made of.
 * @returns The rule; null when no policy has any.
 * @example
 * ```ts
 * import { outputRuleOf } from '@sealpool/privacy'
 * const output = outputRuleOf([{ output: { significantDigits: 3 } }, { output: { significantDigits: 2 } }, {}])
 * console.assert(output?.significantDigits === 2 && output.maximumRows === null)
 * ```
 */
export function outputRuleOf(policies: readonly Pick<PoolPolicy, 'output'>[]): OutputRule | null {
  const least = (field: keyof OutputRule): number | null => {
    const values = policies.flatMap(({ output }) => output?.[field] ?? [])
    return values.length === 0 ? null : Math.min(...values)
  }
  const rule = { maximumRows: least('maximumRows'), significantDigits: least('significantDigits') }
  return rule.maximumRows === null && rule.significantDigits === null ? null : rule
}
