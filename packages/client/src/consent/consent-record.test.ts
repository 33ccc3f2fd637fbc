import { digestOf, sha256Digest } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClientError } from '../errors.js'
import { consentDigest, consentRecord, isConsentTo, parseConsentRecord } from './index.js'

const policy = digestOf({ name: 'trips' })
const options = {
  text: 'I agree that averages are published.\n',
  policy,
  purposes: ['odrl:aggregate', 'DUO:0000042'],
  language: 'en',
  edition: '2026-11',
}
const record = consentRecord(options)

describe('a consent record', () => {
  test('says what was agreed to, in one form', () => {
    expect(record).toEqual({
      format: 'sealpool/consent',
      version: 1,
      edition: '2026-11',
      language: 'en',
      text: sha256Digest(new TextEncoder().encode(options.text)),
      policy,
      purposes: ['DUO:0000042', 'odrl:aggregate'],
    })
    const same = consentRecord({ ...options, purposes: ['DUO:0000042', 'odrl:aggregate', 'DUO:0000042'] })
    expect(consentDigest(same)).toBe(consentDigest(record))
    expect(consentDigest(parseConsentRecord(JSON.parse(JSON.stringify(record))))).toBe(consentDigest(record))
  })

  test.each([
    ['text', { text: 'I agree that averages are published. \n' }],
    ['policy', { policy: digestOf({ name: 'others' }) }],
    ['purposes', { purposes: ['odrl:aggregate'] }],
    ['language', { language: 'de' }],
    ['edition', { edition: '2026-12' }],
  ])('has another digest with another %s', (_name, change) => {
    expect(consentDigest(consentRecord({ ...options, ...change }))).not.toBe(consentDigest(record))
  })

  test('is about one text and one policy', () => {
    const { text } = options
    expect(isConsentTo(record, { text, policy })).toBe(true)
    expect(isConsentTo(record, { text: `${text} `, policy })).toBe(false)
    expect(isConsentTo(record, { text, policy: digestOf({}) })).toBe(false)
  })

  test.each([
    ['consent', null],
    ['consent', { ...record, more: 1 }],
    ['consent.format', { ...record, format: 'sealpool/consents' }],
    ['consent.version', { ...record, version: 2 }],
    ['consent.edition', { ...record, edition: 'a b' }],
    ['consent.language', { ...record, language: 'secret words' }],
    ['consent.text', { ...record, text: 'secret words' }],
    ['consent.policy', { ...record, policy: undefined }],
    ['consent.purposes', { ...record, purposes: [] }],
    ['consent.purposes', { ...record, purposes: ['odrl:aggregate', 'DUO:0000042'] }],
    ['consent.purposes', { ...record, purposes: ['DUO:0000042', 'DUO:0000042'] }],
    ['consent.purposes.0', { ...record, purposes: ['secret words'] }],
  ])('is refused at %s, without what stands there', (place, value) => {
    const read = () => parseConsentRecord(value)
    expect(read).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', place }))
    expect(read).not.toThrow('secret')
  })

  test('needs words', () => {
    expect(() => consentRecord({ ...options, text: ' \n' })).toThrow(
      expect.objectContaining({ place: 'consent.text' }),
    )
  })

  test('error: says what was expected, once', () => {
    const options = { text: 'I agree.', policy, language: 'en', edition: '1' }
    expect(() => consentRecord({ ...options, purposes: ['nope'] })).toThrow(
      'OPTION_INVALID at consent.purposes.0: expected an action as odrl:aggregate',
    )
  })

  test('any JSON is a record or an error of the package', () => {
    const fields = fc.record(
      {
        format: fc.oneof(fc.constant('sealpool/consent'), fc.jsonValue()),
        version: fc.oneof(fc.constant(1), fc.jsonValue()),
        edition: fc.jsonValue(),
        language: fc.oneof(fc.constant('en'), fc.jsonValue()),
        text: fc.oneof(fc.constant(policy), fc.jsonValue()),
        policy: fc.oneof(fc.constant(policy), fc.jsonValue()),
        purposes: fc.oneof(fc.constant(['DUO:0000042']), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(fields, fc.jsonValue()), (value) => {
        try {
          const read = parseConsentRecord(value)
          return consentDigest(read) === digestOf(value as never)
        } catch (error) {
          return error instanceof ClientError && error.code === 'OPTION_INVALID'
        }
      }),
    )
  })
})
