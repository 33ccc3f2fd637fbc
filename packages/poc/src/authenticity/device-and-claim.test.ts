import { asJson, type JsonObject } from '@sealpool/crypto'
import { hashTypedData, keccak256, toHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { typedDataHash } from '../signature/typed-data.js'
import { verifyDeviceRecords } from './device/verify-device-records.js'
import type { AuthenticityFinding } from './finding.js'
import { verifyReclaim } from './reclaim/verify-reclaim.js'
import { inspectPresentation } from './tlsnotary/inspect-presentation.js'

const reasons = (result: AuthenticityFinding): unknown[] => {
  expect(JSON.stringify({ ...result, claims: 0, credential: 0 })).not.toContain('canary')
  expect(result.authentic || result.signer === null).toBe(true)
  return [result.authentic, ...result.checks.filter((one) => one.result !== 'pass').map((one) => one.reason)]
}

describe('device records', () => {
  const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
  const stranger = privateKeyToAccount(`0x${'22'.repeat(32)}`)
  const types = {
    Sample: [
      { name: 'counter', type: 'uint64' },
      { name: 'value', type: 'int32' },
      { name: 'unit', type: 'string' },
      { name: 'position', type: 'Position' },
      { name: 'raw', type: 'bytes' },
      { name: 'tags', type: 'bytes4[]' },
      { name: 'ok', type: 'bool' },
    ],
    Position: [
      { name: 'lat', type: 'int256' },
      { name: 'owner', type: 'address' },
      { name: 'pair', type: 'uint8[2]' },
    ],
  } as const
  const domain = {
    name: 'Meter',
    version: '1',
    chainId: 1,
    verifyingContract: `0x${'33'.repeat(20)}`,
  } as const
  const message = (counter: number) =>
    ({
      counter,
      value: -5,
      unit: 'canary é',
      position: { lat: '-9007199254740993', owner: `0x${'44'.repeat(20)}`, pair: [1, 2] },
      raw: '0x0102',
      tags: ['0x01020304', '0xffffffff'],
      ok: true,
    }) as const
  const typed = (counter: number, own: object = {}) =>
    ({ domain, types, primaryType: 'Sample', message: { ...message(counter), ...own } }) as never
  const record = async (counter: number, by = account) => ({
    message: asJson(message(counter)),
    signature: await by.signTypedData(typed(counter)),
  })
  const source = {
    domain: asJson(domain),
    types,
    primaryType: 'Sample',
    devices: [{ name: 'Meter 7', address: account.address }],
    uniqueBy: 'counter',
  }
  const verify = (file: JsonObject) => verifyDeviceRecords({ file, source })

  test('the hash is what viem computes', () => {
    const ours = typedDataHash({ ...source, message: asJson(message(3)) })
    expect(ours === undefined ? '' : toHex(ours)).toBe(hashTypedData(typed(3)))
  })
  test('records of one known device are authentic', async () => {
    const file = { records: [await record(1), await record(2)] }
    expect(verify(file as JsonObject)).toMatchObject({ authentic: true, signer: 'Meter 7' })
  })
  test('others are not', async () => {
    const one = await record(1)
    const cases: [JsonObject, string][] = [
      [{ records: [one, await record(2, stranger)] }, 'SEVERAL_SIGNERS'],
      [{ records: [await record(1, stranger)] }, 'UNKNOWN_DEVICE'],
      [{ records: [one, one] }, 'RECORD_REPEATED'],
      [{ records: [{ ...one, message: { ...one.message, value: 6 } }] }, 'UNKNOWN_DEVICE'],
      [{ records: [{ ...one, message: { ...one.message, extra: 6 } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, value: 2 ** 31 } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, counter: -1 } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, ok: 1 } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, raw: '0x1' } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, tags: ['0x01'] } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, unit: '\ud800' } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, extra: 1 }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [1] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [] }, 'NOT_SIGNED'],
      [{ records: Array.from({ length: 10_001 }, () => 1) }, 'TOO_MANY_RECORDS'],
      [{ records: [one], note: 1 }, 'NOT_SIGNED'],
    ]
    for (const [file, reason] of cases) expect(reasons(verify(file))).toContain(reason)
  })
  test('a record that comes again is one however its counter is written, with a member that tells and without', async () => {
    const one = await record(7)
    const spelt = ['7', '07', '0x7', '0x07'].map((counter) => ({
      ...one,
      message: { ...one.message, counter },
    }))
    for (const own of spelt) {
      expect(verify({ records: [own] } as JsonObject).authentic).toBe(true)
      expect(reasons(verify({ records: [one, own] } as JsonObject))).toEqual([false, 'RECORD_REPEATED'])
      const { uniqueBy: _, ...without } = source
      const found = verifyDeviceRecords({ file: { records: [one, own] } as JsonObject, source: without })
      expect(reasons(found)).toEqual([false, 'RECORD_REPEATED'])
    }
    expect(verify({ records: [one, await record(8)] } as JsonObject).authentic).toBe(true)
    const nothing = verifyDeviceRecords({
      file: { records: [one] } as JsonObject,
      source: { ...source, uniqueBy: 'x' },
    })
    expect(reasons(nothing)).toEqual([false, 'RECORD_DOES_NOT_FIT'])
  })
  test('a signature with high s, which is another text of the same, is none', async () => {
    const one = await record(1)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = order - BigInt(`0x${one.signature.slice(66, 130)}`)
    const v = one.signature.endsWith('1b') ? '1c' : '1b'
    const high = `${one.signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}`
    expect(reasons(verify({ records: [{ ...one, signature: high }] }))).toContain('UNKNOWN_DEVICE')
  })
})

