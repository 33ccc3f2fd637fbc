import { hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { cborField, isCborMap, parseCbor } from './cbor.js'

const read = (hex: string) => parseCbor(hexToBytes(hex))

describe('CBOR', () => {
  // RFC 8949, appendix A, as far as evidence uses it.
  it.each<[string, unknown]>([
    ['00', 0],
    ['17', 23],
    ['1818', 24],
    ['190100', 256],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['1bffffffffffffffff', 18_446_744_073_709_551_615n],
    ['20', -1],
    ['3863', -100],
    ['3bffffffffffffffff', -18_446_744_073_709_551_616n],
    ['f4', false],
    ['f5', true],
    ['f6', null],
    ['6449455446', 'IETF'],
    ['62c3bc', 'ü'],
    ['80', []],
    ['8301820203820405', [1, [2, 3], [4, 5]]],
  ])('%s', (hex, value) => {
    expect(read(hex)).toEqual(value)
  })

  it('reads byte strings and maps of both forms', () => {
    expect(read('4401020304')).toEqual(Uint8Array.of(1, 2, 3, 4))
    for (const hex of ['a26161014162820203', 'bf6161014162820203ff']) {
      const map = read(hex)
      expect(isCborMap(map)).toBe(true)
      if (isCborMap(map)) expect([cborField(map, 'a'), cborField(map, 'x')]).toEqual([1, undefined])
    }
    for (const hex of ['80', '40', '00', 'f6', '60']) expect(isCborMap(read(hex))).toBe(false)
  })

  it.each([
    ['nothing', ''],
    ['a number that is cut off', '19 01'],
    ['a reserved length', '1c'],
    ['an indefinite byte string', '5f4101ff'],
    ['an indefinite list', '9f01ff'],
    ['an indefinite map that does not end', 'bf0101'],
    ['a break alone', 'ff'],
    ['undefined', 'f7'],
    ['a float', 'fb3ff199999999999a'],
    ['a simple value', 'f818'],
    ['a tag', 'c074'],
    ['a byte string beyond the end', '4201'],
    ['a list beyond the end', '8201'],
    ['a list of 2^64 - 1', '9bffffffffffffffff'],
    ['a map of 2^32', 'ba00000000'.replace('00000000', 'ffffffff')],
    ['text that is not UTF-8', '61ff'],
    ['one key twice', 'a201010102'],
    ['one key twice, as text', 'a2616101616102'],
    ['bytes behind', '0000'],
    ['17 levels', `${'81'.repeat(17)}00`],
  ])('refuses %s', (_, hex) => {
    expect(() => read(hex.replaceAll(' ', ''))).toThrow(
      expect.objectContaining({ name: 'AttestError', code: 'BAD_EVIDENCE' }),
    )
  })

  it('reads 16 levels, and keys of one text and of one number side by side', () => {
    expect(() => read(`${'81'.repeat(16)}00`)).not.toThrow()
    expect(() => read('a201016131 02'.replaceAll(' ', ''))).not.toThrow()
  })

  it('is total', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          parseCbor(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(AttestError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
