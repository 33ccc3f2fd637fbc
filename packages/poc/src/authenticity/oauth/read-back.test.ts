import { canonicalBytes, type JsonObject } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { evidenceOf, factOf } from '../evidence.js'
import { authenticitySourcesSchema } from '../source-schema.js'
import { workMeter } from '../verification-budget.js'
import { verifySigned, verifySource } from '../verify-source.js'
import { type OAuthPort, type OAuthResponse, oauthReadBack, type ReadBackOptions } from './oauth-read-back.js'
import { formatReadBackFile, parseReadBackFile } from './read-back-file.js'
import { verifyReadBack } from './verify-read-back.js'

const at = 1_800_000_000
const token = 'canary-token-of-this-test'
const source = {
  kind: 'oauth-read-back',
  provider: 'example.org',
  url: 'https://api.example.org/v1/me?fields=all',
  account: { answer: '/data/id', export: '/account' },
  fields: [
    { answer: '/data/days/0/steps', export: '/steps' },
    { answer: '/data/a~1b', export: '/more' },
  ],
  maximumAgeSeconds: 600,
} as const
const exported = { account: 'canary-7', steps: 4000, more: { x: [1, 2] } }
const told = { data: { id: 'canary-7', days: [{ steps: 4000, km: 3 }], 'a/b': { x: [1, 2] } }, page: 1 }

/** A provider that knows one token and answers with one account's data. */
function provider(body: unknown = told, change: Partial<OAuthResponse> = {}) {
  const asked: string[] = []
  const port: OAuthPort = async (request) => {
    asked.push(request.url)
    if (request.token !== token) return { status: 401, url: request.url, readAt: at, bytes: new Uint8Array() }
    const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
    return { status: 200, url: request.url, readAt: at - 10, bytes, ...change }
  }
  return { asked, port }
}
const fileOf = (change: Partial<Parameters<typeof formatReadBackFile>[0]> = {}) =>
  formatReadBackFile({ token, expiresAt: at + 900, export: exported, ...change })

async function readBack(change: Partial<ReadBackOptions> = {}) {
  const done = await oauthReadBack({
    source,
    file: fileOf(),
    port: provider().port,
    allowedHosts: ['api.example.org'],
    at,
    ...change,
  })
  // Whatever became of it, the token is in none of it.
  expect(JSON.stringify(done)).not.toContain(token)
  expect(new TextDecoder().decode(done.export ?? new Uint8Array())).not.toContain(token)
  return done
}

/** Reasons for which an export is not authentic after it was read back. */
async function reasons(change: Partial<ReadBackOptions> = {}, judgedAt: number | undefined = at) {
  const { export: bytes = new Uint8Array(), answer } = await readBack(change)
  const found = verifyReadBack({ declared: source, answer, export: bytes, at: judgedAt })
  expect(JSON.stringify({ ...found, signedContent: 0 })).not.toContain('canary')
  expect(JSON.stringify(evidenceOf([found]))).not.toContain('canary')
  const left = found.checks.filter(({ result, essential }) => essential && result !== 'pass')
  expect(found.authentic).toBe(left.length === 0)
  return left.map(({ name, reason }) => `${name} ${reason}`)
}

