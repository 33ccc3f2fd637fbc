import { currencyData } from './currency-data.js'
import { decimalText, roundDecimal } from './decimal-text.js'

/** Signs that stand for one currency alone; `$`, `kr` and `¥` do not. */
const signs: Readonly<Record<string, string>> = {
  '€': 'EUR',
  '£': 'GBP',
  US$: 'USD',
  C$: 'CAD',
  A$: 'AUD',
  NZ$: 'NZD',
  HK$: 'HKD',
  S$: 'SGD',
  R$: 'BRL',
  '₹': 'INR',
  '₩': 'KRW',
  '₽': 'RUB',
  '₺': 'TRY',
  '₫': 'VND',
  '₪': 'ILS',
  '₦': 'NGN',
  '₴': 'UAH',
  '₱': 'PHP',
  '฿': 'THB',
  '₡': 'CRC',
  '₲': 'PYG',
  '₵': 'GHS',
  '₸': 'KZT',
  '₮': 'MNT',
  '₾': 'GEL',
  zł: 'PLN',
  Kč: 'CZK',
  'CN¥': 'CNY',
  'JP¥': 'JPY',
  Fr: 'CHF',
  'Fr.': 'CHF',
  NT$: 'TWD',
  MX$: 'MXN',
}

let byCode: Map<string, { readonly code: string; readonly decimals: number }> | undefined

function table() {
  if (byCode !== undefined) return byCode
  byCode = new Map()
  for (const entry of currencyData.flatMap((part) => part.split(' '))) {
    const found = { code: entry.slice(0, 3), decimals: Number(entry.slice(6)) }
    byCode.set(found.code, found)
    byCode.set(entry.slice(3, 6), found)
  }
  return byCode
}

/**
 * The currency that a text names.
 *
 * @param text - ISO 4217 code in letters or digits, or a sign that stands for one currency alone
 * @returns the alphabetic code, or null; `$` alone is null, because twenty currencies have it
 */
export function currencyCode(text: string): string | null {
  const trimmed = text.trim()
  if (Object.hasOwn(signs, trimmed)) return signs[trimmed] ?? null
  return /^([A-Za-z]{3}|\d{3})$/.test(trimmed) ? (table().get(trimmed.toUpperCase())?.code ?? null) : null
}

/**
 * Places of a currency's minor unit.
 *
 * @param code - alphabetic ISO 4217 code
 * @returns for example 2, 0 for JPY, 3 for KWD; or null
 */
export function currencyDecimals(code: string): number | null {
  return /^[A-Z]{3}$/.test(code) ? (table().get(code)?.decimals ?? null) : null
}

/**
 * An amount of money with its currency in front or behind.
 *
 * @param text - for example `1.234,50 €`
 * @param options - `decimal`: the separator of decimals; `currency`: ISO code for texts that name none
 * @returns amount with the currency's places and its code, or null; more places than the currency has are refused
 *
 * @example
 * ```ts
 * import { moneyAmount } from '@sealpool/refine/normalise'
 * console.log(moneyAmount('1.234,50 €', { decimal: ',' })) // { amount: '1234.50', currency: 'EUR' }
 * ```
 */
export function moneyAmount(
  text: string,
  options: { readonly decimal: '.' | ','; readonly currency?: string },
): { readonly amount: string; readonly currency: string } | null {
  const match =
    /^\s*([+\u2212-]?)\s*([^\d\s.,+\u2212-][^\d\s]*)?\s*([+\u2212-]?[\d.,'\u2019\u00a0\u202f ]*\d)\s*([^\d\s.,][^\d]*)?\s*$/.exec(
      text,
    )
  if (match === null || text.length > 100) return null
  const [, sign = '', before, number = '', after] = match
  const named = before ?? after
  if (before !== undefined && after !== undefined) return null
  const currency = currencyCode(named?.trim() ?? options.currency ?? '')
  const plain = decimalText(`${sign}${number}`, options)
  if (currency === null || plain === null) return null
  const decimals = currencyDecimals(currency) ?? 2
  const fraction = plain.split('.')[1]?.replace(/0+$/, '') ?? ''
  const amount = fraction.length > decimals ? null : roundDecimal(plain, decimals)
  return amount === null ? null : { amount, currency }
}
