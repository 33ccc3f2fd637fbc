import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { phoneNumber } from '../phone/index.js'
import { property } from '../testing/property.js'
import { localTime, timeZoneDatabase, zonedInstant, zoneOffset } from '../time-zones/index.js'
import * as normalise from './index.js'

/** The table that `npm run conformance -- refine` runs on the built package. */
const cases = JSON.parse(
  readFileSync(
    fileURLToPath(new URL('../../../../conformance/refine/normalisation.json', import.meta.url)),
    'utf8',
  ),
) as { call: string; with: unknown[]; gives: unknown }[]
const functions: Readonly<Record<string, unknown>> = { ...normalise, phoneNumber, zonedInstant, localTime }
const call = (name: string, given: unknown[]) =>
  (functions[name] as (...args: unknown[]) => unknown)(...given)

describe('the table of normal forms', () => {
  test('has at least 200 cases', () => expect(cases.length).toBeGreaterThanOrEqual(200))

  test.each(cases.map((each) => [`${each.call} ${JSON.stringify(each.with)}`, each] as const))(
    '%s',
    (_, each) => {
      expect(call(each.call, each.with)).toEqual(each.gives)
    },
  )
})

describe('against others', () => {
  const zones = Intl.supportedValuesOf('timeZone')

  test.each(zones)('%s agrees with the host’s Intl at every hour of change and between', (zone) => {
    const format = new Intl.DateTimeFormat('en-CA-u-hc-h23', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    const differing: string[] = []
    // A step that is no divisor of a day, 1980 to 2040: versions of the database differ on what came before.
    for (let at = 315_532_800; at < 2_208_988_800; at += 3_456_789) {
      const instant = new Date(at * 1000).toISOString()
      const part = Object.fromEntries(format.formatToParts(at * 1000).map(({ type, value }) => [type, value]))
      const host = `${part['year']}-${part['month']}-${part['day']}T${part['hour']}:${part['minute']}:${part['second']}`
      if (localTime(instant, zone) !== host) differing.push(`${instant} ${localTime(instant, zone)} ${host}`)
    }
    // The host may carry another version of the database: a zone whose law changed since may differ for some years.
    expect(differing.length, differing.slice(0, 3).join('\n')).toBeLessThan(8)
  })

  test('the version of the database is told', () => expect(timeZoneDatabase).toMatch(/^20\d\d[a-z]$/))

  property(
    'a local time comes back from its instant',
    [
      fc.constantFrom('Europe/Berlin', 'America/New_York', 'Pacific/Apia', 'Asia/Tehran'),
      fc.integer({ min: 0, max: 4e9 }),
    ],
    (zone, seconds) => {
      const instant = normalise.epochInstant(seconds, 's') ?? ''
      const local = localTime(instant, zone) ?? ''
      expect([zonedInstant(local, zone), zonedInstant(local, zone, { twice: 'later' })]).toContain(instant)
      expect(Math.abs(zoneOffset(zone, instant) ?? 1e9)).toBeLessThanOrEqual(15 * 3600)
    },
  )

  test('countries and currencies agree with two packages', () => {
    const require = createRequire(import.meta.url)
    const countries = require('i18n-iso-countries/codes.json') as [string, string, string][]
    for (const [alpha2, alpha3, numeric] of countries) {
      if (alpha2 === 'XK') continue
      for (const text of [alpha2, alpha3, numeric]) expect(normalise.countryCode(text), text).toBe(alpha2)
    }
    const currencies = require('currency-codes/data') as { code: string; number: string; digits: number }[]
    let known = 0
    for (const { code, number, digits } of currencies) {
      if (normalise.currencyCode(code) === null) continue
      known += 1
      // The Caribbean guilder took over the number of the one before it.
      expect(normalise.currencyCode(number)).toBe(code === 'ANG' ? 'XCG' : code)
      expect(normalise.currencyDecimals(code)).toBe(digits)
    }
    expect(known).toBe(166)
  })

  property(
    'a unit there and back is the same within the last place',
    [
      fc.constantFrom(
        ['km', 'mi'],
        ['kg', 'lb'],
        ['Cel', 'degF'],
        ['L', 'gal'],
        ['kJ', 'kcal'],
        ['m/s', 'kn'],
      ),
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
    ],
    ([from = '', to = ''], thousandths) => {
      const value = (thousandths / 1000).toFixed(3)
      const there = normalise.convertUnit(value, { from, to, decimals: 12 }) ?? ''
      expect(normalise.convertUnit(there, { from: to, to: from, decimals: 3 })).toBe(
        normalise.roundDecimal(value, 3),
      )
    },
  )

  property('any text gives a value or null', [fc.string({ unit: 'grapheme', maxLength: 50 })], (text) => {
    for (const given of [
      normalise.countryCode(text),
      normalise.currencyCode(text),
      normalise.emailAddress(text),
      normalise.unitCode(text),
      normalise.calendarDay(text, { order: 'dmy' }),
      normalise.utcInstant(text),
      normalise.moneyAmount(text, { decimal: ',' }),
      phoneNumber(text, { country: 'DE' }),
      zonedInstant(text, 'Europe/Berlin'),
    ]) {
      if (given !== null) expect(given).toBeTruthy()
    }
  })
})
