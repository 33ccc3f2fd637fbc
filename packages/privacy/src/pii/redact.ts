import { PrivacyError } from '../errors.js'
import { keyedFingerprint } from '../sketch/keyed-fingerprint.js'
import { digitsOf } from './check-digit.js'
import type { PiiDetector } from './detect.js'
import type { PiiFinding, PiiType } from './finding.js'
import { foldText } from './folded-text.js'

/**
 * What becomes of a finding: `keep` it; `drop` it without a trace; `mask` letters and digits by `*`; `hash` it under the pool's
 * key, so that equal values can be joined and nobody else can test guesses; `token`: a number for each different value of one
 * call; `generalise` to what identifies less (a country, a year, a network, a host, ten kilometres), or to the type's name.
 */
export type RedactionMode = 'keep' | 'drop' | 'mask' | 'hash' | 'token' | 'generalise'

/** A redacted text. */
export interface Redacted {
  readonly text: string
  /** Evidence: what was found where in the original, without the text itself. */
  readonly findings: readonly PiiFinding[]
  /** Findings by type; types without any are left out. */
  readonly counts: Readonly<Partial<Record<PiiType, number>>>
}

/**
 * Redacts a text.
 *
 * @param text - Text.
 * @param options - `detector`; `mode` for all types; `modes` for some types, which go first; `key`: at least 32 secret bytes,
 *   needed for `hash`.
 * @returns Redacted text and evidence.
 * @throws PrivacyError `PARAMETER_INVALID` when `hash` has no key, or the text is too long.
 * @example
 * ```ts
 * import { createPiiDetector, english, redactPii } from '@sealpool/privacy/pii'
 * const detector = createPiiDetector({ locales: [english] })
 * const { text } = redactPii('I am at 203.0.113.9, ann@example.org', { detector, mode: 'token', modes: { ip: 'generalise' } })
 * console.assert(text === 'I am at 203.0.0.0/16, [email:1]')
 * ```
 */
export function redactPii(
  text: string,
  options: {
    readonly detector: PiiDetector
    readonly mode: RedactionMode
    readonly modes?: Readonly<Partial<Record<PiiType, RedactionMode>>>
    readonly key?: Uint8Array
  },
): Redacted {
  const { detector, key } = options
  const modeOf = (type: PiiType): RedactionMode => options.modes?.[type] ?? options.mode
  const needsKey = [options.mode, ...Object.values(options.modes ?? {})].includes('hash')
  if (needsKey && key === undefined) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'key',
      "Mode hash needs the pool's key: a hash without a key can be guessed.",
    )
  }
  const findings = detector.find(text)
  const tokens = new Map<PiiType, Map<string, string>>()
  const counts: Partial<Record<PiiType, number>> = {}
  let redacted = ''
  let at = 0
  for (const { type, start, end, part } of findings) {
    counts[type] = (counts[type] ?? 0) + 1
    const raw = text.slice(start, end)
    const mode = modeOf(type)
    // A part has not the form that coarsening goes by: the first two letters of the rest of an account are no country.
    const coarse = part === true && mode === 'generalise'
    redacted += text.slice(at, start) + (coarse ? `[${type}]` : replacement(type, raw, mode, { tokens, key }))
    at = end
  }
  return { text: redacted + text.slice(at), findings, counts }
}

function replacement(
  type: PiiType,
  raw: string,
  mode: RedactionMode,
  state: { readonly tokens: Map<PiiType, Map<string, string>>; readonly key: Uint8Array | undefined },
): string {
  switch (mode) {
    case 'keep':
      return raw
    case 'drop':
      return ''
    case 'mask':
      return raw.replace(/[\p{L}\p{M}\p{N}]/gu, '*')
    case 'generalise':
      return generalised(type, foldText(raw)?.text ?? raw)
    case 'hash': {
      const { key = new Uint8Array(0) } = state
      const print = keyedFingerprint({ key, domain: `pii/${type}`, data: normalised(type, raw) })
      return `[${type}:${print.slice(0, 32)}]`
    }
    case 'token': {
      const own = state.tokens.get(type) ?? new Map<string, string>()
      state.tokens.set(type, own)
      const value = normalised(type, raw)
      const token = own.get(value) ?? `[${type}:${own.size + 1}]`
      own.set(value, token)
      return token
    }
  }
}

/** One form for what people write in several. */
function normalised(type: PiiType, raw: string): string {
  const text = (foldText(raw)?.text ?? raw).normalize('NFC')
  switch (type) {
    case 'secret':
    case 'url':
      return text
    case 'phone':
      return text.replace(/^00/, '+').replace(/[^0-9+]/g, '')
    case 'card':
      return digitsOf(text).join('')
    case 'iban':
    case 'national-id':
    case 'mac':
      return text.replace(/[\s.:-]/g, '').toLowerCase()
    default:
      return text.toLowerCase().replace(/\s+/g, ' ')
  }
}

function generalised(type: PiiType, raw: string): string {
  const label = `[${type}]`
  switch (type) {
    case 'ip':
      return raw.includes(':')
        ? `${raw
            .split(':', 2)
            .map((group) => group || '0')
            .join(':')}::/32`
        : `${raw.split('.').slice(0, 2).join('.')}.0.0/16`
    case 'birth-date': {
      const year = /[0-9]{4}/.exec(raw)?.[0]
      return year ?? label
    }
    case 'geo': {
      const degrees = raw.match(/[+-]?[0-9]{1,3}\.[0-9]+/g) ?? []
      return degrees.length === 2 ? degrees.map((degree) => Number(degree).toFixed(1)).join(', ') : label
    }
    case 'url':
      // Names only: whatever else stands there may be a number of somebody.
      return (
        /^[a-z]+:\/\/(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?::[0-9]{1,5})?(?=[/?#]|$)/i.exec(raw)?.[0] ??
        label
      )
    case 'iban':
      return `[iban ${raw.slice(0, 2).toUpperCase()}]`
    default:
      return label
  }
}
