import { digestOf } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import {
  appraisePlatform,
  type PlatformPolicy,
  parsePlatformPolicy,
  platformPolicyDigest,
} from '../platform-evidence/index.js'
import { all, enclave, hex, policy, snpPolicy, tdxPolicy } from '../testing/platform-appraisal-table.js'

describe('parsePlatformPolicy', () => {
  const place = (json: unknown) => {
    try {
      parsePlatformPolicy(json)
      return 'ok'
    } catch (error) {
      return error instanceof AttestError ? `${error.code} ${error.place}` : error
    }
  }
  const full: PlatformPolicy = {
    ...policy,
    dstack: {
      hardware: tdxPolicy,
      apps: [{ name: 'a', composeHash: hex(1, 32), appId: hex(2, 20) }],
      keyProviders: [{ name: 'kms', id: '0x' }],
      osImageHashes: [hex(3, 32)],
      allowAppEvents: false,
    },
    azure: { hardware: snpPolicy, images: [], attestationKeys: [hex(1, 32)], nonce: '0x00' },
    nitro: {
      images: [{ name: 'e', registers: { '3': hex(1, 48) } }],
      allowPartialImages: true,
      moduleIds: ['i'],
      nonce: '0x00',
      maximumAgeSeconds: 1,
    },
    nvidia: {
      images: [{ name: 'd', registers: { '255': '0x' } }],
      devices: [hex(7, 32)],
      deviceTypes: ['d'],
      nonce: '0x00',
      allowOfflineOnly: false,
    },
    nvidiaToken: {
      hardwareModels: ['h'],
      driverVersions: ['d'],
      vbiosVersions: ['v'],
      nonce: '0x00',
      maximumAgeSeconds: 1,
    },
  }

  it('reads every rule back as it was', () => {
    expect(parsePlatformPolicy(JSON.parse(JSON.stringify(full)))).toEqual(full)
    expect(platformPolicyDigest(full)).toBe(digestOf(full))
    expect(platformPolicyDigest(full)).not.toBe(platformPolicyDigest(policy))
    expect(() => platformPolicyDigest({} as PlatformPolicy)).toThrow(AttestError)
  })

  const image = (registers: unknown) => ({ images: [{ name: 'i', registers }] })
  it.each([
    ['policy', undefined],
    ['policy', { ...full, allowDebug: true }],
    ['policy.format', { ...full, format: 'sealpool/attestation-policy' }],
    ['policy.version', { ...full, version: 2 }],
    ['policy.dstack', { ...full, dstack: null }],
    ['policy.dstack.hardware', { ...full, dstack: { apps: [] } }],
    ['policy.dstack.hardware.roots', { ...full, dstack: { hardware: { ...tdxPolicy, roots: 1 }, apps: [] } }],
    ['policy.dstack.apps', { ...full, dstack: { hardware: tdxPolicy } }],
    ['policy.dstack.apps.0.composeHash', { ...full, dstack: { hardware: tdxPolicy, apps: [{ name: 'a' }] } }],
    ['policy.azure.images', { ...full, azure: { hardware: snpPolicy } }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({}) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image([hex(1, 48)]) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image(null) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '01': hex(1, 48) }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '32': hex(1, 48) }) }],
    ['policy.nitro.images.0.registers.0', { ...full, nitro: image({ '0': hex(1, 32) }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '3': hex(0, 48) }) }],
    ['policy.nitro.images.0.registers.0', { ...full, nitro: image({ ...enclave, '0': undefined }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '1': hex(1, 48), '2': hex(1, 48) }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '0': hex(1, 48), '2': hex(1, 48) }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '0': hex(1, 48), '1': hex(1, 48) }) }],
    [
      'policy.nitro.images.0.registers',
      { ...full, nitro: { ...image({ '0': hex(1, 48) }), allowPartialImages: false } },
    ],
    ['policy.nitro.maximumAgeSeconds', { ...full, nitro: { images: [], maximumAgeSeconds: 0 } }],
    ['policy.nvidiaToken.maximumAgeSeconds', { ...full, nvidiaToken: { maximumAgeSeconds: 1.5 } }],
    ['policy.nvidia', { ...full, nvidia: { maximumAgeSeconds: 1 } }],
    ['policy.azure', { ...full, azure: { hardware: snpPolicy, images: [], maximumAgeSeconds: 1 } }],
    ['policy.azure.nonce', { ...full, azure: { hardware: snpPolicy, images: [], nonce: '0x' } }],
    ['policy.nvidia.nonce', { ...full, nvidia: { nonce: '06' } }],
    ['policy.nvidia', { ...full, nvidia: { allowDebug: true } }],
    ['policy.nvidia.devices', { ...full, nvidia: { devices: 'GH100' } }],
    ['policy.nvidiaToken.driverVersions.0', { ...full, nvidiaToken: { driverVersions: new Array(1) } }],
  ])('names the place: %s', (where, json) => {
    expect(place(json)).toBe(`BAD_POLICY ${where}`)
    expect(() => appraisePlatform(all, json as PlatformPolicy)).toThrow(AttestError)
  })
})
