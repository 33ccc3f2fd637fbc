/**
 * Normal forms for mappings: pure functions without clock, locale or host, so that they bundle into a refiner and give the same
 * everywhere. What cannot be brought into its form is null, never a guess.
 *
 * @module
 */
export { countryCode } from './country.js'
export { currencyCode, currencyDecimals, moneyAmount } from './currency.js'
export { calendarDay, epochInstant, spreadsheetDay, utcInstant } from './day.js'
export { decimalText, roundDecimal } from './decimal-text.js'
export { emailAddress } from './email.js'
export { coarsePlace, geohash } from './place.js'
export { convertUnit, unitCode } from './unit.js'
