import { existsSync, readFileSync } from 'node:fs'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { attestData, readAttestData } from '../testing/attest-data.js'
import { type TestSection, testFirmware, testSections } from '../testing/tdx-firmware.js'
import { tdHobDigest, tdHobLayout } from './td-hob.js'
import { configurationVolumeDigest, parseTdvf, tdxLaunchMeasurement } from './tdvf.js'

const both = (image: Uint8Array) =>
  (['single-pass', 'two-pass'] as const).map((pageOrder) =>
    bytesToHex(tdxLaunchMeasurement(image, { pageOrder })),
  )

const place = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}

// Expected values of this file were computed by a second implementation, in Python with hashlib, from the same bytes.
describe('tdxLaunchMeasurement', () => {
  it('agrees with a second implementation', () => {
    expect(bytesToHex(sha256(testFirmware()))).toBe(
      '34460c4917d99bf33abdd7713b9f7fd8fb1669f7bfd772a343c77def52e8a685',
    )
    expect(both(testFirmware())).toEqual([
      'c7754aa1432917236ddcada9a2d208bb320d0ab93ce32d8d94b0dffeb7ad0719465a247a6c72043369fade760de204b4',
      '15445c543aea107fc2dc814b1a1beae725d4b7b7e87cdf17794291fac5b5e50c8ef7352586897cb8786f80ccb900fbfa',
    ])
  })

  it.skipIf(attestData === undefined)('refuses a firmware whose variables are in another file', () => {
    const image = readAttestData('virtee__sev-snp-measure/tests/fixtures/svsm_ovmf.fd.gz')
    // The metadata speak of a file with the variables in front.
    expect(place(() => both(image))).toBe('BAD_IMAGE tdxMetadata.0')
  })

  const debian = '/usr/share/ovmf/OVMF.fd'
  it.skipIf(!existsSync(debian))('agrees with it on Debian’s OVMF 2022.11-6+deb12u2', ({ skip }) => {
    const image = new Uint8Array(readFileSync(debian))
    const known = '7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773'
    if (bytesToHex(sha256(image)) !== known) skip('another version of OVMF is installed')
    expect(both(image)).toEqual([
      '4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744d5631a212967fb231c47',
      'acccbcc870a381adab0d3919d90a7f268ac3b0364771f202ed4bb4e892d045b33db3b32e6924cba830a724eed443f7e1',
    ])
  })

  it('depends on every measured byte, on addresses and attributes, and on nothing else', () => {
    const [plain] = both(testFirmware())
    const changed = (change: Parameters<typeof testFirmware>[0]) => both(testFirmware(change))[0] !== plain
    expect(changed({ change: (image) => image.fill(9, 0x2000, 0x2001) })).toBe(true)
    expect(changed({ change: (image) => image.fill(9, 0x77ff, 0x7800) })).toBe(true)
    expect(changed({ change: (image) => image.fill(9, 0, 0x2000) })).toBe(false)
    const other = (i: number, part: Partial<TestSection>) =>
      testSections.map((section, at) => (at === i ? { ...section, ...part } : section))
    expect(changed({ sections: other(2, { gpa: 0x82_0000n }) })).toBe(true)
    expect(changed({ sections: other(1, { attributes: 1 }) })).toBe(true)
    expect(both(testFirmware({ sections: testSections.slice(0, 4) }))).not.toEqual(both(testFirmware()))
  })

  it('refuses an order of pages that it does not know', () => {
    const pageOrder = 'three-pass' as 'two-pass'
    expect(place(() => tdxLaunchMeasurement(testFirmware(), { pageOrder }))).toBe(
      'BAD_ARGUMENT options.pageOrder',
    )
  })
})

