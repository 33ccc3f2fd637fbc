/**
 * Units by UCUM code (The Unified Code for Units of Measure, version 2.1): conversion by exact fractions, so that no machine rounds
 * otherwise than another.
 */
import { type Fraction, fractionOf, isPlaces, printFraction } from './decimal-text.js'

interface Unit {
  readonly kind: string
  /** One unit in the kind's base unit, as decimal text or a fraction. */
  readonly factor: string | readonly [numerator: string, denominator: string]
  /** Added after the factor, for temperatures: base = value * factor + offset. */
  readonly offset?: readonly [numerator: string, denominator: string]
}

const unit = (kind: string, factor: Unit['factor'], offset?: Unit['offset']): Unit =>
  offset === undefined ? { kind, factor } : { kind, factor, offset }

/** UCUM code to unit. The international foot is 0.3048 m, the avoirdupois pound 0.45359237 kg, the calorie thermochemical. */
const units: Readonly<Record<string, Unit>> = {
  m: unit('length', '1'),
  km: unit('length', '1000'),
  dm: unit('length', '0.1'),
  cm: unit('length', '0.01'),
  mm: unit('length', '0.001'),
  um: unit('length', '0.000001'),
  '[in_i]': unit('length', '0.0254'),
  '[ft_i]': unit('length', '0.3048'),
  '[yd_i]': unit('length', '0.9144'),
  '[mi_i]': unit('length', '1609.344'),
  '[nmi_i]': unit('length', '1852'),
  g: unit('mass', '1'),
  kg: unit('mass', '1000'),
  mg: unit('mass', '0.001'),
  ug: unit('mass', '0.000001'),
  t: unit('mass', '1000000'),
  '[oz_av]': unit('mass', '28.349523125'),
  '[lb_av]': unit('mass', '453.59237'),
  '[stone_av]': unit('mass', '6350.29318'),
  s: unit('time', '1'),
  ms: unit('time', '0.001'),
  min: unit('time', '60'),
  h: unit('time', '3600'),
  d: unit('time', '86400'),
  wk: unit('time', '604800'),
  'm/s': unit('speed', '1'),
  'km/h': unit('speed', ['5', '18']),
  '[mi_i]/h': unit('speed', '0.44704'),
  '[kn_i]': unit('speed', ['463', '900']),
  '[ft_i]/s': unit('speed', '0.3048'),
  J: unit('energy', '1'),
  kJ: unit('energy', '1000'),
  MJ: unit('energy', '1000000'),
  cal: unit('energy', '4.184'),
  kcal: unit('energy', '4184'),
  '[Cal]': unit('energy', '4184'),
  'W.h': unit('energy', '3600'),
  'kW.h': unit('energy', '3600000'),
  W: unit('power', '1'),
  kW: unit('power', '1000'),
  '[HP]': unit('power', '745.69987158227022'),
  Pa: unit('pressure', '1'),
  hPa: unit('pressure', '100'),
  kPa: unit('pressure', '1000'),
  bar: unit('pressure', '100000'),
  mbar: unit('pressure', '100'),
  'mm[Hg]': unit('pressure', '133.322'),
  '[psi]': unit('pressure', '6894.757293168361'),
  "[in_i'Hg]": unit('pressure', '3386.3788'),
  'cm[H2O]': unit('pressure', '98.0665'),
  L: unit('volume', '1'),
  mL: unit('volume', '0.001'),
  dL: unit('volume', '0.1'),
  m3: unit('volume', '1000'),
  '[gal_us]': unit('volume', '3.785411784'),
  '[qt_us]': unit('volume', '0.946352946'),
  '[pt_us]': unit('volume', '0.473176473'),
  '[cup_us]': unit('volume', '0.2365882365'),
  '[foz_us]': unit('volume', '0.0295735295625'),
  '[gal_br]': unit('volume', '4.54609'),
  '[pt_br]': unit('volume', '0.56826125'),
  '[foz_br]': unit('volume', '0.0284130625'),
  m2: unit('area', '1'),
  km2: unit('area', '1000000'),
  cm2: unit('area', '0.0001'),
  har: unit('area', '10000'),
  '[sft_i]': unit('area', '0.09290304'),
  '[acr_br]': unit('area', '4046.8564224'),
  K: unit('temperature', '1'),
  Cel: unit('temperature', '1', ['27315', '100']),
  '[degF]': unit('temperature', ['5', '9'], ['45967', '180']),
  '1': unit('ratio', '1'),
  '%': unit('ratio', '0.01'),
  '[ppth]': unit('ratio', '0.001'),
  '[ppm]': unit('ratio', '0.000001'),
  '/s': unit('frequency', '1'),
  Hz: unit('frequency', '1'),
  kHz: unit('frequency', '1000'),
  '/min': unit('frequency', ['1', '60']),
  '/h': unit('frequency', ['1', '3600']),
  '/d': unit('frequency', ['1', '86400']),
  bit: unit('information', '1'),
  kbit: unit('information', '1000'),
  Mbit: unit('information', '1000000'),
  Gbit: unit('information', '1000000000'),
  By: unit('information', '8'),
  kBy: unit('information', '8000'),
  MBy: unit('information', '8000000'),
  GBy: unit('information', '8000000000'),
  KiBy: unit('information', '8192'),
  MiBy: unit('information', '8388608'),
  GiBy: unit('information', '8589934592'),
  rad: unit('angle', '1'),
  'mmol/L': unit('substance concentration', '1'),
  'umol/L': unit('substance concentration', '0.001'),
  'mg/dL': unit('mass concentration', '1'),
  'mL/(kg.min)': unit('oxygen uptake', '1'),
  'kcal/(kg.h)': unit('specific power', '1'),
  '[iU]': unit('arbitrary', '1'),
  lx: unit('illuminance', '1'),
  '[diop]': unit('refraction', '1'),
  'g/L': unit('mass concentration', '100'),
  'g/dL': unit('mass concentration', '1000'),
}

