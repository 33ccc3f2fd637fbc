import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { encodeHex } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import * as attest from '../index.js'
import * as measurement from '../measurement/index.js'
import * as platforms from '../platform-evidence/index.js'
import { attestData } from '../testing/attest-data.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

interface Fuzz {
  run(options: object): Promise<{ agree: number; differ: number }>
}

describe.skipIf(attestData === undefined)('changed real evidence', () => {
  it('is never ok but where nothing is signed (every 199th byte; all: npm run conformance -- attest-fuzz)', async () => {
    const { run } = (await import(pathToFileURL(resolve(root, 'conformance/attest-fuzz.mjs')).href)) as Fuzz
    const lines: string[] = []
    const { agree, differ } = await run({
      data: attestData,
      library: { ...attest, ...measurement, ...platforms, encodeHex },
      print: (line: string) => lines.push(line),
      every: 199,
    })
    expect({ differ, lines }).toEqual({ differ: 0, lines })
    expect(agree).toBeGreaterThan(2000)
    // The areas that docs/attestation-evidence.md lists, and no other.
    const areas = lines
      .filter((line) => line.startsWith('not covered'))
      .map((line) => line.split(/: | \(/)[1])
    expect([
      'line ends and closing zeros of a quote’s PEM text, zero padding behind a quote',
      'the order of a quote’s certificates',
      'another signature of the same platform over the same QE report',
      'another certificate of the same platform key',
      'another authentic and current revocation list of the same issuer',
      'another authentic certificate of the same signer',
      'another authentic and current document about the same platform',
      'the same certificates',
    ]).toEqual(expect.arrayContaining(areas))
  }, 120_000)
})
