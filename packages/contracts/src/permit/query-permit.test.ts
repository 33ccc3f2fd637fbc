import fc from 'fast-check'
import { type Account, type Hex, keccak256, recoverTypedDataAddress, toHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import { ContractsError } from '../errors.js'
import {
  formatPermit,
  parsePermit,
  permitDigest,
  permitTypedData,
  type QueryPermit,
  type SignedPermit,
  signPermit,
} from './index.js'
import { redeemData } from './redeem-permit.js'

const issuer = privateKeyToAccount(keccak256(toHex('issuer')))
const grantee = privateKeyToAccount(keccak256(toHex('grantee')))
const deployment = { chainId: 31_337, permissions: `0x${'5'.repeat(40)}` } as const
const permit: QueryPermit = {
  issuer: issuer.address,
  appointment: 1,
  pool: `0x${'a'.repeat(40)}`,
  grantee: grantee.address,
  jobDigest: keccak256(toHex('job')),
  terms: { price: 5n, poolTokenBurn: 0n, runs: 2, opensAt: 10n, closesAt: 20n },
  salt: keccak256(toHex('salt')),
}
const signed = await signPermit({ account: issuer, deployment, permit })
const written = () => JSON.parse(formatPermit(signed))

test('a permit is signed by its issuer for one chain and one contract', async () => {
  const data = permitTypedData({ deployment, permit })
  expect(await recoverTypedDataAddress({ ...data, signature: signed.signature })).toBe(issuer.address)
  const digests = [
    permitDigest({ deployment, permit }),
    permitDigest({ deployment: { ...deployment, chainId: 1 }, permit }),
    permitDigest({ deployment: { ...deployment, permissions: `0x${'6'.repeat(40)}` }, permit }),
  ]
  expect(new Set(digests).size).toBe(3)
  await expect(signPermit({ account: grantee, deployment, permit })).rejects.toMatchObject({
    code: 'ARGUMENT_INVALID',
  })
  const remote: Account = { address: issuer.address, type: 'json-rpc' }
  await expect(signPermit({ account: remote, deployment, permit })).rejects.toMatchObject({
    code: 'NO_ACCOUNT',
  })
})

test('a permit is given to the contract that it is for, on its chain, and to no other', () => {
  const upper = { ...signed, permissions: `0x${'5'.repeat(40).toUpperCase()}` } as const
  expect(redeemData(deployment, signed)).toBe(redeemData(deployment, upper))
  for (const other of [{ chainId: 1 }, { permissions: `0x${'6'.repeat(40)}` } as const])
    expect(() => redeemData({ ...deployment, ...other }, signed)).toThrow(/not of this deployment/)
})

test('a permit is read as it was written', () => {
  expect(parsePermit(formatPermit(signed))).toEqual({
    ...signed,
    permit: { ...permit, terms: { ...permit.terms, scopeDigest: `0x${'00'.repeat(32)}` } },
  })
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
      fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      (price, runs, closesAt, bytes) => {
        const terms = { price, poolTokenBurn: price, runs, opensAt: 0n, closesAt, scopeDigest: permit.salt }
        const some: SignedPermit = {
          ...signed,
          permit: { ...permit, appointment: runs, terms },
          signature: toHex(bytes),
        }
        expect(parsePermit(formatPermit(some))).toEqual(some)
      },
    ),
  )
})

const changed: readonly [string, (json: ReturnType<typeof written>) => unknown][] = [
  ['format', (json) => ({ ...json, format: 'sealpool/other' })],
  ['version', (json) => ({ ...json, version: 2 })],
  ['more', (json) => ({ ...json, more: 1 })],
  ['chainId', (json) => ({ ...json, chainId: '1' })],
  ['permissions', (json) => ({ ...json, permissions: '0x1' })],
  ['signature', (json) => ({ ...json, signature: '0x' })],
  ['signature', (json) => ({ ...json, signature: `0x${'00'.repeat(8_193)}` })],
  ['permit.issuer', (json) => ({ ...json, permit: { ...json.permit, issuer: null } })],
  ['permit.appointment', (json) => ({ ...json, permit: { ...json.permit, appointment: 0 } })],
  ['permit.jobDigest', (json) => ({ ...json, permit: { ...json.permit, jobDigest: '0x00' } })],
  ['permit.salt', (json) => ({ ...json, permit: { ...json.permit, salt: `0x${'G'.repeat(64)}` } })],
  ...(
    [
      ['price', `${2n ** 128n}`],
      ['poolTokenBurn', '01'],
      ['runs', 0],
      ['runs', 2 ** 32],
      ['opensAt', -1],
      ['closesAt', `${2n ** 64n}`],
      ['scopeDigest', undefined],
    ] as const
  ).map(([name, value]): (typeof changed)[number] => [
    `permit.terms.${name}`,
    (json) => ({ ...json, permit: { ...json.permit, terms: { ...json.permit.terms, [name]: value } } }),
  ]),
]

test.each(changed)('what is no permit is refused, and named: %s', (place, change) => {
  const read = () => parsePermit(JSON.stringify(change(written())))
  expect(read).toThrow(ContractsError)
  expect(read).toThrow(place)
})

test('a permit does not close before it opens', () => {
  const json = written()
  json.permit.terms.closesAt = '9'
  expect(() => parsePermit(JSON.stringify(json))).toThrow('closes before it opens')
})

test('whatever the text, it is a permit or an error of this package', () => {
  const total = (text: string) => {
    try {
      parsePermit(text)
    } catch (error) {
      expect(error).toMatchObject({ name: 'ContractsError', code: 'ARGUMENT_INVALID', place: 'parsePermit' })
    }
  }
  fc.assert(fc.property(fc.string(), total))
  fc.assert(fc.property(fc.json(), total))
  fc.assert(
    fc.property(fc.nat(), fc.string({ maxLength: 3 }), (at, put) => {
      const text = formatPermit(signed)
      total(text.slice(0, at % text.length) + put + text.slice((at % text.length) + put.length))
    }),
  )
  expect(() => parsePermit(' '.repeat(32_769))).toThrow('at most 32768')
})

test('a digest is of every field', () => {
  const other: Hex = keccak256(toHex('other'))
  const terms = [{ price: 6n }, { poolTokenBurn: 1n }, { runs: 3 }, { opensAt: 11n }, { closesAt: 21n }]
  const changes: Partial<QueryPermit>[] = [
    { issuer: grantee.address },
    { appointment: 2 },
    { pool: grantee.address },
    { grantee: issuer.address },
    { jobDigest: other },
    { salt: other },
    ...[...terms, { scopeDigest: other }].map((change) => ({ terms: { ...permit.terms, ...change } })),
  ]
  const digests = [{}, ...changes].map((change) =>
    permitDigest({ deployment, permit: { ...permit, ...change } }),
  )
  expect(new Set(digests).size).toBe(changes.length + 1)
})
