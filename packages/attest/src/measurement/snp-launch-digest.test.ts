import { describe, expect, it } from 'vitest'
import { mrConfigId } from '../dstack/mr-config.js'
import { AttestError } from '../errors.js'
import { type Ovmf, parseOvmf } from './ovmf.js'
import { snpLaunchDigest } from './snp-launch-digest.js'

// Launch digests of virtee's tool are compared in `npm run conformance -- attest`; here is what must be refused.
const ovmf: Ovmf = {
  gpa: 0,
  sections: [{ gpa: 0x800000, size: 4096, type: 16 }],
  resetEip: 0x80b004,
  hashTableGpa: 0x800c00,
}
const ovmfDigest = new Uint8Array(48)
const launch = { ovmf, ovmfDigest, vcpus: 1, vcpu: 'EPYC-v4' } as const
const code = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}

describe('snpLaunchDigest', () => {
  it('depends on everything that is launched', () => {
    const kernel = { image: Uint8Array.of(1), initrd: Uint8Array.of(2), commandLine: 'a' }
    const variants = [
      launch,
      { ...launch, vcpus: 2 },
      { ...launch, vcpu: 'EPYC-Milan' },
      { ...launch, features: 5n },
      { ...launch, vmm: 'ec2' as const },
      { ...launch, vmm: 'gce' as const },
      { ...launch, kernel },
      { ...launch, kernel: { ...kernel, image: Uint8Array.of(9) } },
      { ...launch, kernel: { ...kernel, initrd: Uint8Array.of(9) } },
      { ...launch, kernel: { ...kernel, commandLine: 'b' } },
      { ...launch, ovmfDigest: new Uint8Array(48).fill(1) },
      { ...launch, vcpus: 2, ovmf: { ...ovmf, resetEip: 5 } },
    ]
    const digests = variants.map((variant) => Buffer.from(snpLaunchDigest(variant)).toString('hex'))
    expect(new Set(digests).size).toBe(variants.length)
  })

  it.each([
    ['BAD_ARGUMENT', { vcpus: 0 }],
    ['BAD_ARGUMENT', { vcpus: 1.5 }],
    ['BAD_ARGUMENT', { vcpu: 'toString' }],
    ['BAD_ARGUMENT', { vmm: 'krun' as 'ec2' }],
    ['BAD_ARGUMENT', { vmm: 'EC2' as 'ec2' }],
    ['BAD_ARGUMENT', { vmm: 'toString' as 'ec2' }],
    ['BAD_ARGUMENT', { features: -1n }],
    ['BAD_ARGUMENT', { features: 1n << 64n }],
    ['BAD_ARGUMENT', { ovmfDigest: new Uint8Array(32) }],
    [
      'BAD_ARGUMENT',
      { kernel: { hashes: { image: ovmfDigest, initrd: ovmfDigest, commandLine: ovmfDigest } } },
    ],
    ['BAD_IMAGE', { ovmf: new Uint8Array(4096) }],
    ['BAD_IMAGE', { ovmf: new Uint8Array(10) }],
    ['BAD_IMAGE', { ovmf: { ...ovmf, sections: [{ gpa: 0, size: 4096, type: 77 }] } }],
    ['BAD_IMAGE', { ovmf: { ...ovmf, sections: [{ gpa: 0, size: 100, type: 1 }] } }],
    ['BAD_IMAGE', { ovmf: { ...ovmf, sections: [] }, kernel: { image: ovmfDigest } }],
    ['BAD_IMAGE', { ovmf: { ...ovmf, hashTableGpa: 0x800ff0 }, kernel: { image: ovmfDigest } }],
  ])('answers %s', (expected, change) => {
    expect(code(() => snpLaunchDigest({ ...launch, ...change }))).toBe(expected)
  })

  it('needs the whole firmware when its digest is not given', () => {
    expect(code(() => snpLaunchDigest({ ovmf, vcpus: 1, vcpu: 0 }))).toBe('BAD_IMAGE')
  })

  it('reads images totally', () => {
    for (let i = 0; i < 400; i += 1) {
      const image = Uint8Array.from({ length: 4096 }, (_, at) => (at * 31 * (i + 1) + i) & 0xff)
      image.set(Buffer.from('de82b596b21ff745baeaa366c55a082d', 'hex'), 4096 - 48)
      new DataView(image.buffer).setUint16(4096 - 50, i * 13, true)
      expect(['ok', 'BAD_IMAGE']).toContain(code(() => parseOvmf(image)))
    }
  })
})

it('MRCONFIGID takes 32 bytes of lower-case hex', () => {
  expect(code(() => mrConfigId({ version: 1, composeHash: '0x00' }))).toBe('BAD_ARGUMENT')
  expect(mrConfigId({ version: 3, document: '{}' })).toMatch(/^0x03[0-9a-f]{64}0{30}$/)
})
