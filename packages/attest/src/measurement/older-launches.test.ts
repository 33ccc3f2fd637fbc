import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { attestData, readAttestData } from '../testing/attest-data.js'
import { type SevLaunch, sevLaunchDigest } from './sev-launch-digest.js'
import { type SvsmLaunch, svsmLaunchDigest } from './svsm-launch-digest.js'

// Digests of virtee's tool are compared in `npm run conformance -- attest`; here is what must change them or be refused.
const code = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const fixture = (name: string) => readAttestData(`virtee__sev-snp-measure/tests/fixtures/${name}`)

describe.skipIf(attestData === undefined)('sevLaunchDigest', () => {
  const ovmf = attestData === undefined ? new Uint8Array() : fixture('ovmf_AmdSev_suffix.bin')
  const kernel = { image: Uint8Array.of(1), initrd: Uint8Array.of(2), commandLine: 'a' }
  const launch: SevLaunch = { mode: 'SEV-ES', ovmf, kernel, vcpus: 2, vcpu: 'EPYC-v4' }

  it('depends on everything that is launched', () => {
    const { kernel: _, ...without } = launch
    const variants: SevLaunch[] = [
      launch,
      without,
      { ...launch, mode: 'SEV' },
      { ...launch, vcpus: 1 },
      { ...launch, vcpus: 3 },
      { ...launch, vcpu: 'EPYC-Milan' },
      { ...launch, vmm: 'ec2' },
      { ...launch, kernel: { ...kernel, commandLine: 'b' } },
    ]
    expect(new Set(variants.map((one) => hex(sevLaunchDigest(one)))).size).toBe(variants.length)
  })

  it('measures no processors for plain SEV', () => {
    const plain = hex(sevLaunchDigest({ ...launch, mode: 'SEV' }))
    expect(hex(sevLaunchDigest({ mode: 'SEV', ovmf, kernel }))).toBe(plain)
  })

  it.each([
    ['BAD_ARGUMENT launch.mode', { mode: 'SNP' as 'SEV' }],
    ['BAD_ARGUMENT launch.vcpus', { vcpus: 0 }],
    ['BAD_ARGUMENT launch.vcpu', { vcpu: 'no' }],
    ['BAD_IMAGE footer', { ovmf: new Uint8Array(4096) }],
  ])('refuses: %s', (what, change) => {
    expect(code(() => sevLaunchDigest({ ...launch, ...change }))).toBe(what)
  })

  it('asks for a processor, and for a firmware with a place for a kernel and a reset block', () => {
    const { vcpu: _, ...without } = launch
    expect(code(() => sevLaunchDigest(without))).toBe('BAD_ARGUMENT launch.vcpu')
    const lacking = (guid: string) => {
      const copy = ovmf.slice()
      const at = hex(copy).indexOf(guid) / 2
      copy.fill(0, at, at + 16)
      return copy
    }
    const [hashes, reset] = ['1f3755723b3a044b927b1da6efa8d454', 'de71f7007e1acb4f890e68c77e2fb44e'].map(
      lacking,
    )
    expect(code(() => sevLaunchDigest({ ...launch, ...(hashes && { ovmf: hashes }) }))).toBe(
      'BAD_IMAGE hashTable',
    )
    expect(code(() => sevLaunchDigest({ ...launch, ...(reset && { ovmf: reset }) }))).toBe(
      'BAD_IMAGE resetBlock',
    )
  })
})

describe.skipIf(attestData === undefined)('svsmLaunchDigest', () => {
  const empty = new Uint8Array()
  const ovmf = attestData === undefined ? empty : fixture('ovmf_AmdSev_suffix.bin')
  const svsm = attestData === undefined ? empty : fixture('svsm.bin.gz')
  const launch: SvsmLaunch = { ovmf, svsm, ovmfVariablesLength: 4096, vcpus: 2, vcpu: 'EPYC-v4' }

  it('depends on everything that is launched', () => {
    const other = svsm.slice()
    other[100] = (other[100] ?? 0) ^ 1
    const variants: SvsmLaunch[] = [
      launch,
      { ...launch, vcpus: 1 },
      { ...launch, vcpu: 'EPYC-Milan' },
      { ...launch, ovmfVariablesLength: 8192 },
      { ...launch, svsm: other },
    ]
    expect(new Set(variants.map((one) => hex(svsmLaunchDigest(one)))).size).toBe(variants.length)
  })

  it('refuses images that are none, are cut, or start outside themselves', () => {
    const ask = (change: Partial<SvsmLaunch>) => code(() => svsmLaunchDigest({ ...launch, ...change }))
    expect(ask({ vcpus: 5000 })).toBe('BAD_ARGUMENT launch.vcpus')
    expect(ask({ vcpu: -1 })).toBe('BAD_ARGUMENT launch.vcpu')
    expect(ask({ vcpu: 2 ** 32 })).toBe('BAD_ARGUMENT launch.vcpu')
    expect(ask({ ovmfVariablesLength: 1 })).toBe('BAD_ARGUMENT launch.ovmfVariablesLength')
    expect(ask({ ovmfVariablesLength: -4096 })).toBe('BAD_ARGUMENT launch.ovmfVariablesLength')
    expect(ask({ ovmfVariablesLength: 2 ** 40 })).toBe('BAD_ARGUMENT launch.ovmfVariablesLength')
    expect(ask({ ovmf: ovmf.subarray(0, 4095) })).toBe('BAD_IMAGE image')
    expect(ask({ svsm: svsm.subarray(1) })).toBe('BAD_IMAGE image')
    expect(ask({ ovmf: new Uint8Array(4096) })).toBe('BAD_IMAGE footer')
    expect(ask({ svsm: ovmf })).toBe('BAD_IMAGE svsmInfo')
    const outside = svsm.slice()
    const at = hex(outside).lastIndexOf('12a689a797054b4ca49fcbb1fe9d1ddd') / 2
    outside.fill(0xff, at - 6, at - 2)
    expect(ask({ svsm: outside })).toBe('BAD_IMAGE svsmInfo')
    const none = svsm.slice()
    none.fill(
      0,
      hex(none).lastIndexOf('666588dc4a989847a75e5585a7bf67cc') / 2,
      hex(none).lastIndexOf('666588dc4a989847a75e5585a7bf67cc') / 2 + 16,
    )
    expect(ask({ svsm: none })).toBe('BAD_IMAGE metadata')
  })
})
