import { expect, it } from 'vitest'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { encodeSealedCopies, sealedCopyOf } from './sealed-copies.js'

it('gives each recipient his own copy, and nobody another’s', () => {
  const [ann, ben, eve] = ['a', 'b', 'e'].map(addressOfDigit) as [`0x${string}`, `0x${string}`, `0x${string}`]
  const copies = encodeSealedCopies([
    { recipient: ann, sealed: Uint8Array.of(1, 2) },
    { recipient: ben, sealed: Uint8Array.of(3) },
  ])
  expect(sealedCopyOf(copies, ann)).toEqual(Uint8Array.of(1, 2))
  expect(sealedCopyOf(copies, ben)).toEqual(Uint8Array.of(3))
  for (const nobody of [eve, '0xtoString', '__proto__', ''] as `0x${string}`[])
    expect(sealedCopyOf(copies, nobody)).toBeUndefined()
  expect(sealedCopyOf(encodeSealedCopies([]), ann)).toBeUndefined()
})
