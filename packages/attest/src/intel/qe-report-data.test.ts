import { hexToBytes } from '@noble/hashes/utils.js'
import { expect, it } from 'vitest'
import { exportSimulator } from '../simulator/index.js'
import { sign } from '../simulator/test-pki.js'
import { at, quote, simulator } from '../testing/fixture.js'
import { nativeP256 } from '../testing/native-p256.js'
import { parseQuote } from './quote.js'
import { verifyQuote } from './verify.js'

/** The fixture's quote with one octet of the QE's report data changed, and the report signed anew by the PCK key. */
function failuresWith(index: number, mask: number) {
  const bytes = quote.slice()
  const start = parseQuote(quote).qeReport.raw.byteOffset - quote.byteOffset
  const place = start + 320 + index
  bytes[place] = (bytes[place] ?? 0) ^ mask
  const report = bytes.subarray(start, start + 384)
  bytes.set(sign(report, hexToBytes(exportSimulator(simulator).keys.pck)), start + 384)
  const { checks } = verifyQuote(bytes, {
    collateral: simulator.collateral(at),
    at,
    trustedRoots: [simulator.rootDigest],
    verifySignature: nativeP256,
  })
  return checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
}

it('the QE’s report data is the digest of the attestation key, then 32 zero octets, whoever signed it', () => {
  expect(failuresWith(0, 0)).toEqual([])
  for (let index = 0; index < 64; index += 1) {
    expect([index, failuresWith(index, 0x01)]).toEqual([index, ['attestation-key']])
  }
})
