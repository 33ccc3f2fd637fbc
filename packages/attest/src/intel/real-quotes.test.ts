import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as crypto from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import * as attest from '../index.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const named = process.env['SEALPOOL_DATA']
const candidates = [
  ...(named === undefined ? [] : [resolve(named), resolve(named, 'attest')]),
  resolve(root, '../shared/data/attest'),
]
const data = candidates.find((folder) => existsSync(resolve(folder, 'cases-dcap.json')))
if (data === undefined) {
  console.log(`skipped: real quotes are at none of ${candidates.join(', ')}; set SEALPOOL_DATA`)
}

interface Conformance {
  run(options: object): Promise<{ agree: number; differ: number }>
}

describe.skipIf(data === undefined)('real quotes with real collateral', () => {
  it('get the TCB status and advisories that Intel’s algorithm gives (every 40th case; all: npm run conformance)', async () => {
    const url = pathToFileURL(resolve(root, 'conformance/attest.mjs')).href
    const { run } = (await import(url)) as Conformance
    const lines: string[] = []
    const print = (line: string) => lines.push(line)
    const { agree, differ } = await run({ data, print, attest, crypto, every: 40 })
    expect({ differ, lines }).toEqual({ differ: 0, lines })
    expect(agree).toBeGreaterThan(90)
    expect(lines.join('\n')).toMatch(/DCAP TDX v4: \d+ agree, 0 differ/)
  })
})
