import { bytesToHex as byNoble } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bytesToHex } from './hex.js'

it('writes bytes as noble does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(bytesToHex(bytes)).toBe(byNoble(bytes))
    }),
  )
})
