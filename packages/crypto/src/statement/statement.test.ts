import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import {
  encodeAbiParameters,
  hashTypedData,
  keccak256,
  parseAbiParameters,
  recoverTypedDataAddress,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { digestToHex } from '../digest/digest.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'
import type { Fact } from './facts.js'
import { addressOf } from './signature.js'
import {
  recoverStatementSigner,
  type SignedStatement,
  type Statement,
  type StatementContext,
  signStatement,
  statementTypedDataHash,
  verifyStatement,
} from './statement.js'

const privateKey = decodeHex('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
const account = privateKeyToAccount(encodeHex(privateKey))
const statement: Statement = { type: 'sealpool/receipt', version: 1, body: { job: '7', amounts: [1, 2.5] } }
const context: StatementContext = {
  chainId: 31337,
  registry: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
  pool: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
  subject: `0x${'11'.repeat(32)}`,
  nonce: '42',
  facts: [
    { type: 'uint256', value: '123456789012345678901234567890' },
    { type: 'address', value: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8' },
    { type: 'bytes32', value: `0x${'ab'.repeat(32)}` },
    { type: 'bool', value: true },
  ],
}
const signed = signStatement({ statement, context, privateKey })

const typedData = (what: Statement, where: StatementContext, facts: Hex) =>
  ({
    domain: { name: 'Sealpool', version: '1', chainId: where.chainId, verifyingContract: where.registry },
    types: {
      Statement: [
        { name: 'kind', type: 'string' },
        { name: 'pool', type: 'address' },
        { name: 'subject', type: 'bytes32' },
        { name: 'facts', type: 'bytes32' },
        { name: 'digest', type: 'bytes32' },
        { name: 'nonce', type: 'uint256' },
      ],
    },
    primaryType: 'Statement',
    message: {
      kind: `${what.type}/${what.version}`,
      pool: where.pool,
      subject: where.subject,
      facts,
      digest: digestToHex(digestOf(what as unknown as JsonObject)),
      nonce: BigInt(where.nonce),
    },
  }) as const

const factsByViem = keccak256(
  encodeAbiParameters(parseAbiParameters('uint256, address, bytes32, bool'), [
    123456789012345678901234567890n,
    '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
    `0x${'ab'.repeat(32)}`,
    true,
  ]),
)

describe('against viem', () => {
  test('hashes a statement with facts as viem does', () => {
    expect(statementTypedDataHash(statement, context)).toBe(
      hashTypedData(typedData(statement, context, factsByViem)),
    )
  })

  test('hashes a statement without facts over a zero word', () => {
    const bare = { ...context, facts: [] }
    const zero: Hex = `0x${'00'.repeat(32)}`
    expect(statementTypedDataHash(statement, bare)).toBe(hashTypedData(typedData(statement, bare, zero)))
  })

  test('gives the very signature that viem gives, and viem recovers the signer', async () => {
    const data = typedData(statement, context, factsByViem)
    expect(signed.signature).toBe(await account.signTypedData(data))
    const recovered = await recoverTypedDataAddress({ ...data, signature: signed.signature })
    expect(recovered.toLowerCase()).toBe(signed.signer)
  })

  test('agrees on any statement, context and key', async () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeHex)
    const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(encodeHex)
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          key: fc
            .uint8Array({ minLength: 32, maxLength: 32 })
            .filter((key) => secp256k1.utils.isValidSecretKey(key)),
          chainId: fc.integer({ min: 1 }),
          registry: address,
          pool: address,
          subject: bytes32,
          nonce: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map(String),
          amounts: fc.array(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), { minLength: 1, maxLength: 4 }),
          text: fc.string(),
        }),
        async ({ key, amounts, text, ...where }) => {
          const what = { type: 'test/any', version: 3, body: { text } }
          const facts: Fact[] = amounts.map((amount) => ({ type: 'uint256', value: String(amount) }))
          const hash = keccak256(
            encodeAbiParameters(
              amounts.map(() => ({ type: 'uint256' })),
              amounts,
            ),
          )
          const one = signStatement({ statement: what, context: { ...where, facts }, privateKey: key })
          const data = typedData(what, { ...where, facts }, hash)
          expect((await recoverTypedDataAddress({ ...data, signature: one.signature })).toLowerCase()).toBe(
            one.signer,
          )
          expect(recoverStatementSigner(one)).toBe(privateKeyToAccount(encodeHex(key)).address.toLowerCase())
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('verifyStatement', () => {
  test('accepts the statement as signed, also after a trip through JSON and with the signer asked for', () => {
    const read = JSON.parse(JSON.stringify(signed)) as SignedStatement
    expect(verifyStatement(read)).toBe(true)
    expect(verifyStatement(read, { signer: account.address })).toBe(true)
  })

  const other = signStatement({ statement, context, privateKey: new Uint8Array(32).fill(7) })
  const altered: readonly (readonly [string, unknown])[] = [
    ['the type', { ...signed, statement: { ...statement, type: 'sealpool/refusal' } }],
    ['the version', { ...signed, statement: { ...statement, version: 2 } }],
    ['the body', { ...signed, statement: { ...statement, body: { job: '8', amounts: [1, 2.5] } } }],
    ['the chain', { ...signed, context: { ...context, chainId: 1 } }],
    ['the registry', { ...signed, context: { ...context, registry: context.pool } }],
    ['the pool', { ...signed, context: { ...context, pool: context.registry } }],
    ['the subject', { ...signed, context: { ...context, subject: `0x${'12'.repeat(32)}` } }],
    ['the nonce', { ...signed, context: { ...context, nonce: '43' } }],
    ['a fact', { ...signed, context: { ...context, facts: context.facts.slice(1) } }],
    ['a fact that is a hole', { ...signed, context: { ...context, facts: new Array(1) } }],
    ['the signer', { ...signed, signer: other.signer }],
    ['the signature', { ...signed, signature: other.signature }],
    ['signer and signature', { ...other, signer: signed.signer }],
    ['an extra field', { ...signed, note: 'unsigned' }],
    ['an extra field in the statement', { ...signed, statement: { ...statement, note: 'unsigned' } }],
    [
      'an extra field in a fact',
      { ...signed, context: { ...context, facts: [{ ...context.facts[0], x: 1 }] } },
    ],
    ['a missing context', { ...signed, context: undefined }],
    ['a nonce with a leading zero', { ...signed, context: { ...context, nonce: '042' } }],
    ['nothing but null', null],
    ['a body that is no JSON', { ...signed, statement: { ...statement, body: { a: Number.NaN } } }],
  ]
  test.each(altered)('refuses when %s is altered', (_name, value) => {
    expect(verifyStatement(value as SignedStatement)).toBe(false)
  })

  test('refuses another signer than the one asked for', () => {
    expect(verifyStatement(signed, { signer: other.signer })).toBe(false)
    expect(verifyStatement(signed, null as never)).toBe(false)
    const holed = { ...context, facts: new Array(1) }
    expect(() =>
      signStatement({ statement, context: holed, privateKey: new Uint8Array(32).fill(7) }),
    ).toThrow(expect.objectContaining({ code: 'STATEMENT_INVALID' }))
    expect(verifyStatement(other, { signer: other.signer })).toBe(true)
  })
})

describe('malleated signatures', () => {
  const r = signed.signature.slice(2, 66)
  const s = BigInt(`0x${signed.signature.slice(66, 130)}`)
  const v = Number.parseInt(signed.signature.slice(130), 16)
  const highS = (secp256k1.Point.Fn.ORDER - s).toString(16).padStart(64, '0')
  const lowS = s.toString(16).padStart(64, '0')
  const forms: readonly (readonly [string, Hex])[] = [
    ['s in the upper half with v turned', `0x${r}${highS}${v === 27 ? '1c' : '1b'}`],
    ['v as 0 or 1', `0x${r}${lowS}0${v - 27}`],
    ['v as 29', `0x${r}${lowS}1d`],
    ['the compact 64 bytes', `0x${r}${lowS}`],
    ['a byte too many', `${signed.signature}00`],
    ['no prefix', signed.signature.slice(2) as Hex],
    ['r zero', `0x${'00'.repeat(32)}${lowS}1b`],
    ['s zero', `0x${r}${'00'.repeat(32)}1b`],
    ['r past the order', `0x${'ff'.repeat(32)}${lowS}1b`],
  ]
  test.each(forms)('refuses %s', (_name, signature) => {
    expect(verifyStatement({ ...signed, signature })).toBe(false)
    expect(() => recoverStatementSigner({ ...signed, signature })).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
    )
  })

  test('shows that the upper s would recover the same signer if it were let through', async () => {
    const data = typedData(statement, context, factsByViem)
    const signature: Hex = `0x${r}${highS}${v === 27 ? '1c' : '1b'}`
    expect((await recoverTypedDataAddress({ ...data, signature })).toLowerCase()).toBe(signed.signer)
  })
})

describe('signStatement', () => {
  test.each([
    ['a type with blanks', { ...statement, type: 'a b' }],
    ['version 0', { ...statement, version: 0 }],
    ['a body that is an array', { ...statement, body: [] as unknown as JsonObject }],
  ])('refuses %s', (_name, what) => {
    expect(() => signStatement({ statement: what, context, privateKey })).toThrow(
      expect.objectContaining({ code: 'STATEMENT_INVALID' }),
    )
  })

  test.each<readonly [string, Fact]>([
    ['a uint256 past 2^256', { type: 'uint256', value: String(2n ** 256n) }],
    ['a negative uint256', { type: 'uint256', value: '-1' }],
    ['a uint256 as hex', { type: 'uint256', value: '0x1' }],
    ['a short bytes32', { type: 'bytes32', value: '0x00' }],
    ['a bool as text', { type: 'bool', value: 'true' }],
    ['an unknown type', { type: 'string' as 'bool', value: 'x' }],
  ])('refuses %s', (_name, fact) => {
    expect(() => signStatement({ statement, context: { ...context, facts: [fact] }, privateKey })).toThrow(
      expect.objectContaining({ code: 'STATEMENT_INVALID' }),
    )
  })

  test('refuses keys out of range without showing them', () => {
    for (const key of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31).fill(1)]) {
      expect(() => addressOf(key)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
    }
  })
})

describe('what is signed verifies', () => {
  const context = {
    chainId: 1,
    registry: `0x${'11'.repeat(20)}`,
    pool: `0x${'22'.repeat(20)}`,
    subject: `0x${'33'.repeat(32)}`,
    nonce: '0',
    facts: [{ type: 'bool', value: true }],
  } as const
  const statement = { type: 'sealpool/receipt', version: 1, body: { a: 1 } }
  class ComputedFact {
    get type() {
      return 'bool'
    }
    get value() {
      return true
    }
  }
  const sign = (given: object) => signStatement({ statement, context, privateKey, ...given } as never)
  test.each<readonly [string, object]>([
    ['a member more in the statement', { statement: { ...statement, more: 1 } }],
    ['a member more in the context', { context: { ...context, more: 1 } }],
    ['a member more in a fact', { context: { ...context, facts: [{ type: 'bool', value: true, more: 1 }] } }],
    ['a fact that is computed', { context: { ...context, facts: [new ComputedFact()] } }],
    [
      'a hidden member in the body',
      { statement: { ...statement, body: Object.defineProperty({ a: 1 }, 'b', { value: 1 }) } },
    ],
  ])('or is refused: %s', (_name, given) => {
    expect(() => sign(given)).toThrow(CryptoError)
  })

  const fact = { type: 'bool', value: true }
  const beside: readonly (readonly [string, (given: object) => object])[] = [
    [
      'an instance of a class with a getter',
      (given) => {
        class Mine {
          constructor() {
            Object.assign(this, given)
          }
          get deadline() {
            return 5
          }
        }
        return new Mine()
      },
    ],
    ['an inherited member', (given) => Object.assign(Object.create({ deadline: 5 }), given)],
    ['a hidden member', (given) => Object.defineProperty({ ...given }, 'deadline', { value: 5 })],
    [
      'a hidden, computed member',
      (given) => Object.defineProperty({ ...given }, 'deadline', { get: () => 5 }),
    ],
  ]
  test.each(beside)('or is refused, beside the known members: %s', (_name, more) => {
    const refused = (given: object, code: string, place: string) =>
      expect(() => sign(given)).toThrow(expect.objectContaining({ code, place }))
    refused({ statement: more(statement) }, 'OPTION_INVALID', 'statement')
    refused({ context: more(context) }, 'OPTION_INVALID', 'context')
    const facts = [fact, more(fact)]
    refused({ context: { ...context, facts } }, 'STATEMENT_INVALID', '$.context.facts[1]')
    // The functions that sign and hash agree.
    for (const [one, two] of [
      [more(statement), context],
      [statement, more(context)],
    ] as const) {
      expect(() => statementTypedDataHash(one as never, two as never)).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      )
    }
  })

  test('and is a copy, read once', () => {
    let reads = 0
    const body = {
      get n() {
        return reads++
      },
      inner: { x: 1 },
    }
    const signed = sign({ statement: { ...statement, body } })
    expect(signed.statement.body).toEqual({ n: 0, inner: { x: 1 } })
    body.inner.x = 2
    expect(verifyStatement(signed)).toBe(true)
    expect(signed.context).toEqual(context)
    expect(signed.context.facts[0]).not.toBe(context.facts[0])
  })
})
