import { describe, expect, it } from 'vitest'
import { type DstackRules, dstackSnpCheckTitles, type PlatformVerdicts } from '../platform-evidence/index.js'
import {
  app,
  ask,
  dstack,
  facts,
  guestClaims,
  guestPolicy,
  hex,
  snpGuest,
  table,
  tdClaims,
  tdxPolicy,
  turned,
} from '../testing/platform-appraisal-table.js'

table('dstack', {
  'compose hash': { change: facts({ composeHash: hex(9, 32) }), says: /no app with this compose hash/ },
  'compose hash that is not recorded': { change: facts({ composeHash: null }), says: /no app with this/ },
  'app id': {
    rules: { apps: [{ ...app, appId: hex(0x0b, 20) }] },
    failing: { apps: [{ ...app, appId: hex(0x0d, 20) }] },
    says: /no app with this compose hash and app id/,
  },
  'no app': { failing: { apps: [] }, says: /no app/ },
  'key provider': {
    rules: { keyProviders: [{ name: 'kms', id: '0x3059' }] },
    failing: { keyProviders: [{ name: 'local-sgx' }] },
    says: /giver of its keys/,
  },
  'key provider’s id': {
    rules: { keyProviders: [{ name: 'kms' }] },
    failing: { keyProviders: [{ name: 'kms', id: '0x3058' }] },
    says: /giver of its keys/,
  },
  'key provider that is not recorded': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: null }),
    says: /giver of its keys/,
  },
  'key provider that is no JSON': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: 'kms' }),
    says: /giver of its keys/,
  },
  'key provider that is JSON null': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: 'null' }),
    says: /giver of its keys/,
  },
  'key provider that is a number': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: '7' }),
    says: /giver of its keys/,
  },
  'key provider without an id': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: '{"name":"kms"}' }),
    says: /giver of its keys/,
  },
  'os image': {
    rules: { osImageHashes: [hex(0x0c, 32)] },
    failing: { osImageHashes: [hex(0x0d, 32)] },
    says: /image that its key provider names/,
  },
  'os image that is not recorded': {
    rules: { osImageHashes: [hex(0x0c, 32)] },
    change: facts({ osImageHash: null }),
    says: /image that its key provider names/,
  },
  'events of the app': {
    rules: { allowAppEvents: true },
    failing: { allowAppEvents: false },
    says: /events of its own/,
  },
  hardware: { change: { hardware: null }, answer: 'not-proved', says: /hardware under it was not verified/ },
  'hardware that was lost': {
    change: { hardware: undefined },
    answer: 'not-proved',
    says: /hardware under it/,
  },
  'the hardware’s policy': {
    failing: { hardware: { ...tdxPolicy, measurements: [] } },
    says: /no measurement like this/,
  },
  'a check that fails': {
    change: turned(dstack.checks, 'rtmr3', 'fail'),
    answer: 'false',
    says: /replays to RTMR3/,
  },
  'a check that was not made': {
    change: turned(dstack.checks, 'key-binding', 'not-checked'),
    answer: 'not-proved',
    says: /vouches for the certificate’s key/,
  },
  'a certificate out of date': {
    change: turned(dstack.checks, 'certificate-dates', 'fail'),
    answer: 'not-proved',
    says: /in date/,
  },
  'debug, whatever the verifier allows': {
    change: { hardware: { ...dstack.hardware, claims: { ...tdClaims, debug: true } } },
    says: /runs under debug/,
  },
  'another compose text': {
    change: turned(dstack.checks, 'compose-hash', 'fail'),
    answer: 'false',
    says: /compose text/,
  },
})
describe('rules for dstack on SEV-SNP', () => {
  const rules = { hardware: guestPolicy, apps: [app] }
  const answer = (verdict: object, change: Partial<DstackRules> = {}) =>
    ask('dstack', { ...snpGuest, ...verdict } as PlatformVerdicts['dstack'], { ...rules, ...change })

  it('allow a guest whose app, image and report data they name, without compose text and nonce', () => {
    expect(snpGuest.ok).toBe(false)
    expect(answer({})).toMatchObject({ answer: 'allowed', reasons: [] })
    const change = {
      keyProviders: [{ name: 'kms', id: '0x3059' as const }],
      apps: [{ ...app, appId: hex(0x0b, 20) }],
    }
    expect(answer({}, change).answer).toBe('allowed')
  })

  const { reportData: _, ...unasked } = guestPolicy
  const other = { ...snpGuest.hardware, claims: { ...guestClaims, hostData: hex(1, 32) } }
  it.each<[string, object, Partial<DstackRules>, string, RegExp]>([
    ['another app', {}, { apps: [{ ...app, composeHash: hex(1, 32) }] }, 'not-allowed', /no app/],
    ['another app id', {}, { apps: [{ ...app, appId: hex(1, 20) }] }, 'not-allowed', /no app/],
    ['another key provider', {}, { keyProviders: [{ name: 'local' }] }, 'not-allowed', /giver of its keys/],
    ['an image hash', {}, { osImageHashes: [hex(12, 32)] }, 'not-allowed', /key provider names/],
    ['no events of the app', {}, { allowAppEvents: false }, 'not-allowed', /no register of SEV-SNP/],
    [
      'another image',
      {},
      { hardware: { ...guestPolicy, measurements: [] } },
      'not-allowed',
      /no measurement/,
    ],
    [
      'other report data',
      {},
      { hardware: { ...guestPolicy, reportData: hex(1, 64) } },
      'not-allowed',
      /report data/,
    ],
    ['no report data', {}, { hardware: unasked }, 'not-proved', /data that were asked for/],
    ['another document', { hardware: other }, {}, 'not-proved', /another configuration document/],
    [
      'hardware of another kind',
      { hardware: dstack.hardware },
      { hardware: tdxPolicy },
      'not-proved',
      /another/,
    ],
    ['no hardware', { hardware: null }, {}, 'not-proved', /hardware under it was not verified/],
    ['hardware that was lost', { hardware: undefined }, {}, 'not-proved', /hardware under it/],
    [
      'a check that fails',
      turned(snpGuest.checks, 'mr-config', 'fail'),
      {},
      'false',
      /configuration document/,
    ],
    ['another compose text', turned(snpGuest.checks, 'compose-hash', 'fail'), {}, 'false', /compose text/],
    ['other data than asked', turned(snpGuest.checks, 'report-data', 'fail'), {}, 'false', /asked for/],
    ['no checks', { checks: [] }, {}, 'not-proved', /not one answer/],
    [
      'debug, whatever the verifier allows',
      { hardware: { ...snpGuest.hardware, claims: { ...guestClaims, debug: true } } },
      {},
      'not-allowed',
      /runs under debug/,
    ],
  ])('refuse %s', (_, verdict, change, expected, says) => {
    const given = answer(verdict, change)
    expect(given.answer).toBe(expected)
    expect(given.reasons[0]).toMatch(says)
  })

  it.each(Object.keys(dstackSnpCheckTitles))('ask for one answer to %s', (id) => {
    const others = snpGuest.checks.filter((check) => check.id !== id)
    expect(answer({ checks: others }).answer).toBe('not-proved')
    expect(
      answer({ checks: [...snpGuest.checks, ...snpGuest.checks.filter((check) => check.id === id)] }).answer,
    ).toBe('not-proved')
  })
})
