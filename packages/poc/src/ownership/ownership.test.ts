import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { accountPseudonym } from './account-pseudonym.js'
import { decideAccount } from './account-rule.js'
import { accountAnswer, bindingTypedData, makeBindingChallenge, verifyBinding } from './binding-challenge.js'

const key = new Uint8Array(32).fill(4)
const wallet = privateKeyToAccount(`0x${'12'.repeat(32)}`)
const other = privateKeyToAccount(`0x${'13'.repeat(32)}`)
const account = accountPseudonym({ key, provider: 'example.org', account: 'canary@example.org' })
const challenge = makeBindingChallenge({
  chainId: 1,
  pool: `0x${'aa'.repeat(20)}`,
  wallet: wallet.address,
  account,
  provider: 'example.org',
  expires: 1000,
  random: new Uint8Array(32).fill(0xab),
})
const signed = (by = wallet, what = challenge) => by.signTypedData(bindingTypedData(what) as never)
const judge = async (own: object = {}) =>
  verifyBinding({
    challenge,
    signature: await signed(),
    account,
    shown: `my profile: ${accountAnswer(challenge)}.`,
    at: 900,
    expected: { pool: challenge.pool, chainId: 1 },
    issued: (nonce: string) => (nonce === challenge.nonce ? challenge : undefined),
    isUsed: () => false,
    ...own,
  })

