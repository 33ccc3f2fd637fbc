import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { attestData, readAttestData } from '../testing/attest-data.js'
import { parseDstackAttestation } from './versioned-attestation.js'

const folder = 'Dstack-TEE__dstack/dstack'
const json = (path: string) => JSON.parse(new TextDecoder().decode(readAttestData(path)))
const blob = (name: string) => hexToBytes(json(`${folder}/verifier/fixtures/${name}`).attestation)

describe.skipIf(attestData === undefined)('parseDstackAttestation with real containers', () => {
  it('reads TDX', () => {
    const d = parseDstackAttestation(blob('tdx-lite-attestation.json'))
    console.log(
      d.evidence.platform,
      d.runtimeEvents.length,
      d.config.length,
      bytesToHex(d.reportData).slice(0, 20),
    )
    for (const p of [
      'dstack-attest/tests/sev_snp_attestation.bin',
      'dstack-attest/tests/nitro_attestation.bin',
      'dstack-attest/tests/nitro_attestation_dbg.bin',
      'guest-agent/fixtures/attestation.bin',
    ]) {
      const e = parseDstackAttestation(readAttestData(`${folder}/${p}`))
      console.log(p, e.evidence.platform, e.runtimeEvents.length, e.config.slice(0, 200))
    }
    expect(1).toBe(1)
  })
})
