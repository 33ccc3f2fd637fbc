import { sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { testKernel } from '../testing/kernel-image.js'
import { authenticodeDigest, qemuLoadedKernel } from './linux-kernel.js'

const answer = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}

const optional = 0x58
const certificateEntry = optional + 112 + 32
const digest = (image: Uint8Array) => bytesToHex(authenticodeDigest(image))

// With SHA-256 in place of SHA-384 the function gives, for Debian's signed vmlinuz-6.1.0-47-amd64, the digest that its own
// signature carries (05c775b0...83ce): checked by hand, since the file is not kept here.
describe('authenticodeDigest', () => {
  it('is the hash of everything but checksum, certificate entry and certificates', () => {
    const image = testKernel()
    const parts = [
      image.subarray(0, optional + 64),
      image.subarray(optional + 68, certificateEntry),
      image.subarray(certificateEntry + 8),
    ]
    expect(digest(image)).toBe(bytesToHex(sha384(concatBytes(...parts))))
  })

  it('takes sections by their place, and what follows them', () => {
    const longer = testKernel(undefined, 0x3005)
    expect(digest(longer)).not.toBe(digest(testKernel()))
    const swapped = testKernel((view, image) => {
      const table = optional + 0xa0
      const first = image.slice(table, table + 40)
      image.set(image.slice(table + 40, table + 80), table)
      image.set(first, table + 40)
      expect(view.getUint32(table + 20, true)).toBe(0x400)
    })
    expect(answer(() => authenticodeDigest(swapped))).toBe('ok')
  })

  it('does not see checksum, signature and certificates', () => {
    const signed = (fill: number) =>
      testKernel((view, image) => {
        view.setUint32(certificateEntry, 0x3000, true)
        view.setUint32(certificateEntry + 4, 0x100, true)
        view.setUint32(optional + 64, fill, true)
        image.fill(fill, 0x3000)
      }, 0x3100)
    expect(digest(signed(1))).toBe(digest(signed(2)))
    // The entry itself is not seen either, so that signing a file leaves its digest as it was.
    expect(digest(signed(1))).toBe(digest(testKernel()))
  })

  it('reads PE32 as well', () => {
    const image = testKernel((view) => {
      view.setUint16(optional, 0x10b, true)
      view.setUint32(optional + 92, 6, true)
    })
    expect(digest(image)).not.toBe(digest(testKernel()))
  })

  it.each([
    ['no PE header', (view: DataView) => view.setUint32(0x40, 0, true)],
    ['a header far away', (view: DataView) => view.setUint32(0x3c, 0xfffffff0, true)],
    ['another magic', (view: DataView) => view.setUint16(optional, 0x107, true)],
    ['no certificate entry', (view: DataView) => view.setUint32(optional + 108, 4, true)],
    ['headers that end early', (view: DataView) => view.setUint32(optional + 60, 0x80, true)],
    ['headers longer than the file', (view: DataView) => view.setUint32(optional + 60, 0x10000, true)],
    ['a section outside', (view: DataView) => view.setUint32(optional + 0xa0 + 16, 0x2001, true)],
    ['sections that overlap', (view: DataView) => view.setUint32(optional + 0xa0 + 20, 0xfff, true)],
    ['a gap between sections', (view: DataView) => view.setUint32(optional + 0xc8 + 16, 0xb00, true)],
    ['more sections than fit', (view: DataView) => view.setUint16(0x46, 0xffff, true)],
    // Nothing else is wrong with these three.
    [
      'another magic before an entry for certificates',
      (view: DataView) => {
        view.setUint16(optional, 0x107, true)
        view.setUint32(optional + 92, 6, true)
      },
    ],
    [
      'headers that end early, without sections',
      (view: DataView) => {
        view.setUint16(0x46, 0, true)
        view.setUint32(optional + 60, 0x80, true)
      },
    ],
    [
      'headers longer than the file, without sections',
      (view: DataView) => {
        view.setUint16(0x46, 0, true)
        view.setUint32(optional + 60, 0x10000, true)
      },
    ],
    [
      'certificates in the middle',
      (view: DataView) => {
        view.setUint32(certificateEntry, 0x2000, true)
        view.setUint32(certificateEntry + 4, 0x100, true)
      },
    ],
    [
      'certificates over a section',
      (view: DataView) => {
        view.setUint32(certificateEntry, 0x2f00, true)
        view.setUint32(certificateEntry + 4, 0x100, true)
      },
    ],
  ])('refuses %s', (_, change) => {
    expect(answer(() => authenticodeDigest(testKernel(change)))).toBe('BAD_IMAGE kernel')
  })

  it('gives a value or a typed error for any header, and for any end', () => {
    const bytes = testKernel()
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x3ff }), fc.nat(255), fc.nat(0x3000), (at, value, length) => {
        const image = bytes.slice(0, length)
        if (at < length) image[at] = value
        expect(answer(() => authenticodeDigest(image))).toMatch(/^(ok|BAD_IMAGE kernel)$/)
      }),
      { numRuns: 300 },
    )
  })
})