describe('an export that its provider confirms', () => {
  test('is authentic, and the proof is told so', async () => {
    const { export: bytes = new Uint8Array(), answer } = await readBack()
    expect(bytes).toEqual(canonicalBytes(exported))
    const [found] = verifySource({ source, bytes, at })
    expect(found).toMatchObject({ authentic: true, signer: 'example.org' })
    const signed = verifySigned({ source, bytes, at, work: workMeter() })
    expect(factOf('oauth-read-back', signed)).toEqual({
      kind: 'oauth-read-back',
      authentic: true,
      signer: 'example.org',
      parts: [true],
    })
    expect(evidenceOf(signed).map(({ check, result }) => `${check} ${result}`)).toEqual([
      ...['answer', 'host', 'syntax', 'account', 'fields', 'members', 'validity'].map(
        (name) => `oauth-read-back.${name} pass`,
      ),
      'oauth-read-back.token-scope not-checked',
      'oauth-read-back.repetition not-checked',
    ])
    const finding = verifyReadBack({ declared: source, answer, export: bytes, at })
    expect(finding.account).toBeNull()
  })

  test('has one pseudonym for an account in a pool, and another in the next', async () => {
    const { export: bytes = new Uint8Array(), answer } = await readBack()
    const named = (byte: number, own = answer) =>
      verifyReadBack({
        declared: source,
        answer: own,
        export: bytes,
        at,
        accountKey: new Uint8Array(32).fill(byte),
      }).account
    expect(named(1)).toMatch(/^[0-9a-f]{64}$/)
    expect(named(1)).toBe(named(1))
    expect(named(2)).not.toBe(named(1))
    expect(named(1, { failure: 'TOKEN_REFUSED' })).toBeNull()
    // An account that was named and not confirmed has none.
    const unconfirmed = { url: source.url, readAt: at, body: { data: { ...told.data, id: 'canary-8' } } }
    expect(named(1, unconfirmed)).toBeNull()
    const short = { declared: source, answer, export: bytes, at, accountKey: new Uint8Array(3) }
    expect(() => verifyReadBack(short)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
  })

  test('is the same content whenever it is read, and another when it says something else', async () => {
    const content = async (change: Partial<ReadBackOptions>) => {
      const { export: bytes = new Uint8Array() } = await readBack(change)
      return verifySigned({ source, bytes, at, work: workMeter() })[0]?.signedContent
    }
    const first = await content({})
    expect(first).toBeDefined()
    expect(await content({ port: provider(told, { readAt: at - 99 }).port })).toEqual(first)
    const walked = { ...told, data: { ...told.data, days: [{ steps: 4001 }] } }
    const more = { port: provider(walked).port, file: fileOf({ export: { ...exported, steps: 4001 } }) }
    expect(await content(more)).toBeDefined()
    expect(await content(more)).not.toEqual(first)
  })
})

describe('an export is not authentic', () => {
  test('that nobody read back, that was changed since, or whose bytes a stranger wrote', async () => {
    const unread = verifySource({ source, bytes: canonicalBytes(exported), at })[0]
    expect(unread).toMatchObject({ authentic: false, checks: [{ name: 'answer', reason: 'NOT_READ_BACK' }] })
    const { export: bytes = new Uint8Array() } = await readBack()
    expect(verifySource({ source, bytes: bytes.slice(), at })[0]?.authentic).toBe(false)
    const raw = verifySource({ source, bytes: fileOf(), at })[0]
    expect(raw?.checks[0]?.reason).toBe('NOT_READ_BACK')
  })

  test.each<[string, JsonObject, string]>([
    ['of a foreign account', { ...exported, account: 'canary-8' }, 'account FOREIGN_ACCOUNT'],
    ['of an account of another kind', { ...exported, account: 7 }, 'account FOREIGN_ACCOUNT'],
    ['with no account', { steps: 4000, more: exported.more }, 'account NO_ACCOUNT'],
    ['with a blank for an account', { ...exported, account: ' ' }, 'account NO_ACCOUNT'],
    ['with a list for an account', { ...exported, account: ['canary-7'] }, 'account NO_ACCOUNT'],
    ['with changed data', { ...exported, steps: 4001 }, 'fields FIELD_DIFFERS'],
    ['with changed data further in', { ...exported, more: { x: [1, 3] } }, 'fields FIELD_DIFFERS'],
    ['with text for a number', { ...exported, steps: '4000' }, 'fields FIELD_DIFFERS'],
    ['without some of the data', { account: 'canary-7', more: exported.more }, 'fields FIELD_MISSING'],
    ['with a member more', { ...exported, bonus: 1 }, 'members UNCONFIRMED_MEMBERS'],
    ['with an empty member more', { ...exported, bonus: {} }, 'members UNCONFIRMED_MEMBERS'],
  ])('%s', async (_, own, reason) => {
    expect(await reasons({ file: fileOf({ export: own }) })).toEqual([reason])
  })

  test('whose values are so large that two would look the same', async () => {
    const large = '{"data":{"id":"canary-7","days":[{"steps":9007199254740993}],"a/b":{"x":[1,2]}}}'
    const file = fileOf({ export: { ...exported, steps: 2 ** 53 } })
    expect(await reasons({ file, port: provider(large).port })).toEqual(['fields NUMBER_TOO_LARGE'])
  })

  test.each<[string, string, unknown]>([
    ['in the answer alone', '9007199254740992', 2 ** 53 - 1],
    ['in the export alone', '9007199254740991', 2 ** 53],
    ['further in', '[{"x":9007199254740993}]', [{ x: 2 ** 53 }]],
  ])('whose numbers are too large %s', async (_, theirs, ours) => {
    const large = `{"data":{"id":"canary-7","days":[{"steps":4000}],"a/b":${theirs}}}`
    const answer = { url: source.url, readAt: at, body: JSON.parse(large) }
    const bytes = new TextEncoder().encode(JSON.stringify({ ...exported, more: ours }))
    const { checks } = verifyReadBack({ declared: source, answer, export: bytes, at })
    expect(checks.find(({ result }) => result === 'fail')).toMatchObject({ reason: 'NUMBER_TOO_LARGE' })
  })

  test.each(['{"account":', '{"account":"canary-7","more":"\\ud800","steps":4000}', ''])(
    'that is no JSON with one form: %s',
    (text) => {
      const answer = { url: source.url, readAt: at, body: told }
      const found = verifyReadBack({ declared: source, answer, export: new TextEncoder().encode(text), at })
      expect([found.authentic, found.checks.at(-1)?.reason]).toEqual([false, 'NOT_JSON'])
    },
  )

  test('where the answer lacks what the source declares', async () => {
    const { id, ...data } = told.data
    expect(await reasons({ port: provider({ data }).port })).toEqual(['account FIELD_MISSING'])
    expect(await reasons({ port: provider({ data: { ...data, id: 'canary-9' } }).port })).toEqual([
      'account FOREIGN_ACCOUNT',
    ])
    expect(id).toBe('canary-7')
  })

  test('where another host or another page of it answered', async () => {
    for (const url of [
      'https://api.example.com/v1/me?fields=all',
      'https://api.example.org/v1/other',
      'nothing',
    ])
      expect(await reasons({ port: provider(told, { url }).port })).toEqual(['host WRONG_HOST'])
  })

  test('by an answer that is too old, not yet there, or of no known time', async () => {
    expect(await reasons({}, at + 590)).toEqual([])
    expect(await reasons({}, at + 591)).toEqual(['validity EXPIRED'])
    expect(await reasons({}, at - 11)).toEqual(['validity NOT_YET_VALID'])
    const { export: bytes = new Uint8Array(), answer } = await readBack()
    const timeless = verifyReadBack({ declared: source, answer, export: bytes })
    expect(timeless.authentic).toBe(false)
    expect(timeless.checks.find(({ name }) => name === 'validity')?.reason).toBe('NO_TIME_GIVEN')
    expect(await reasons({ port: provider(told, { readAt: Number.NaN }).port })).toEqual([
      'validity NOT_YET_VALID',
    ])
  })

  test.each<[string, Partial<ReadBackOptions>, string, boolean]>([
    ['with a token that is over', { file: fileOf({ expiresAt: at }) }, 'TOKEN_EXPIRED', false],
    ['with a token that lasts', { file: fileOf({ expiresAt: at + 3_601 }) }, 'TOKEN_TOO_LONG_LIVED', false],
    [
      'with a token that lasts longer than the source allows',
      { source: { ...source, maximumTokenSeconds: 60 } },
      'TOKEN_TOO_LONG_LIVED',
      false,
    ],
    ['at a host that the settings do not name', { allowedHosts: ['example.org'] }, 'HOST_NOT_ALLOWED', false],
    [
      'at another port of it',
      { source: { ...source, url: 'https://api.example.org:8443/v1/me' } },
      'HOST_NOT_ALLOWED',
      false,
    ],
    [
      'at an address without protection',
      { source: { ...source, url: 'http://api.example.org/v1/me' } },
      'HOST_NOT_ALLOWED',
      false,
    ],
    [
      'that holds the token itself',
      { file: fileOf({ export: { ...exported, more: `x${token}` } }) },
      'TOKEN_IN_EXPORT',
      false,
    ],
    [
      'with a token that the provider refuses',
      { file: fileOf({ token: `${token}2` }) },
      'TOKEN_REFUSED',
      true,
    ],
    ['that is forbidden', { port: provider(told, { status: 403 }).port }, 'TOKEN_REFUSED', true],
    ['that is elsewhere', { port: provider(told, { status: 302 }).port }, 'REDIRECTED', true],
    ['at a provider that is down', { port: provider(told, { status: 500 }).port }, 'PROVIDER_REFUSED', true],
    ['without content', { port: provider(told, { status: 204 }).port }, 'PROVIDER_REFUSED', true],
    ['whose answer is large', { maximumBytes: 20 }, 'ANSWER_TOO_LARGE', true],
    ['whose answer is no JSON', { port: provider('<html>').port }, 'ANSWER_NOT_JSON', true],
    ['whose answer says two things', { port: provider('{"a":1,"a":2}').port }, 'ANSWER_NOT_JSON', true],
    ['whose answer has half a letter', { port: provider('{"a":"\\ud800"}').port }, 'ANSWER_NOT_JSON', true],
    ['whose answer has the token', { port: provider({ ...told, token }).port }, 'TOKEN_ECHOED', true],
    [
      'whose answer has the token in escapes',
      { port: provider(`{"token":"\\u0063${token.slice(1)}"}`).port },
      'TOKEN_ECHOED',
      true,
    ],
  ])('%s', async (_, change, reason) => {
    expect(await reasons(change)).toEqual([`answer ${reason}`])
  })

  test('and the provider is not asked where the token or the host is refused before', async () => {
    const { asked, port } = provider()
    await readBack({ port, file: fileOf({ expiresAt: at }) })
    await readBack({ port, allowedHosts: [] })
    expect(asked).toEqual([])
    await readBack({ port })
    expect(asked).toEqual([source.url])
  })

  test('where asking fails, and what was thrown, which may quote the token, is dropped', async () => {
    const port = async () => {
      throw new Error(`invalid header: Bearer ${token}`)
    }
    expect(await reasons({ port })).toEqual(['answer READ_FAILED'])
  })
})

describe('the file that a contributor seals', () => {
  test('is read as it was written', () => {
    const file = { token, expiresAt: at, export: exported }
    expect(parseReadBackFile(formatReadBackFile(file))).toEqual(file)
  })

  const form = JSON.parse(new TextDecoder().decode(fileOf())) as JsonObject
  test.each<[string, unknown]>([
    ['nothing', null],
    ['another format', { ...form, format: 'x' }],
    ['another version', { ...form, version: 2 }],
    ['a member more', { ...form, extra: 1 }],
    ['no token', { ...form, token: null }],
    ['a token without end', { ...form, token: { value: token } }],
    ['an end without a token', { ...form, token: { expiresAt: at } }],
    ['a token that is a number', { ...form, token: { value: 12345678901234567000, expiresAt: at } }],
    ['a token with a member more', { ...form, token: { value: token, expiresAt: at, refresh: 'x' } }],
    ['a token with a line break', { ...form, token: { value: `${token}\r\nX: y`, expiresAt: at } }],
    ['a token that is too short', { ...form, token: { value: 'short', expiresAt: at } }],
    ['an end that is none', { ...form, token: { value: token, expiresAt: 1.5 } }],
    ['an export that is a list', { ...form, export: [] }],
  ])('is not %s', async (_, json) => {
    const file = new TextEncoder().encode(JSON.stringify(json))
    const { asked, port } = provider()
    expect((await readBack({ file, port })).answer).toEqual({ failure: 'MALFORMED_FILE' })
    expect(asked).toEqual([])
  })

  test('has an export that has a canonical form', async () => {
    const file = new TextEncoder().encode(JSON.stringify(form).replace('canary-7', '\\ud800'))
    expect((await readBack({ file })).answer).toEqual({ failure: 'MALFORMED_FILE' })
  })

  test('of any depth, and an answer of any depth, is read or refused and throws nothing', async () => {
    const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    for (const depth of [1, 125, 126, 127, 128, 3_000, 20_000]) {
      const inner = `{"account":"canary-7","more":${deep(depth)},"steps":4000}`
      const file = `{"export":${inner},"format":"sealpool/oauth-read-back","token":{"expiresAt":${at + 9},"value":"${token}"},"version":1}`
      const answer = `{"data":{"id":"canary-7","days":[{"steps":4000}],"a/b":${deep(depth)}}}`
      const found = await reasons({ file: new TextEncoder().encode(file), port: provider(answer).port })
      expect(found).toEqual(depth > 126 ? ['answer MALFORMED_FILE'] : [])
      const port = provider(`{"deep":${deep(depth)},${JSON.stringify(told).slice(1)}`).port
      expect(await reasons({ port })).toEqual(depth > 127 ? ['answer ANSWER_NOT_JSON'] : [])
    }
  })

  test('is read at a time and to a size', async () => {
    for (const change of [{ at: 0 }, { at: 1.5 }, { maximumBytes: 0 }])
      await expect(readBack(change)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe('a declaration', () => {
  const reads = (one: object) => authenticitySourcesSchema().safeParse([one]).success
  test('stands in the code as plain data', () => {
    expect(reads(source)).toBe(true)
  })
  test.each<[string, object]>([
    ['without protection', { url: 'http://api.example.org/me' }],
    ['with a user', { url: 'https://a@api.example.org/me' }],
    ['with a password', { url: 'https://:b@api.example.org/me' }],
    ['that is no address', { url: 'api.example.org' }],
    ['with an address without end', { url: `https://api.example.org/${'a'.repeat(2_000)}` }],
    ['without a name', { provider: '' }],
    ['with a fragment', { url: 'https://api.example.org/me#x' }],
    ['without fields', { fields: [] }],
    ['with fields without end', { fields: Array.from({ length: 101 }, () => source.account) }],
    ['with a long pointer', { account: { answer: `/${'a'.repeat(500)}`, export: '/account' } }],
    ['with a rule that says more', { account: { ...source.account, or: '/x' } }],
    ['that takes no answer', { maximumAgeSeconds: 0 }],
    ['with a pointer that is none', { account: { answer: 'id', export: '/account' } }],
    ['with a member more', { token }],
    ['that takes old answers', { maximumAgeSeconds: 86_401 }],
    ['that takes lasting tokens', { maximumTokenSeconds: 86_401 }],
  ])('%s is refused', (_, change) => {
    expect(reads({ ...source, ...change })).toBe(false)
  })
})