test('a wallet that signs and an account that answers are bound', async () => {
  expect(await judge()).toEqual({ bound: true, reason: 'BOUND' })
  expect(accountAnswer(challenge)).not.toContain('canary')
})
test('anything less is not', async () => {
  const elsewhere = { ...challenge, pool: `0x${'bb'.repeat(20)}` as const }
  const forOther = { ...challenge, wallet: other.address }
  const cases: [object, string][] = [
    [{ at: 1001 }, 'EXPIRED'],
    [{ at: Number.NaN }, 'EXPIRED'],
    [{ signature: await signed(other) }, 'WALLET_DID_NOT_SIGN'],
    [{ signature: await signed(wallet, elsewhere) }, 'WALLET_DID_NOT_SIGN'],
    [{ signature: 1 }, 'WALLET_DID_NOT_SIGN'],
    [{ challenge: elsewhere }, 'ANOTHER_POOL'],
    [{ expected: { pool: elsewhere.pool, chainId: 1 } }, 'ANOTHER_POOL'],
    [{ expected: { pool: challenge.pool, chainId: 2 } }, 'ANOTHER_POOL'],
    [{ issued: () => undefined }, 'NOT_ISSUED'],
    [{ challenge: { ...challenge, expires: 5000 }, at: 2000 }, 'NOT_ISSUED'],
    [{ challenge: { ...challenge, nonce: '0x12' } }, 'NOT_ISSUED'],
    [{ account: accountPseudonym({ key, provider: 'example.org', account: 'b' }) }, 'ANOTHER_ACCOUNT'],
    [{ shown: 'nothing' }, 'ACCOUNT_DID_NOT_ANSWER'],
    [{ shown: accountAnswer(forOther) }, 'ACCOUNT_DID_NOT_ANSWER'],
    [{ isUsed: (nonce: string) => nonce === challenge.nonce }, 'NONCE_USED'],
  ]
  for (const [own, reason] of cases) expect(await judge(own)).toEqual({ bound: false, reason })
})
test('a nonce is used once, however its digits are written', async () => {
  const used = new Set<string>()
  const answer = async (nonce: string) => {
    const verdict = await judge({
      challenge: { ...challenge, nonce },
      issued: (own: string) => (own === challenge.nonce ? challenge : undefined),
      isUsed: (own: string) => used.has(own),
    })
    if (verdict.bound) used.add(nonce.toLowerCase())
    return verdict.reason
  }
  const upper = `0x${challenge.nonce.slice(2).toUpperCase()}`
  expect(upper).not.toBe(challenge.nonce)
  expect([await answer(upper), await answer(challenge.nonce), await answer(upper)]).toEqual([
    'BOUND',
    'NONCE_USED',
    'NONCE_USED',
  ])
})
test.each([{ random: new Uint8Array(31) }, { account: 'x' }, { wallet: '0x12' }, { expires: 1.5 }])(
  '%j makes no challenge',
  (own) => {
    const { nonce: _, ...rest } = challenge
    expect(() => makeBindingChallenge({ ...rest, random: new Uint8Array(32), ...own } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  },
)

describe('account pseudonyms', () => {
  const name = (own: object) => accountPseudonym({ key, provider: 'p', account: 'a', ...own })
  test('are one for an account and a pool, however it is written', () => {
    expect(name({ account: ' A ' })).toBe(name({}))
    expect(name({ account: 'é' })).toBe(name({ account: 'e\u0301' }))
    for (const between of ['\u200b', '\ufe0f', '\u034f', '\u3164'])
      expect(name({ account: `e${between}\u0301` })).toBe(name({ account: 'é' }))
    for (const account of ['a\ufe0f', '\uffa0a', 'a\u{e0100}', 'a\u200b', '\u2060a', '\uff41', 'a\u00ad'])
      expect(name({ account })).toBe(name({}))
    expect(name({ provider: 'p.' })).toBe(name({ provider: 'P' }))
    expect(name({ provider: 'p.q' })).not.toBe(name({ provider: 'pq' }))
    expect(name({ key: new Uint8Array(32).fill(5) })).not.toBe(name({}))
    expect(name({ provider: 'q' })).not.toBe(name({}))
    expect(name({ provider: 'p:1', account: 'a' })).not.toBe(name({ provider: 'p', account: '1:a' }))
  })
  test.each([
    [{ key: new Uint8Array(31) }, 'KEY_INVALID'],
    [{ account: ' ' }, 'OPTION_INVALID'],
    [{ provider: '' }, 'OPTION_INVALID'],
    [{ account: '\u200b' }, 'OPTION_INVALID'],
    [{ account: '\u3164' }, 'OPTION_INVALID'],
  ])('of %j are refused', (own, code) => {
    expect(() => name(own)).toThrow(expect.objectContaining({ code }))
  })
})

test.each([
  ['first-wallet', undefined, true, '0xb', '0xb', 'FIRST'],
  ['first-wallet', '0xB', true, '0xb', '0xb', 'SAME_WALLET'],
  ['first-wallet', '0xa', false, null, '0xa', 'ACCOUNT_OF_ANOTHER_WALLET'],
  ['merge', '0xa', true, '0xa', '0xa', 'MERGED'],
  ['latest-wallet', '0xa', false, null, '0xa', 'ACCOUNT_OF_ANOTHER_WALLET'],
] as const)(
  'by the rule %s, an account of %s claimed by 0xb',
  (rule, holder, accepted, contributor, next, reason) => {
    expect(decideAccount({ rule, holder, claimant: '0xB' })).toEqual({
      accepted,
      contributor,
      holder: next,
      reason,
    })
  },
)
test('by the rule latest-wallet an account moves by a newer binding alone, and two wallets cannot take turns', () => {
  const decide = (claimant: string, proved: number, holder: string, held: number) =>
    decideAccount({ rule: 'latest-wallet', holder, claimant, held, proved })
  expect(decide('0xB', 200, '0xa', 100)).toEqual({
    accepted: true,
    contributor: '0xb',
    holder: '0xb',
    reason: 'MOVED',
  })
  for (const proved of [100, 200, Number.NaN]) {
    expect(decide('0xa', proved, '0xb', 200)).toMatchObject({ accepted: false, holder: '0xb' })
  }
  expect(decide('0xa', 201, '0xb', 200).reason).toBe('MOVED')
  expect(decide('0xb', 1, '0xb', 200).reason).toBe('SAME_WALLET')
})
