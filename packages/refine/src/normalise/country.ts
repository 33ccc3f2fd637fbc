import { countryData } from './country-data.js'

/** Other names in common use, in the folded form of {@link folded}. */
const otherNames: Readonly<Record<string, string>> = {
  'united states of america': 'US',
  usa: 'US',
  'us of america': 'US',
  america: 'US',
  'united kingdom': 'GB',
  uk: 'GB',
  'great britain': 'GB',
  britain: 'GB',
  england: 'GB',
  scotland: 'GB',
  wales: 'GB',
  'northern ireland': 'GB',
  'south korea': 'KR',
  'republic of korea': 'KR',
  'korea republic of': 'KR',
  'north korea': 'KP',
  'russian federation': 'RU',
  'czech republic': 'CZ',
  czechia: 'CZ',
  holland: 'NL',
  'the netherlands': 'NL',
  'ivory coast': 'CI',
  "cote d'ivoire": 'CI',
  'viet nam': 'VN',
  burma: 'MM',
  myanmar: 'MM',
  swaziland: 'SZ',
  macedonia: 'MK',
  'cape verde': 'CV',
  'east timor': 'TL',
  'timor-leste': 'TL',
  uae: 'AE',
  'united arab emirates': 'AE',
  turkiye: 'TR',
  'iran islamic republic of': 'IR',
  'syrian arab republic': 'SY',
  'bolivia plurinational state of': 'BO',
  'venezuela bolivarian republic of': 'VE',
  'tanzania united republic of': 'TZ',
  'moldova republic of': 'MD',
  "lao people's democratic republic": 'LA',
  'brunei darussalam': 'BN',
  'hong kong sar': 'HK',
  'palestine state of': 'PS',
  'vatican city': 'VA',
  'holy see': 'VA',
  'republic of ireland': 'IE',
  eire: 'IE',
  deutschland: 'DE',
  espana: 'ES',
  italia: 'IT',
  osterreich: 'AT',
  schweiz: 'CH',
  suisse: 'CH',
  polska: 'PL',
  sverige: 'SE',
  norge: 'NO',
  danmark: 'DK',
  suomi: 'FI',
  brasil: 'BR',
  nippon: 'JP',
  belgie: 'BE',
  belgique: 'BE',
  'democratic republic of the congo': 'CD',
  'republic of the congo': 'CG',
  'congo democratic republic of the': 'CD',
}

/** Codes that are not of ISO 3166-1 and are written all the same. */
const otherCodes: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' }

function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[(),.]/g, ' ')
    .replace(/&/g, ' and ')
    .replace(/\s+/g, ' ')
    .trim()
}

let byText: Map<string, string> | undefined

function table(): Map<string, string> {
  if (byText !== undefined) return byText
  byText = new Map()
  for (const entry of countryData.flatMap((part) => part.split(';'))) {
    const alpha2 = entry.slice(0, 2)
    byText.set(entry.slice(2, 5), alpha2)
    byText.set(entry.slice(5, 8), alpha2)
    byText.set(alpha2, alpha2)
    byText.set(folded(entry.slice(8)), alpha2)
  }
  for (const [name, code] of Object.entries(otherNames)) byText.set(name, code)
  return byText
}

/**
 * The country that a text names.
 *
 * @param text - ISO 3166-1 alpha-2, alpha-3 or numeric code, or a name in English (and some names in their own language)
 * @returns the alpha-2 code, or null
 *
 * @example
 * ```ts
 * import { countryCode } from '@sealpool/refine/normalise'
 * console.log(countryCode('DEU'), countryCode('Czech Republic')) // DE CZ
 * ```
 */
export function countryCode(text: string): string | null {
  if (text.length > 100) return null
  const trimmed = text.trim()
  if (/^[A-Za-z]{2,3}$/.test(trimmed)) {
    const code = trimmed.toUpperCase()
    return table().get(code) ?? otherCodes[code] ?? table().get(trimmed.toLowerCase()) ?? null
  }
  if (/^\d{1,3}$/.test(trimmed)) return table().get(trimmed.padStart(3, '0')) ?? null
  const name = folded(trimmed)
  return /^[a-z]{2}$/.test(name) ? null : (table().get(name) ?? null)
}
