import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { type GpuMode, gpuModeEvent, gpuNonce, parseGpuMode } from './gpu-mode.js'

const mode: GpuMode = {
  format: 'sealpool/gpu-mode',
  version: 1,
  confidentialComputing: 'on',
  developerTools: 'off',
  devices: 8,
}
const payloadOf = (text: string) => `0x${bytesToHex(new TextEncoder().encode(text))}` as const
const refused = (read: () => unknown): unknown => {
  try {
    read()
    return undefined
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}

describe('the record of a GPU’s mode', () => {
  it('is read as it was written', () => {
    const { payload } = gpuModeEvent(mode)
    expect(parseGpuMode(`0x${bytesToHex(payload)}`)).toEqual(mode)
  })

  it.each([
    ['another format', { format: 'sealpool/other' }],
    ['another version', { version: 2 }],
    ['a mode between on and off', { confidentialComputing: 'devtools' }],
    ['a mode that is not told', { developerTools: undefined }],
    ['no device', { devices: 0 }],
    ['more devices than there can be', { devices: 65 }],
    ['a further field', { ready: true }],
  ])('is refused with %s, when it is written and when it is read', (_, change) => {
    const wrong = { ...mode, ...change } as GpuMode
    expect(refused(() => gpuModeEvent(wrong))).toBe('BAD_EVIDENCE')
    expect(refused(() => parseGpuMode(payloadOf(JSON.stringify(wrong))))).toBe('BAD_EVIDENCE')
  })

  it('is refused in another form than the one that it is written in', () => {
    expect(refused(() => parseGpuMode(payloadOf(JSON.stringify(mode))))).toBe('BAD_EVIDENCE')
  })

  it('is a value or a typed error, whatever bytes stand there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(refused(() => parseGpuMode(`0x${bytesToHex(bytes)}`))).toBe('BAD_EVIDENCE')
      }),
    )
  })
})

describe('the nonce that a guest’s GPUs are asked with', () => {
  it('follows from the guest’s report data', () => {
    // SHA-256 by another implementation (Python 3 hashlib).
    expect(bytesToHex(gpuNonce(new Uint8Array(64).fill(1)))).toBe(
      '2bb6539f4c1fd4f1bd60d4de930ed2d78c1443a30cd08d570b0be3f210c032d0',
    )
    expect(gpuNonce(new Uint8Array(64).fill(2))).not.toEqual(gpuNonce(new Uint8Array(64).fill(1)))
  })

  it.each([0, 32, 63, 65])('is refused over %i bytes', (length) => {
    expect(refused(() => gpuNonce(new Uint8Array(length)))).toBe('BAD_ARGUMENT')
  })
})