describe('qemuLoadedKernel', () => {
  const GiB = 2 ** 30
  const initrdAt = (memoryBytes: number, change?: (view: DataView) => void, initrdLength = 0x10_0001) =>
    new DataView(qemuLoadedKernel(testKernel(change), { initrdLength, memoryBytes }).buffer).getUint32(
      0x218,
      true,
    )

  it('writes loader, heap, command line and initrd, and leaves the rest', () => {
    const before = testKernel()
    const after = qemuLoadedKernel(before, { initrdLength: 0x10_0001, memoryBytes: 2 * GiB })
    const view = new DataView(after.buffer)
    expect(view.getUint8(0x210)).toBe(0xb0)
    expect(view.getUint8(0x211)).toBe(0x81)
    expect(view.getUint32(0x224, true)).toBe(0xfe00)
    expect(view.getUint32(0x228, true)).toBe(0x20000)
    expect(view.getUint32(0x21c, true)).toBe(0x10_0001)
    const changed = [...after.keys()].filter((i) => after[i] !== before[i])
    expect(changed.every((i) => i >= 0x210 && i < 0x22c)).toBe(true)
    expect(before).toEqual(testKernel())
  })

  it('puts the initrd below the end of low memory, which is 2 GiB from 2.75 GiB on', () => {
    const end = 0x8000_0000 - 0x28000
    expect(initrdAt(2 * GiB)).toBe(Math.floor((end - 1 - 0x10_0001) / 4096) * 4096)
    expect(initrdAt(0xb000_0000)).toBe(initrdAt(2 * GiB))
    expect(initrdAt(8 * GiB)).toBe(initrdAt(2 * GiB))
    expect(initrdAt(GiB)).toBe(Math.floor((GiB - 0x28000 - 1 - 0x10_0001) / 4096) * 4096)
  })

  it('keeps below the kernel’s own limit unless it can be loaded anywhere', () => {
    const limited = (view: DataView) => {
      view.setUint16(0x236, 0, true)
      view.setUint32(0x22c, 0x37ff_ffff, true)
    }
    expect(initrdAt(2 * GiB, limited)).toBe(Math.floor((0x37ff_ffff - 0x10_0001) / 4096) * 4096)
    const old = (view: DataView) => {
      view.setUint16(0x206, 0x202, true)
      view.setUint32(0x22c, 1, true)
    }
    expect(initrdAt(2 * GiB, old)).toBe(Math.floor((0x37ff_ffff - 0x10_0001) / 4096) * 4096)
  })

  it('needs no initrd', () => {
    expect(initrdAt(2 * GiB, undefined, 0)).toBe(0)
  })

  it.each([
    ['BAD_IMAGE kernel', () => qemuLoadedKernel(new Uint8Array(4095), { initrdLength: 0, memoryBytes: GiB })],
    [
      'BAD_IMAGE kernel',
      () => qemuLoadedKernel(testKernel().subarray(0, 4095), { initrdLength: 0, memoryBytes: GiB }),
    ],
    ['BAD_IMAGE kernel', () => initrdAt(GiB, (view) => view.setUint32(0x202, 0, true))],
    ['BAD_IMAGE kernel', () => initrdAt(GiB, (view) => view.setUint16(0x206, 0x201, true))],
    ['BAD_IMAGE kernel', () => initrdAt(GiB, (view) => view.setUint8(0x211, 0))],
    ['BAD_IMAGE kernel', () => initrdAt(GiB, undefined, GiB)],
    ['BAD_ARGUMENT options.memoryBytes', () => initrdAt(0x28000)],
    ['BAD_ARGUMENT options.memoryBytes', () => initrdAt(-1)],
    ['BAD_ARGUMENT options.initrdLength', () => initrdAt(GiB, undefined, 1.5)],
  ])('refuses: %s', (what, ask) => {
    expect(answer(ask)).toBe(what)
  })
})
