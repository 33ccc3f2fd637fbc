import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const named = process.env['SEALPOOL_DATA']
const candidates = [
  ...(named === undefined ? [] : [resolve(named), resolve(named, 'attest')]),
  resolve(root, '../shared/data/attest'),
]

/** Folder of the real evidence; undefined, said aloud, when it is not there. */
export const attestData = candidates.find((folder) => existsSync(resolve(folder, 'cases-dcap.json')))
if (attestData === undefined) {
  console.log(`skipped: real evidence is at none of ${candidates.join(', ')}; set SEALPOOL_DATA`)
}

/** A file of the real evidence, unpacked. */
export function readAttestData(path: string): Uint8Array {
  const bytes = readFileSync(resolve(attestData ?? '', path))
  return new Uint8Array(path.endsWith('.gz') ? gunzipSync(bytes) : bytes)
}