/**
 * What is written in one case only: Apple's Health writes `Cal` for the kilocalorie (`cal` is a thousandth of it), `D` for the dioptre;
 * `Mb` with a small b are bits, `mb` is what people write for megabytes.
 */
const exactNames: Readonly<Record<string, string>> = {
  Cal: 'kcal',
  Cals: 'kcal',
  Mb: 'Mbit',
  Gb: 'Gbit',
  Kb: 'kbit',
  D: '[diop]',
  IU: '[iU]',
}

/** What people and exports write, lower case without points, to the UCUM code. */
const names: Readonly<Record<string, string>> = {
  meter: 'm',
  meters: 'm',
  metre: 'm',
  metres: 'm',
  kilometer: 'km',
  kilometers: 'km',
  kilometre: 'km',
  kilometres: 'km',
  kms: 'km',
  centimeter: 'cm',
  centimeters: 'cm',
  centimetre: 'cm',
  centimetres: 'cm',
  millimeter: 'mm',
  millimeters: 'mm',
  millimetre: 'mm',
  inch: '[in_i]',
  inches: '[in_i]',
  in: '[in_i]',
  '"': '[in_i]',
  foot: '[ft_i]',
  feet: '[ft_i]',
  ft: '[ft_i]',
  "'": '[ft_i]',
  yard: '[yd_i]',
  yards: '[yd_i]',
  yd: '[yd_i]',
  mile: '[mi_i]',
  miles: '[mi_i]',
  mi: '[mi_i]',
  'nautical mile': '[nmi_i]',
  'nautical miles': '[nmi_i]',
  nmi: '[nmi_i]',
  gram: 'g',
  grams: 'g',
  gramme: 'g',
  kilogram: 'kg',
  kilograms: 'kg',
  kgs: 'kg',
  kilo: 'kg',
  milligram: 'mg',
  milligrams: 'mg',
  microgram: 'ug',
  micrograms: 'ug',
  µg: 'ug',
  μg: 'ug',
  mcg: 'ug',
  tonne: 't',
  tonnes: 't',
  pound: '[lb_av]',
  pounds: '[lb_av]',
  lb: '[lb_av]',
  lbs: '[lb_av]',
  ounce: '[oz_av]',
  ounces: '[oz_av]',
  oz: '[oz_av]',
  stone: '[stone_av]',
  stones: '[stone_av]',
  st: '[stone_av]',
  second: 's',
  seconds: 's',
  sec: 's',
  secs: 's',
  minute: 'min',
  minutes: 'min',
  mins: 'min',
  hour: 'h',
  hours: 'h',
  hr: 'h',
  hrs: 'h',
  day: 'd',
  days: 'd',
  week: 'wk',
  weeks: 'wk',
  millisecond: 'ms',
  milliseconds: 'ms',
  'km/hr': 'km/h',
  kph: 'km/h',
  kmh: 'km/h',
  'kmh-1': 'km/h',
  mph: '[mi_i]/h',
  'mi/h': '[mi_i]/h',
  'mi/hr': '[mi_i]/h',
  knot: '[kn_i]',
  knots: '[kn_i]',
  kn: '[kn_i]',
  kt: '[kn_i]',
  mps: 'm/s',
  'ft/s': '[ft_i]/s',
  joule: 'J',
  joules: 'J',
  kilojoule: 'kJ',
  kilojoules: 'kJ',
  calorie: 'cal',
  calories: 'cal',
  kilocalorie: 'kcal',
  kilocalories: 'kcal',
  kwh: 'kW.h',
  wh: 'W.h',
  watt: 'W',
  watts: 'W',
  hp: '[HP]',
  horsepower: '[HP]',
  pascal: 'Pa',
  mmhg: 'mm[Hg]',
  psi: '[psi]',
  inhg: "[in_i'Hg]",
  cmaq: 'cm[H2O]',
  cmh2o: 'cm[H2O]',
  liter: 'L',
  liters: 'L',
  litre: 'L',
  litres: 'L',
  l: 'L',
  milliliter: 'mL',
  milliliters: 'mL',
  millilitre: 'mL',
  ml: 'mL',
  dl: 'dL',
  gallon: '[gal_us]',
  gallons: '[gal_us]',
  gal: '[gal_us]',
  quart: '[qt_us]',
  quarts: '[qt_us]',
  qt: '[qt_us]',
  pint: '[pt_us]',
  pt: '[pt_us]',
  pints: '[pt_us]',
  cup: '[cup_us]',
  cups: '[cup_us]',
  cup_us: '[cup_us]',
  pt_us: '[pt_us]',
  pt_imp: '[pt_br]',
  fl_oz_us: '[foz_us]',
  fl_oz_imp: '[foz_br]',
  'ml/min·kg': 'mL/(kg.min)',
  'kcal/hr·kg': 'kcal/(kg.h)',
  lux: 'lx',
  'fl oz': '[foz_us]',
  floz: '[foz_us]',
  'fluid ounce': '[foz_us]',
  'fluid ounces': '[foz_us]',
  'm²': 'm2',
  'm^2': 'm2',
  sqm: 'm2',
  'km²': 'km2',
  hectare: 'har',
  hectares: 'har',
  ha: 'har',
  acre: '[acr_br]',
  acres: '[acr_br]',
  'sq ft': '[sft_i]',
  sqft: '[sft_i]',
  'ft²': '[sft_i]',
  celsius: 'Cel',
  '°c': 'Cel',
  degc: 'Cel',
  c: 'Cel',
  fahrenheit: '[degF]',
  '°f': '[degF]',
  degf: '[degF]',
  f: '[degF]',
  kelvin: 'K',
  percent: '%',
  pct: '%',
  bpm: '/min',
  'count/min': '/min',
  rpm: '/min',
  'beats/min': '/min',
  'count/s': '/s',
  'count/d': '/d',
  hertz: 'Hz',
  byte: 'By',
  bytes: 'By',
  b: 'By',
  kb: 'kBy',
  mb: 'MBy',
  gb: 'GBy',
  kib: 'KiBy',
  mib: 'MiBy',
  gib: 'GiBy',
  count: '1',
}

