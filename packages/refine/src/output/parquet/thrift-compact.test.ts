import { expect, test } from 'vitest'
import { fileCryptoMetadata } from './file-metadata.js'
import { binary, bool, encoded, encodeThrift, i8, i16, i32, i64, list, struct } from './thrift-compact.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

// Expected bytes are worked out by hand after thrift-compact-protocol.md.
test.each([
  ['an empty struct', struct(), '00'],
  ['short field headers hold the id difference', struct([1, i32(1)], [3, i32(-1)]), '1502250100'],
  ['a difference above 15 gets the long header', struct([20, i32(0)]), '05280000'],
  ['booleans live in the field header', struct([1, bool(true)], [2, bool(false)]), '111200'],
  ['an absent field is skipped', struct([1, undefined], [2, i8(-1)]), '23ff00'],
  ['zigzag and varint', struct([1, i64(300)]), '16d80400'],
  ['i16', struct([1, i16(-2)]), '140300'],
  ['binary has its length in front', struct([1, binary('ab')]), '1802616200'],
  ['a short list', struct([1, list('i32', [i32(1), i32(2)])]), '1925020400'],
  [
    'a list of 15 has the long header',
    struct([
      1,
      list(
        'i32',
        Array.from({ length: 15 }, () => i32(0)),
      ),
    ]),
    `19f50f${'00'.repeat(15)}00`,
  ],
  [
    'bytes that are longer than the room at first',
    struct([1, binary('a'.repeat(200))]),
    `18c801${'61'.repeat(200)}00`,
  ],
  [
    'structs that are bytes already',
    struct([1, list('struct', [encoded(encodeThrift(struct([1, i32(1)]))), struct([1, i32(1)])])]),
    '192c1502001502000' + '0',
  ],
])('%s', (_, value, bytes) => {
  expect(hex(encodeThrift(value))).toBe(bytes)
})

test('FileCryptoMetaData names AES_GCM_V1 and the AAD identifier', () => {
  expect(hex(encodeThrift(fileCryptoMetadata(Uint8Array.of(7, 8))))).toBe('1c1c280207080000' + '00')
})
