import { type Digest, digestOf, sha256Digest } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { digest, list, type Reader, record, ShapeProblem, text } from '../node-api/shape.js'

/**
 * What a person agreed to: a text in one language, under one policy of a pool, for named purposes. Its digest stands in each contribution, under
 * the signature of the owner's wallet and on chain; the record itself, and the text, are for everybody to read.
 */
export interface ConsentRecord {
  readonly format: 'sealpool/consent'
  readonly version: 1
  /** Which edition of the text it is, as its author counts: `2026-11`. */
  readonly edition: string
  /** Language of the text, a BCP 47 tag: `en`, `pt-BR`. */
  readonly language: string
  /** SHA-256 of the text's UTF-8 bytes. */
  readonly text: Digest
  /** Digest of the pool's policy. */
  readonly policy: Digest
  /** What the data may be used for: actions of ODRL (`odrl:aggregate`), codes of the Data Use Ontology (`DUO:0000042`); sorted, each once. */
  readonly purposes: readonly string[]
}

const purpose: Reader<string> = /* @__PURE__ */ text(
  /^(odrl:[a-z][A-Za-z]{1,40}|DUO:[0-9]{7})$/,
  'an action as odrl:aggregate or a code as DUO:0000042',
)
const language: Reader<string> = /* @__PURE__ */ text(
  /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$/,
  'a language tag as en or pt-BR',
)
const edition: Reader<string> = /* @__PURE__ */ text(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  '1 to 64 letters, digits, points, lines',
)
const format: Reader<'sealpool/consent'> = /* @__PURE__ */ text(/^sealpool\/consent$/, 'sealpool/consent')
const one: Reader<1> = (value, place) => {
  if (value !== 1) throw new ShapeProblem(place, '1')
  return value
}
const shape: Reader<ConsentRecord> = /* @__PURE__ */ (() =>
  record<ConsentRecord>({
    format,
    version: one,
    edition,
    language,
    text: digest,
    policy: digest,
    purposes: list(purpose),
  }))()
const fields = ['format', 'version', 'edition', 'language', 'text', 'policy', 'purposes']
const mostPurposes = 100

/**
 * Makes the record of a text that people agree to.
 *
 * @param options `text`: word for word as it is shown; `policy`: digest of the pool's policy (`digestOf`); `purposes`: ODRL actions and DUO
 *   codes, whose form is checked and not whether there is such a code; `language`; `edition`: another one for each change
 * @returns the record; publish it beside the text, and contribute with its {@link consentDigest}
 * @throws ClientError `OPTION_INVALID`
 * @example
 * ```ts
 * import { consentDigest, consentRecord } from '@sealpool/client/consent'
 * import { digestOf } from '@sealpool/crypto'
 * const record = consentRecord({
 *   text: 'I agree that averages over my trips are published.\n',
 *   policy: digestOf({ name: 'trips' }), // the pool's own
 *   purposes: ['odrl:aggregate', 'DUO:0000042'],
 *   language: 'en',
 *   edition: '2026-11',
 * })
 * console.log(consentDigest(record)) // sha256:…: the `consentDigest` of a contribution
 * ```
 */
export function consentRecord(options: {
  readonly text: string
  readonly policy: Digest
  readonly purposes: readonly string[]
  readonly language: string
  readonly edition: string
}): ConsentRecord {
  const { policy, purposes } = options
  if (options.text.trim() === '') throw invalid('text', 'the words that people agree to')
  return parseConsentRecord({
    format: 'sealpool/consent',
    version: 1,
    edition: options.edition,
    language: options.language,
    text: textDigest(options.text),
    policy,
    purposes: [...new Set(purposes)].sort(),
  })
}

/**
 * Reads a record that came from somewhere. Any JSON gives a record or an error.
 *
 * @param value what `JSON.parse` gave
 * @returns a copy of the record
 * @throws ClientError `OPTION_INVALID`, naming the place and no value
 */
export function parseConsentRecord(value: unknown): ConsentRecord {
  let read: ConsentRecord
  try {
    read = shape(value, '')
  } catch (error) {
    if (!(error instanceof ShapeProblem)) throw error
    throw new ClientError('OPTION_INVALID', placeOf(error.place), error.message)
  }
  // The digest is over all of it: what is not known here would be agreed to unread.
  const unknown = Object.keys(value as object).find((name) => !fields.includes(name))
  if (unknown !== undefined) throw invalid('', 'no field that this version does not know')
  const { purposes } = read
  if (purposes.length === 0 || purposes.length > mostPurposes)
    throw invalid('purposes', `1 to ${mostPurposes} purposes`)
  if (purposes.some((name, index) => index > 0 && (purposes[index - 1] ?? '') >= name))
    throw invalid('purposes', 'sorted purposes, each once')
  return read
}

/**
 * The digest that stands in a contribution: SHA-256 of the record's canonical JSON (RFC 8785).
 *
 * @param record see {@link consentRecord}
 * @returns the `consentDigest` of a contribution
 */
export function consentDigest(record: ConsentRecord): Digest {
  return digestOf({ ...record, purposes: [...record.purposes] })
}

/**
 * Is a record about this text and this policy? Ask before a person is shown the text that a record names.
 *
 * @param record as it was read
 * @param about `text`: word for word; `policy`: digest of the pool's policy
 * @returns false for any other text or policy
 */
export function isConsentTo(
  record: ConsentRecord,
  about: { readonly text: string; readonly policy: Digest },
): boolean {
  return record.text === textDigest(about.text) && record.policy === about.policy
}

function textDigest(words: string): Digest {
  return sha256Digest(new TextEncoder().encode(words))
}

function invalid(place: string, what: string): ClientError {
  return new ClientError('OPTION_INVALID', placeOf(place), `expected ${what}`)
}

function placeOf(place: string): string {
  return place === '' ? 'consent' : `consent.${place}`
}