describe('parseTdvf', () => {
  const one = (part: Partial<TestSection>) => [{ ...(testSections[0] as TestSection), ...part }]
  it.each([
    ['too short', new Uint8Array(100), 'image'],
    ['no table', new Uint8Array(0x8000), 'footer'],
    [
      'another signature',
      testFirmware({ change: (image, _, at) => image.fill(0, at, at + 4) }),
      'tdxMetadata',
    ],
    [
      'another version',
      testFirmware({ change: (_, view, at) => view.setUint32(at + 8, 2, true) }),
      'tdxMetadata',
    ],
    [
      'no sections',
      testFirmware({ change: (_, view, at) => view.setUint32(at + 12, 0, true) }),
      'tdxMetadata',
    ],
    [
      '65 sections',
      testFirmware({ change: (_, view, at) => view.setUint32(at + 12, 65, true) }),
      'tdxMetadata',
    ],
    [
      'more than fit',
      testFirmware({ change: (_, view, at) => view.setUint32(at + 12, 64, true) }),
      'tdxMetadata',
    ],
    [
      'metadata outside',
      testFirmware({ change: (_, view) => view.setUint32(0x8000 - 72, 0x9000, true) }),
      'tdxMetadata',
    ],
    [
      'metadata at the very end',
      testFirmware({ change: (_, view) => view.setUint32(0x8000 - 72, 8, true) }),
      'tdxMetadata',
    ],
    ['odd address', testFirmware({ sections: one({ gpa: 0x1001n }) }), 'tdxMetadata.0'],
    ['odd size', testFirmware({ sections: one({ memorySize: 0x6001n }) }), 'tdxMetadata.0'],
    ['more data than memory', testFirmware({ sections: one({ memorySize: 0x5000n }) }), 'tdxMetadata.0'],
    [
      'much memory',
      testFirmware({ sections: one({ memorySize: 1n << 40n, attributes: 0 }) }),
      'tdxMetadata.0',
    ],
    ['beyond any memory', testFirmware({ sections: one({ gpa: 1n << 60n }) }), 'tdxMetadata.0'],
    ['contents outside', testFirmware({ sections: one({ dataOffset: 0x3000 }) }), 'tdxMetadata.0'],
    ['measured memory outside', testFirmware({ sections: one({ memorySize: 0x7000n }) }), 'tdxMetadata.0'],
    [
      'an entry that is too long',
      testFirmware({ change: (_, view) => view.setUint16(0x8000 - 68, 0x7000, true) }),
      'footer',
    ],
    [
      'an entry that is too short',
      testFirmware({ change: (_, view) => view.setUint16(0x8000 - 68, 0, true) }),
      'footer',
    ],
  ])('refuses %s', (_, image, at) => {
    expect(place(() => parseTdvf(image))).toBe(`BAD_IMAGE ${at}`)
  })

  it('reads as many sections as are allowed', () => {
    const empty = { dataOffset: 0, dataSize: 0, memorySize: 0x1000n, type: 3, attributes: 0 }
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ ...empty, gpa: BigInt(0x80_0000 + 0x1000 * i) }))
    const roomy = (count: number) => {
      const sections = many(count)
      const wide = testFirmware({ sections: sections.slice(0, 50) })
      const image = new Uint8Array(0x9000)
      image.set(wide.subarray(0x7000), 0x8000)
      const view = new DataView(image.buffer)
      const metadata = 0x1000
      image.set(wide.subarray(0x7800, 0x7810), metadata)
      view.setUint32(metadata + 12, count, true)
      for (let i = 0; i < count; i += 1) image.set(wide.subarray(0x7810, 0x7830), metadata + 16 + 32 * i)
      view.setUint32(0x9000 - 72, 0x9000 - metadata, true)
      return image
    }
    expect(parseTdvf(roomy(64)).sections).toHaveLength(64)
    expect(place(() => parseTdvf(roomy(65)))).toBe('BAD_IMAGE tdxMetadata')
  })

  it('gives a value or a typed error for any change', () => {
    const bytes = testFirmware()
    fc.assert(
      fc.property(fc.integer({ min: 0x7800, max: 0x7fff }), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const image = bytes.slice()
        image[at] = value
        expect(place(() => both(image))).toMatch(/^(ok|BAD_IMAGE )/)
      }),
      { numRuns: 300 },
    )
  })

  it('finds the configuration volume', () => {
    const image = testFirmware()
    expect(configurationVolumeDigest(image)).toEqual(sha384(image.subarray(0, 0x2000)))
    expect(place(() => configurationVolumeDigest(testFirmware({ sections: one({}) })))).toBe(
      'BAD_IMAGE tdxMetadata',
    )
  })
})

describe('tdHobDigest', () => {
  const layout = tdHobLayout(testFirmware())
  const digest = (memory: number) => bytesToHex(tdHobDigest(layout, memory))
  const GiB = 2 ** 30

  it('takes the TD HOB section and temporary memory', () => {
    expect(layout).toEqual({
      address: 0x809000,
      accepted: [
        { start: 0x810000, length: 0x10000 },
        { start: 0x809000, length: 0x2000 },
      ],
    })
    expect(place(() => tdHobLayout(testFirmware({ sections: testSections.slice(0, 3) })))).toBe(
      'BAD_IMAGE tdxMetadata',
    )
  })

  it('agrees with a second implementation, below and above the split', () => {
    expect([1, 2, 4].map((count) => digest(count * GiB))).toEqual([
      '1a5a6c6a0b37af4a576e27239d186ea77c8fae1e24b2da8946f857b46c7271935bd98573e36d78ddcc21fa78e1af78dd',
      '66b52ff51f79b949d8eaed292ff705944953a65ce6bc5f0dc51a1897c0570e56fc5e4d71d374af42f3de4aa6f3ede067',
      '2b6e26b50fbd508209d11e132a1b8deb1cadea8e0ffe794c4070cb7585388e687abeb7ab9c3fe86a2ffe25f1b2b77e60',
    ])
    expect(digest(0xb000_0000)).not.toBe(digest(0xb000_0000 - 4096))
  })

  const [first] = layout.accepted
  it.each([
    ['no memory', layout, 0],
    ['odd memory', layout, GiB + 1],
    ['too much memory', layout, 2 ** 47],
    ['less memory than ranges', layout, 0x810000],
    ['no ranges', { ...layout, accepted: [] }, GiB],
    [
      '65 ranges',
      { ...layout, accepted: Array.from({ length: 65 }, (_, i) => ({ start: i * 8192, length: 4096 })) },
      GiB,
    ],
    ['an odd address', { ...layout, address: 1 }, GiB],
    ['an odd start', { ...layout, accepted: [{ start: 1, length: 4096 }] }, GiB],
    ['an odd length', { ...layout, accepted: [{ start: 0, length: 1 }] }, GiB],
    ['an empty range', { ...layout, accepted: [{ start: 4096, length: 0 }] }, GiB],
    ['one range twice', { ...layout, accepted: [first, first].flatMap((one) => one ?? []) }, GiB],
    ['a range above low memory', { ...layout, accepted: [{ start: 0x8000_0000, length: 4096 }] }, 8 * GiB],
  ])('refuses %s', (_, given, memory) => {
    expect(place(() => tdHobDigest(given, memory))).toMatch(/^BAD_ARGUMENT /)
  })
})
