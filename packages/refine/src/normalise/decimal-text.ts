const form = /^\s*([+-]?)(\d{1,40})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,3}))?\s*$/

/** An exact fraction. */
export interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/**
 * Reads decimal text, or a number by its shortest text, exactly.
 *
 * @param value - for example `-1.25`, `3e2`
 * @returns the fraction, or null when it is no decimal
 */
export function fractionOf(value: string | number): Fraction | null {
  const match = form.exec(String(value))
  if (match === null) return null
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  const shift = Number(exponent) - fraction.length
  if (Math.abs(shift) > 400) return null
  return shift >= 0
    ? { numerator: digits * 10n ** BigInt(shift), denominator: 1n }
    : { numerator: digits, denominator: 10n ** BigInt(-shift) }
}

/**
 * Prints a fraction with a fixed number of places; halves go to the even digit.
 *
 * @param fraction - the fraction, denominator positive
 * @param places - digits behind the point
 * @returns decimal text
 */
export function printFraction({ numerator, denominator }: Fraction, places: number): string {
  const negative = numerator < 0n
  const scaled = (negative ? -numerator : numerator) * 10n ** BigInt(places)
  let whole = scaled / denominator
  const twice = (scaled % denominator) * 2n
  if (twice > denominator || (twice === denominator && whole % 2n === 1n)) whole += 1n
  const digits = whole.toString().padStart(places + 1, '0')
  const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
  return negative && whole !== 0n ? `-${text}` : text
}

/** @param places - of a result @returns may it have so many? */
export function isPlaces(places: number): boolean {
  return Number.isInteger(places) && places >= 0 && places <= 17
}

/**
 * Rounds a decimal to a fixed number of places, exactly; halves go to the even digit.
 *
 * @param value - decimal text or a number
 * @param places - 0 to 17
 * @returns decimal text, or null when the value is no decimal or there are no such places
 *
 * @example
 * ```ts
 * import { roundDecimal } from '@sealpool/refine/normalise'
 * console.log(roundDecimal('2.675', 2)) // 2.68
 * ```
 */
export function roundDecimal(value: string | number, places: number): string | null {
  const fraction = fractionOf(value)
  return fraction === null || !isPlaces(places) ? null : printFraction(fraction, places)
}

/**
 * Reads a decimal as people write it in a place: separators of thousands and of decimals are said, not guessed.
 *
 * @param text - for example `1.234,56`
 * @param options - `decimal`: `.` or `,`; the other one, blanks and apostrophes may separate thousands, in groups of three
 * @returns plain decimal text, or null
 */
export function decimalText(text: string, options: { readonly decimal: '.' | ',' }): string | null {
  const trimmed = text.trim().replace(/^\u2212/, '-')
  const group = options.decimal === '.' ? ",'\u2019\u00a0\u202f " : ".'\u2019\u00a0\u202f "
  const point = options.decimal === '.' ? '\\.' : ','
  const match = new RegExp(
    `^([+-]?)(\\d{1,3}(?:([${group}])\\d{3}(?:\\3\\d{3})*)|\\d+)(?:${point}(\\d+))?$`,
  ).exec(trimmed)
  if (match === null || trimmed.length > 60) return null
  const [, sign = '', whole = '', , fraction] = match
  const digits = whole.replace(/\D/g, '').replace(/^0+(?=\d)/, '')
  return `${sign === '-' ? '-' : ''}${digits}${fraction === undefined ? '' : `.${fraction}`}`
}
