import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import peer from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCanonical } from './canonical-bytes.js'
import { canonicalize, type JsonValue } from './canonicalize.js'

interface Suite {
  readonly cases: readonly { readonly name: string; readonly input: string; readonly output: string }[]
  readonly numbers: { readonly bits: readonly string[]; readonly checksums: Readonly<Record<string, string>> }
}
const suite = JSON.parse(
  readFileSync(new URL('../../../../conformance/vectors/rfc8785.json', import.meta.url), 'utf8'),
) as Suite

test.each(suite.cases)('the published case $name', ({ input, output }) => {
  expect(canonicalize(JSON.parse(input) as JsonValue)).toBe(output)
  expect(canonicalize(parseCanonical(output))).toBe(output)
  expect(() => parseCanonical(input)).toThrow(expect.objectContaining({ code: 'JSON_NOT_CANONICAL' }))
})

describe('the published numbers', () => {
  test.each([1_000, 10_000])('the first %i have the published SHA-256', (count) => {
    const hash = createHash('sha256')
    let lines = 0
    for (const number of publishedNumbers()) {
      const view = new DataView(new ArrayBuffer(8))
      view.setFloat64(0, number)
      hash.update(`${view.getBigUint64(0).toString(16)},${canonicalize(number)}\n`)
      lines += 1
      if (lines === count) break
    }
    expect(hash.digest('hex')).toBe(suite.numbers.checksums[count])
  })
})

function* publishedNumbers(): Generator<number> {
  const ofBits = (bits: bigint) => {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, bits)
    return view.getFloat64(0)
  }
  for (const bits of suite.numbers.bits) yield ofBits(BigInt(`0x${bits}`))
  for (let index = 0n; index < 2000n; index++) yield ofBits(0x0010000000000000n + index)
  for (let block = Buffer.alloc(32); ; ) {
    block = createHash('sha256').update(block).digest()
    for (let at = 0; at < 32; at += 8) {
      const number = block.readDoubleLE(at)
      if (number !== 0 && Number.isFinite(number)) yield number
    }
  }
}

test('any JSON value has the same text as by the package canonicalize', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      expect(canonicalize(value as JsonValue)).toBe(peer(value))
    }),
    { numRuns: 500 },
  )
})
