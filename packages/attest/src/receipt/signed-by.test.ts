import { addressOf, parseSignedStatement, signStatement, verifyStatement } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSignedBy } from './signed-by.js'

const address = `0x${'ab'.repeat(20)}` as const
const signedWith = (privateKey: Uint8Array, job: string) =>
  signStatement({
    statement: { type: 'sealpool/receipt', version: 1, body: { job } },
    context: {
      chainId: 31337,
      registry: address,
      pool: address,
      subject: `0x${'07'.repeat(32)}`,
      nonce: '7',
      facts: [],
    },
    privateKey,
  })
const keys = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((key) => key.some((octet) => octet > 0) && (key[0] ?? 0) < 255)

describe('isSignedBy', () => {
  it('answers as crypto’s verifyStatement, for right and changed signatures and signers', () => {
    fc.assert(
      fc.property(
        keys,
        keys,
        fc.string(),
        fc.integer({ min: 0, max: 64 }),
        fc.integer({ min: 1, max: 255 }),
        (key, other, job, place, bits) => {
          const signed = parseSignedStatement(JSON.parse(JSON.stringify(signedWith(key, job))))
          const bytes = Buffer.from(signed.signature.slice(2), 'hex')
          bytes[place] = (bytes[place] ?? 0) ^ bits
          const changed = { ...signed, signature: `0x${bytes.toString('hex')}` as const }
          const renamed = { ...signed, signer: addressOf(other) }
          for (const one of [signed, changed, renamed]) {
            for (const signer of [addressOf(key), addressOf(other)]) {
              expect(isSignedBy(one, signer)).toBe(verifyStatement(one, { signer }))
            }
          }
          expect(isSignedBy(signed, addressOf(key))).toBe(true)
          expect(isSignedBy(changed, addressOf(key))).toBe(false)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('asks for the signer in the statement and the one who must have signed', () => {
    const key = new Uint8Array(32).fill(9)
    const signed = signedWith(key, '1')
    expect(isSignedBy(signed, signed.signer)).toBe(true)
    expect(isSignedBy({ ...signed, signer: address }, addressOf(key))).toBe(false)
    expect(isSignedBy({ ...signed, signer: address }, address)).toBe(false)
    expect(isSignedBy(signed, address)).toBe(false)
  })
})
