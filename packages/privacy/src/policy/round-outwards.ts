/**
 * Rounds an end of an interval to significant digits so that the interval never becomes narrower.
 *
 * @param value - An end of an interval, finite.
 * @param digits - Significant digits, 1 to 100.
 * @param direction - `-1` for a lower end, `1` for an upper one.
 * @returns The nearest number of so many digits that does not lie inside the interval.
 * @example
 * ```ts
 * import { roundOutwards } from '@sealpool/privacy'
 * console.assert(roundOutwards(12.34, 2, -1) === 12 && roundOutwards(12.34, 2, 1) === 13)
 * ```
 */
export function roundOutwards(value: number, digits: number, direction: -1 | 1): number {
  const near = Number(value.toPrecision(digits))
  if ((value - near) * direction <= 0) return near
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1)
  return Number((near + direction * step).toPrecision(digits))
}
