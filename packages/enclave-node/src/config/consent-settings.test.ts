import { digestToHex } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { isAcceptedConsent, measuredConsents } from './consent-settings.js'
import { proofRules } from './proof-rules.js'

const [first, second] = [digestOfDigit('a'), digestOfDigit('b')]

describe('the consents of a pool', () => {
  it('are any unless some are named, each once', () => {
    const { consents } = proofRules
    expect(consents.parse(undefined)).toBeNull()
    expect(consents.parse([first, second])).toEqual([first, second])
    for (const wrong of [[], [first, first], ['sha256:1'], first])
      expect(consents.safeParse(wrong).success).toBe(false)
  })

  it('are measured in one order', () => {
    expect(measuredConsents([second, first])).toEqual(measuredConsents([first, second]))
  })

  it('accept what is named and nothing else', () => {
    const contribution = { consentDigest: digestToHex(first) }
    expect(isAcceptedConsent({ consents: [second, first] }, contribution)).toBe(true)
    expect(isAcceptedConsent({ consents: [second] }, contribution)).toBe(false)
    expect(isAcceptedConsent({ consents: null }, contribution)).toBe(true)
  })
})