/**
 * The UCUM code of a unit as people and exports write it. Gallons, pints and cups are those of the United States; bare `C` and `F`
 * are temperatures; units of Apple's Health are known as it writes them (`Cal` is the kilocalorie).
 *
 * @param text - a UCUM code this package converts (they are case-sensitive and go first), or an English name or sign
 * @returns the code, or null
 */
export function unitCode(text: string): string | null {
  const trimmed = text.trim()
  if (Object.hasOwn(units, trimmed)) return trimmed
  if (Object.hasOwn(exactNames, trimmed)) return exactNames[trimmed] ?? null
  // Health names the molar mass: mmol<180.1558800000541>/L.
  const amount = /^([mu]mol)<\d{1,6}(?:\.\d{1,20})?>(\/L)$/.exec(trimmed)
  if (amount !== null) return `${amount[1]}${amount[2]}`
  const key = trimmed.toLowerCase().replace(/\.$/, '').replace(/\s+/g, ' ')
  return Object.hasOwn(names, key) ? (names[key] ?? null) : null
}

function exact(value: Unit['factor']): Fraction {
  const [top, bottom] = typeof value === 'string' ? [value, '1'] : value
  const numerator = fractionOf(top) ?? { numerator: 0n, denominator: 1n }
  const denominator = fractionOf(bottom) ?? { numerator: 1n, denominator: 1n }
  return {
    numerator: numerator.numerator * denominator.denominator,
    denominator: numerator.denominator * denominator.numerator,
  }
}

/**
 * Converts a value between units of one kind, exactly, and rounds once at the end (halves to the even digit).
 *
 * @param value - decimal text or a number
 * @param options - `from`, `to`: units as {@link unitCode} takes them; `decimals`: places of the result, 0 to 17
 * @returns decimal text, or null when the value is no decimal, a unit is unknown, or they are of different kinds
 *
 * @example
 * ```ts
 * import { convertUnit } from '@sealpool/refine/normalise'
 * console.log(convertUnit('26.2', { from: 'miles', to: 'km', decimals: 3 })) // 42.165
 * ```
 */
export function convertUnit(
  value: string | number,
  options: { readonly from: string; readonly to: string; readonly decimals: number },
): string | null {
  const fromCode = unitCode(options.from)
  const toCode = unitCode(options.to)
  const from = fromCode === null ? undefined : units[fromCode]
  const to = toCode === null ? undefined : units[toCode]
  const given = fractionOf(value)
  if (from === undefined || to === undefined || given === null || from.kind !== to.kind) return null
  if (!isPlaces(options.decimals)) return null
  const a = exact(from.factor)
  const b = exact(to.factor)
  const plus = exact(from.offset ?? '0')
  const minus = exact(to.offset ?? '0')
  // ((value * a + plus) - minus) / b over one denominator.
  const common = given.denominator * a.denominator * plus.denominator * minus.denominator
  const base =
    given.numerator * a.numerator * plus.denominator * minus.denominator +
    plus.numerator * given.denominator * a.denominator * minus.denominator -
    minus.numerator * given.denominator * a.denominator * plus.denominator
  return printFraction(
    { numerator: base * b.denominator, denominator: common * b.numerator },
    options.decimals,
  )
}
