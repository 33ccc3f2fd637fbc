/**
 * Telephone numbers as E.164 with the `libphonenumber-js` package (an optional peer, pure JavaScript; it bundles into a refiner).
 *
 * @module
 */
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min'

/**
 * A telephone number in its one form.
 *
 * @param text - as people write it, at most 60 characters
 * @param options - `country`: ISO 3166-1 alpha-2 code, for numbers without a country code
 * @returns E.164 such as `+4930123456`, or null when the text is no possible number; an extension is dropped
 *
 * @example
 * ```ts
 * import { phoneNumber } from '@sealpool/refine/phone'
 * console.log(phoneNumber('(030) 12 34 56', { country: 'DE' })) // +4930123456
 * ```
 */
export function phoneNumber(text: string, options: { readonly country?: string } = {}): string | null {
  if (text.length > 60) return null
  const number = text.trim().replace(/^tel:/i, '')
  const country = options.country?.toUpperCase()
  if (country !== undefined && !isSupportedCountry(country)) return null
  const found = parsePhoneNumberFromString(
    number,
    country === undefined ? { extract: false } : { extract: false, defaultCountry: country as CountryCode },
  )
  return found?.isPossible() === true ? found.number : null
}
