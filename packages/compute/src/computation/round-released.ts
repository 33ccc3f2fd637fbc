import { roundOutwards } from '@sealpool/privacy'

/**
 * Holds a released number to the digits that the policies let leave. It looks at released numbers only.
 *
 * @param released - A value with the ends of its interval.
 * @param digits - Significant digits, or null where no policy bounds them.
 * @returns The same with its numbers rounded, the interval outwards.
 */
export function roundReleased<
  Released extends { readonly value: number; readonly low: number; readonly high: number },
>(released: Released, digits: number | null): Released {
  if (digits === null) return released
  return {
    ...released,
    value: Number(released.value.toPrecision(digits)),
    low: roundOutwards(released.low, digits, -1),
    high: roundOutwards(released.high, digits, 1),
  }
}
