import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as crypto from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import * as attest from '../index.js'
import * as measurement from '../measurement/index.js'
import * as platforms from '../platform-evidence/index.js'
import { attestData } from '../testing/attest-data.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

interface Conformance {
  run(options: object): Promise<{ agree: number; differ: number }>
}

describe.skipIf(attestData === undefined)('real evidence', () => {
  it('gets the answers of independent implementations (every 40th DCAP case and all else; all: npm run conformance)', async () => {
    const url = pathToFileURL(resolve(root, 'conformance/attest.mjs')).href
    const { run } = (await import(url)) as Conformance
    const lines: string[] = []
    const print = (line: string) => lines.push(line)
    const library = {
      ...attest,
      ...measurement,
      ...platforms,
      encodeHex: crypto.encodeHex,
      sha256Digest: crypto.sha256Digest,
    }
    const { agree, differ } = await run({ data: attestData, print, library, every: 40, chromium: false })
    expect({ differ, lines }).toEqual({ differ: 0, lines })
    expect(agree).toBeGreaterThan(200)
    const all = lines.join('\n')
    for (const kind of [
      'DCAP TDX v4',
      'SEV-SNP report v5',
      'launch digest SEV-SNP QEMU',
      'launch digest SEV-SNP-SVSM QEMU',
      'firmware event log, parsed',
      'document tcbInfo',
      'dstack event log',
      'Azure vTPM',
    ]) {
      expect(all).toMatch(new RegExp(`${kind}[^:]*: \\d+ agree, 0 differ`))
    }
  })
})
