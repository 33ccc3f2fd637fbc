import { type Hex, keccak256, numberToHex, pad } from 'viem'
import { describe, expect, test } from 'vitest'
import { type AccessLeaf, parseAccessCondition } from './access-condition.js'
import { type AccessAnswer, leafVerdict, questionOf } from './access-question.js'

const contract = `0x${'aa'.repeat(20)}` as const
const wallet = `0x${'Ab'.repeat(20)}` as const
const code: Hex = `0x${'5c'.repeat(32)}`
const subject = { wallet, code }
const leaf = (json: unknown) => parseAccessCondition(json) as AccessLeaf

const erc20 = leaf({ erc20: { contract, minimum: '5' } })
const number = leaf({ erc721: { contract, minimum: '5' } })
const piece = leaf({ erc721: { contract, id: '5' } })
const kind = leaf({ erc1155: { contract, id: '3', minimum: '5' } })
const role = leaf({ accessControl: { contract, role: code } })
const key = leaf({ erc734: { contract, purpose: '4', key: 'address' } })

const answered = (word: bigint, change: Partial<AccessAnswer> = {}): AccessAnswer => ({
  ended: true,
  size: 32n,
  word: numberToHex(word, { size: 32 }),
  code: `0x${'cd'.repeat(32)}`,
  ...change,
})
const verdict = (one: AccessLeaf, answer: AccessAnswer | null) =>
  leafVerdict(one, { ...subject, timestamp: 0, answer, isPresented: () => false })
const most = 2n ** 256n - 1n

describe('an answer', () => {
  test.each<[string, AccessLeaf, bigint, string]>([
    ['as many as are asked for', erc20, 5n, 'yes'],
    ['one fewer', erc20, 4n, 'no'],
    ['as many as there can be', erc20, most, 'yes'],
    ['so many pieces', number, 5n, 'yes'],
    ['too few pieces', number, 4n, 'no'],
    ['so many of a kind', kind, 5n, 'yes'],
    ['too few of a kind', kind, 4n, 'no'],
    ['the consumer owns it', piece, BigInt(wallet), 'yes'],
    ['somebody else owns it', piece, BigInt(contract), 'no'],
    ['nobody owns it', piece, 0n, 'no'],
    ['an owner that is no address', piece, BigInt(wallet) + 2n ** 160n, 'unknown'],
    ['true', role, 1n, 'yes'],
    ['false', role, 0n, 'no'],
    ['neither true nor false', role, 2n, 'unknown'],
    ['a number for a flag', key, most, 'unknown'],
  ])('%s', (_, one, word, expected) => {
    expect(verdict(one, answered(word))).toBe(expected)
  })

  test.each<[string, AccessAnswer | null]>([
    ['none', null],
    ['of a call that failed', answered(7n, { ended: false })],
    ['too short', answered(7n, { size: 31n })],
    ['too long', answered(7n, { size: 33n })],
    ['of no account', answered(7n, { code: `0x${'00'.repeat(32)}` })],
    ['of an account without code', answered(7n, { code: keccak256('0x') })],
  ])('is none of the standard’s: %s', (_, answer) => {
    for (const one of [erc20, number, piece, kind, role, key]) expect(verdict(one, answer)).toBe('unknown')
  })

  test('of code is its hash, whoever writes it in capitals', () => {
    const hash = `0x${'CD'.repeat(32)}`
    const same = leaf({ codeHash: { contract: 'consumer', hash } })
    expect(verdict(same, answered(0n, { ended: false, size: 0n }))).toBe('yes')
    expect(verdict(leaf({ codeHash: { contract, hash: code } }), answered(0n))).toBe('no')
    expect(verdict(same, null)).toBe('unknown')
  })
})

describe('a question', () => {
  const asked = (json: unknown, who = subject) => questionOf(leaf(json), who)
  const purpose = numberToHex(4, { size: 32 }).slice(2)

  test('is to the contract that the condition names, about the consumer', () => {
    const selectors = [erc20, number, piece, kind, role, key].map((one) => {
      const question = questionOf(one, subject)
      expect(question?.target).toBe(contract)
      return question?.data.slice(0, 10)
    })
    // balanceOf(address) twice, ownerOf, balanceOf(address,uint256), hasRole, keyHasPurpose: as the standards have them.
    expect(selectors).toEqual([
      '0x70a08231',
      '0x70a08231',
      '0x6352211e',
      '0x00fdd58e',
      '0x91d14854',
      '0xd202158d',
    ])
    expect(questionOf(leaf({ wallets: [contract] }), subject)).toBe(null)
    expect(questionOf(leaf({ time: { from: 1 } }), subject)).toBe(null)
  })

  test.each<[string, Hex]>([
    ['address', pad(wallet)],
    ['address-hash', keccak256(pad(wallet))],
    ['code', code],
  ])('about a key of an identity is in the form that is named: %s', (form, bytes) => {
    const question = asked({ erc734: { contract, purpose: '4', key: form } })
    expect(question?.data).toBe(`0xd202158d${bytes.slice(2).toLowerCase()}${purpose}`)
  })

  test('about code is to the contract or to the consumer, and is no call', () => {
    expect(asked({ codeHash: { contract, hash: code } })).toEqual({ target: contract, data: '0x' })
    expect(asked({ codeHash: { contract: 'consumer', hash: code } })).toEqual({
      target: wallet.toLowerCase(),
      data: '0x',
    })
  })
})
