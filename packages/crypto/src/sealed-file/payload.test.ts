import { expect, test } from 'vitest'
import { codeOf } from '../testing/sealed-fixture.js'
import { layoutOfPayload, payloadCipher } from './payload.js'

test('a payload has at most 2^40 chunks', async () => {
  const cipher = await payloadCipher('aes-256-gcm', new Uint8Array(32), 'auto')
  const last = 2 ** 40 - 1
  const sealed = await cipher.seal(last, true, new Uint8Array(3))
  expect(await cipher.open(last, true, sealed)).toEqual(new Uint8Array(3))
  expect(await codeOf(() => cipher.seal(last + 1, true, new Uint8Array(3)))).toBe('CHUNK_REFUSED')
  expect(await codeOf(() => cipher.open(last + 1, true, sealed))).toBe('CHUNK_REFUSED')
})

test('a payload of more than 2^40 chunks has no layout', () => {
  expect(layoutOfPayload(2 ** 40 * 80, 64)).toMatchObject({ chunks: 2 ** 40, plaintextLength: 2 ** 46 })
  for (const length of [2 ** 40 * 80 + 17, 2 ** 41 * 80])
    expect(() => layoutOfPayload(length, 64)).toThrow(expect.objectContaining({ code: 'TRUNCATED' }))
})

test('no plaintext has a payload shorter than a tag', () => {
  expect(() => layoutOfPayload(15, 64)).toThrow(expect.objectContaining({ code: 'TRUNCATED' }))
})
