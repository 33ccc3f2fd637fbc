import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  maximumAccessDepth,
  maximumAccessParts,
  maximumAccessQuestions,
  parseAccessCondition,
  parseAccessRules,
} from './access-condition.js'

const contract = `0x${'ab'.repeat(20)}`
const hash = `0x${'cd'.repeat(32)}`
const leaf = { erc20: { contract, minimum: '1' } }
const always = { wallets: [contract] }

const nested = (levels: number): unknown => (levels === 0 ? always : { not: nested(levels - 1) })

describe('an access condition', () => {
  test.each<[string, unknown]>([
    ['wallets', always],
    ['time', { time: { from: 0, until: 5 } }],
    ['time without an end', { time: { from: 1 } }],
    ['erc20', leaf],
    ['erc721 by number', { erc721: { contract, minimum: '2' } }],
    ['erc721 by piece', { erc721: { contract, id: '0' } }],
    ['erc1155', { erc1155: { contract, id: '0', minimum: '1' } }],
    ['accessControl', { accessControl: { contract, role: hash } }],
    ['erc734', { erc734: { contract, purpose: '4', key: 'address-hash' } }],
    ['codeHash', { codeHash: { contract: 'consumer', hash } }],
    ['joined', { all: [{ any: [leaf, always] }, { not: always }] }],
    ['the largest number', { erc20: { contract, minimum: String(2n ** 256n - 1n) } }],
  ])('is read: %s', (_, json) => {
    expect(parseAccessCondition(json)).toEqual(json)
    expect(parseAccessRules({ version: 1, use: json })).toEqual({ version: 1, use: json })
  })

  test('is fresh, in lower case', () => {
    const given = { wallets: [contract.toUpperCase().replace('X', 'x')] }
    expect(parseAccessCondition(given)).toEqual(always)
    expect(given.wallets).toEqual([contract.toUpperCase().replace('X', 'x')])
  })

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'condition'],
    ['a list', [], 'condition'],
    ['text', 'all', 'condition'],
    ['no field', {}, 'condition'],
    ['two fields', { ...leaf, ...always }, 'condition'],
    ['an unknown field', { erc404: { contract } }, 'condition'],
    ['an inherited name', { constructor: {} }, 'condition'],
    ['an empty all', { all: [] }, 'condition.all'],
    ['an empty any', { any: [] }, 'condition.any'],
    ['no wallets', { wallets: [] }, 'condition.wallets'],
    ['a wallet that is none', { wallets: ['0x12'] }, 'condition.wallets[0]'],
    ['too many wallets', { wallets: Array(1_001).fill(contract) }, 'condition.wallets'],
    ['a wrong one inside', { all: [always, { not: { erc20: {} } }] }, 'condition.all[1].not.erc20.contract'],
    ['one field too many', { erc20: { contract, minimum: '1', id: '1' } }, 'condition.erc20'],
    ['a number', { erc20: { contract, minimum: 1 } }, 'condition.erc20.minimum'],
    ['a minimum of nothing', { erc20: { contract, minimum: '0' } }, 'condition.erc20.minimum'],
    ['a number too large', { erc20: { contract, minimum: String(2n ** 256n) } }, 'condition.erc20.minimum'],
    ['a leading zero', { erc20: { contract, minimum: '01' } }, 'condition.erc20.minimum'],
    ['number and piece', { erc721: { contract, minimum: '1', id: '1' } }, 'condition.erc721'],
    ['neither number nor piece', { erc721: { contract } }, 'condition.erc721'],
    ['a short role', { accessControl: { contract, role: '0x00' } }, 'condition.accessControl.role'],
    ['another key', { erc734: { contract, purpose: '1', key: 'name' } }, 'condition.erc734.key'],
    ['no time', { time: {} }, 'condition.time'],
    ['a time that ends before it begins', { time: { from: 5, until: 5 } }, 'condition.time'],
    ['half a second', { time: { from: 0.5 } }, 'condition.time.from'],
  ])('is refused: %s', (_, json, place) => {
    expect(() => parseAccessCondition(json)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID', place }),
    )
  })

  test('is bounded in depth, parts and questions', () => {
    expect(() => parseAccessCondition(nested(maximumAccessDepth))).not.toThrow()
    expect(() => parseAccessCondition(nested(maximumAccessDepth + 1))).toThrow('nested deeper')
    expect(() => parseAccessCondition(nested(5_000))).toThrow('nested deeper')
    expect(() => parseAccessCondition({ any: Array(maximumAccessQuestions).fill(leaf) })).not.toThrow()
    expect(() => parseAccessCondition({ any: Array(maximumAccessQuestions + 1).fill(leaf) })).toThrow(
      'questions to the chain',
    )
    const parts = (count: number) => ({ any: Array(count - 1).fill(always) })
    expect(() => parseAccessCondition(parts(maximumAccessParts))).not.toThrow()
    expect(() => parseAccessCondition({ all: [parts(maximumAccessParts - 1), always] })).toThrow(
      'more than 64 parts',
    )
  })

  test('is refused in rules of another version, and beside fields that nobody knows', () => {
    for (const json of [
      { version: 2, use: leaf },
      { version: 1 },
      { version: 1, use: leaf, deny: leaf },
      leaf,
    ])
      expect(() => parseAccessRules(json)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }))
  })

  test('is read or refused with a code, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          parseAccessRules(json)
        } catch (error) {
          expect(error).toMatchObject({ name: 'ContractsError', code: 'ARGUMENT_INVALID' })
        }
      }),
    )
  })
})