describe('Reclaim claims', () => {
  const witness = privateKeyToAccount(`0x${'55'.repeat(32)}`)
  const second = privateKeyToAccount(`0x${'66'.repeat(32)}`)
  const owner = `0x${'77'.repeat(20)}` as const
  const parameters = '{"url":"https://api.example/me"}'
  const claim = (own: object = {}) => {
    const base = {
      provider: 'http',
      parameters,
      context: '{"canary":1}',
      owner,
      timestampS: 1000,
      epoch: 1,
      ...own,
    }
    const identifier = keccak256(
      new TextEncoder().encode(`${base.provider}\n${base.parameters}\n${base.context}`),
    )
    return { identifier, ...base }
  }
  const signedBy = async (one: ReturnType<typeof claim>, ...accounts: (typeof witness)[]) => ({
    claimData: asJson(one),
    signatures: await Promise.all(
      accounts.map((account) =>
        account.signMessage({ message: `${one.identifier}\n${one.owner}\n${one.timestampS}\n${one.epoch}` }),
      ),
    ),
  })
  const source = {
    witnesses: [witness.address, second.address],
    provider: 'http',
    parameters: [parameters],
    maximumAgeSeconds: 100,
  }
  const verify = (proof: JsonObject, own = {}) => verifyReclaim({ proof, source, owner, at: 1050, ...own })

  test('that trusted witnesses signed are authentic, and say what nobody here saw', async () => {
    const result = verify((await signedBy(claim(), witness)) as JsonObject)
    expect(result.authentic).toBe(true)
    expect(result.checks.at(-1)).toEqual({
      name: 'tls-session',
      result: 'not-checked',
      reason: 'SEEN_BY_WITNESSES_ONLY',
      essential: false,
    })
  })
  test('others are not', async () => {
    const good = await signedBy(claim(), witness)
    const stranger = privateKeyToAccount(`0x${'78'.repeat(32)}`)
    const of = async (own: object): Promise<JsonObject> => (await signedBy(claim(own), witness)) as JsonObject
    const cases: [JsonObject, string, object?][] = [
      [(await signedBy(claim(), stranger)) as JsonObject, 'TOO_FEW_WITNESSES'],
      [{ ...good, signatures: [] }, 'TOO_FEW_WITNESSES'],
      [
        { ...good, signatures: [...good.signatures, ...good.signatures] },
        'TOO_FEW_WITNESSES',
        { source: { ...source, threshold: 2 } },
      ],
      [good, 'TOO_FEW_WITNESSES', { source: { ...source, threshold: 0, witnesses: [] } }],
      [{ ...good, claimData: { ...good.claimData, context: '{}' } }, 'IDENTIFIER_MISMATCH'],
      [{ ...good, claimData: { ...good.claimData, timestampS: 1001 } }, 'TOO_FEW_WITNESSES'],
      [await of({ provider: 'other' }), 'WRONG_PROVIDER'],
      [await of({ parameters: '{}' }), 'WRONG_PARAMETERS'],
      [await of({ owner: `0x${'88'.repeat(20)}` }), 'WRONG_OWNER'],
      [good, 'EXPIRED', { at: 1101 }],
      [good, 'NOT_YET_VALID', { at: 999 }],
      [good, 'NO_TIME_GIVEN', { at: undefined }],
      [await of({ context: 'a\nb' }), 'MALFORMED_CLAIM'],
      [{ signatures: [] }, 'MALFORMED_CLAIM'],
      [{ claimData: good.claimData, signatures: 'x' }, 'MALFORMED_CLAIM'],
      [{ ...good, extractedParameterValues: { name: 'canary' } }, 'UNSIGNED_MEMBERS'],
      [{ ...good, claimData: { ...good.claimData, junk: 1 } }, 'UNSIGNED_MEMBERS'],
      [{ ...good.claimData, signatures: good.signatures, junk: 1 }, 'UNSIGNED_MEMBERS'],
    ]
    for (const [proof, reason, own] of cases) expect(reasons(verify(proof, own))).toContain(reason)
    for (const [proof, , own] of cases) expect(verify(proof, own).authentic).toBe(false)
  })
  test('a claim that is not wrapped is one as well', async () => {
    const { claimData, signatures } = await signedBy(claim(), witness)
    expect(verify({ ...claimData, signatures } as JsonObject).authentic).toBe(true)
  })
  test('two of two witnesses are two', async () => {
    const both = (await signedBy(claim(), witness, second)) as JsonObject
    expect(verify(both, { source: { ...source, threshold: 2 } }).authentic).toBe(true)
  })
})

test('a TLSNotary presentation is recognised and never authentic', () => {
  const result = inspectPresentation({ file: { version: '0.1.0-alpha.12', data: '00ff', meta: {} } })
  expect(result.authentic).toBe(false)
  expect(result.checks.map((check) => check.result)).toEqual([
    'pass',
    'not-checked',
    'not-checked',
    'not-checked',
  ])
  for (const file of [
    {},
    { version: '1', data: '00' },
    { version: '0.1.0', data: 'zz' },
    { version: '0.1.0', data: '' },
  ]) {
    expect(reasons(inspectPresentation({ file }))).toEqual([false, 'MALFORMED_PRESENTATION'])
  }
})
