/** Digits of a text as numbers; everything else is left out. */
export function digitsOf(text: string): number[] {
  return [...text.replace(/[^0-9]/g, '')].map(Number)
}

/**
 * Luhn's check (ISO/IEC 7812-1, annex B).
 *
 * @param digits - With the check digit last.
 * @returns Whether they agree.
 */
export function luhn(digits: readonly number[]): boolean {
  const sum = digits.reduceRight((total, digit, index) => {
    const doubled = (digits.length - 1 - index) % 2 === 1 ? digit * 2 : digit
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return sum % 10 === 0
}

/**
 * Remainder of a long number of digits and letters (A is 10, Z is 35) by 97 (ISO 7064 MOD 97-10).
 *
 * @param text - Digits and Latin letters.
 * @returns Remainder from 0 to 96.
 */
export function modulo97(text: string): number {
  let remainder = 0
  for (const character of text.toUpperCase()) {
    const value = Number.parseInt(character, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder
}

/**
 * Sum of digits times weights.
 *
 * @param digits - Digits.
 * @param weights - As many weights as count.
 * @returns The sum.
 */
export function weighted(digits: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0)
}

/**
 * ISO 7064 MOD 11,10, as in German tax numbers.
 *
 * @param digits - With the check digit last.
 * @returns Whether they agree.
 */
export function modulo11And10(digits: readonly number[]): boolean {
  let product = 10
  for (const digit of digits.slice(0, -1)) {
    const sum = (digit + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === digits.at(-1)
}

/** True when all digits are the same, which no issued number is. */
export function uniform(digits: readonly number[]): boolean {
  return digits.every((digit) => digit === digits[0])
}
