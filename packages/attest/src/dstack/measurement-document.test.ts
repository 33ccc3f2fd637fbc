import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { parseQuote } from '../intel/quote.js'
import { attestData, readAttestData } from '../testing/attest-data.js'
import { checkTable, own } from '../testing/check-table.js'
import type { Hex } from '../verdict/verdict.js'
import {
  dstackImageCheckTitles,
  dstackImageRegisters,
  parseDstackImageMeasurement,
  qemuPageOrder,
  verifyDstackImage,
} from './measurement-document.js'

const code = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}

/** As little CBOR as a document needs. */
type Item = string | number | boolean | Uint8Array | { [key: string]: Item }
function encode(item: Item): Uint8Array {
  const head = (major: number, value: number) =>
    value < 24
      ? Uint8Array.of((major << 5) | value)
      : Uint8Array.of((major << 5) | 25, value >> 8, value & 255)
  if (typeof item === 'boolean') return Uint8Array.of(item ? 0xf5 : 0xf4)
  if (typeof item === 'number') return head(0, item)
  if (item instanceof Uint8Array) return concatBytes(head(2, item.length), item)
  if (typeof item === 'string') {
    const text = new TextEncoder().encode(item)
    return concatBytes(head(3, text.length), text)
  }
  const entries = Object.entries(item)
  return concatBytes(
    head(5, entries.length),
    ...entries.flatMap(([key, value]) => [encode(key), encode(value)]),
  )
}

const digest = (fill: number) => new Uint8Array(48).fill(fill)
const witness = hexToBytes('9010090400060902' + '0b021010')
const image = {
  cmdline: 'console=ttyS0',
  kernel_authenticode: digest(1),
  kernel_header_normalized: true,
  initrd_sha384: digest(2),
}
const tdvf = { ovmf: 'pre202505', mrtd: { single_pass: digest(3), two_pass: digest(4) }, td_hob: witness }
const document = { version: 4, image, tdvf }
const acpi = { loader: digest(5), rsdp: digest(6), tables: digest(7) }
const machine = { memoryBytes: 2 ** 31, qemuVersion: '9.1.0', acpi }

describe('parseDstackImageMeasurement', () => {
  it('reads version 4, with the command line as the kernel gets it', () => {
    expect(parseDstackImageMeasurement(encode(document))).toEqual({
      version: 4,
      mrTd: { singlePass: digest(3), twoPass: digest(4) },
      tdHob: {
        address: 0x819000,
        accepted: [
          { start: 0x810000, length: 0x6000 },
          { start: 0x819000, length: 0x2000 },
          { start: 0x81b000, length: 0x2000 },
          { start: 0x820000, length: 0x10000 },
        ],
      },
      kernel: digest(1),
      initrd: digest(2),
      commandLine: 'console=ttyS0 initrd=initrd',
      setupHeaderRestored: true,
    })
  })

  // Published: the golden document of version 4 in Dstack-TEE/dstack, dstack-mr/src/tdx.rs, has a witness that is no witness.
  it.each([
    ['cbor.byte 1', Uint8Array.of(0x60, 0)],
    ['measurement.document', encode('text')],
    ['measurement.version', encode({ ...document, version: 5 })],
    ['measurement.version', encode({ image, tdvf })],
    ['measurement.image', encode({ ...document, image: 1 })],
    ['measurement.tdvf', encode({ version: 4, image })],
    ['measurement.tdvf.ovmf', encode({ ...document, tdvf: { ...tdvf, ovmf: 'other' } })],
    ['measurement.mrtd', encode({ ...document, tdvf: { ...tdvf, mrtd: 1 } })],
    ['measurement.single_pass', encode({ ...document, tdvf: { ...tdvf, mrtd: { two_pass: digest(1) } } })],
    [
      'measurement.two_pass',
      encode({
        ...document,
        tdvf: { ...tdvf, mrtd: { single_pass: digest(1), two_pass: digest(1).slice(1) } },
      }),
    ],
    ['measurement.tdvf.td_hob', encode({ ...document, tdvf: { ...tdvf, td_hob: 'x' } })],
    ['measurement.tdvf.td_hob', encode({ ...document, tdvf: { ...tdvf, td_hob: witness.slice(0, -1) } })],
    [
      'measurement.tdvf.td_hob',
      encode({ ...document, tdvf: { ...tdvf, td_hob: concatBytes(witness, digest(0)) } }),
    ],
    [
      'measurement.tdvf.td_hob',
      encode({ ...document, tdvf: { ...tdvf, td_hob: new Uint8Array(20).fill(0xff) } }),
    ],
    [
      'measurement.tdvf.td_hob',
      encode({ ...document, tdvf: { ...tdvf, td_hob: hexToBytes('000041' + '0001'.repeat(65)) } }),
    ],
    ['measurement.image.cmdline', encode({ ...document, image: { ...image, cmdline: 1 } })],
    ['measurement.cmdline_sha384', encode({ ...document, version: 3 })],
    [
      'measurement.kernel_authenticode',
      encode({ ...document, image: { ...image, kernel_authenticode: 'x' } }),
    ],
    [
      'measurement.initrd_sha384',
      encode({ ...document, image: { ...image, initrd_sha384: new Uint8Array(32) } }),
    ],
    [
      'measurement.image.kernel_header_normalized',
      encode({ ...document, image: { ...image, kernel_header_normalized: 1 } }),
    ],
  ])('refuses, naming the place: %s', (place, bytes) => {
    expect(code(() => parseDstackImageMeasurement(bytes))).toBe(`BAD_EVIDENCE ${place}`)
  })
})

describe('dstackImageRegisters', () => {
  const parsed = parseDstackImageMeasurement(encode(document))

  it('takes the candidate of the monitor’s order of pages', () => {
    expect(dstackImageRegisters(parsed, machine).mrTd).toEqual(digest(3))
    expect(dstackImageRegisters(parsed, { ...machine, qemuVersion: '8.2.2' }).mrTd).toEqual(digest(4))
  })

  it('refuses sizes of memory for which the kernel’s digest does not hold', () => {
    const moved = { ...parsed, setupHeaderRestored: false }
    const ask = (memoryBytes: number, of = moved) =>
      code(() => dstackImageRegisters(of, { ...machine, memoryBytes }))
    expect(ask(2 ** 31)).toBe('ok')
    expect(ask(0xb000_0000)).toBe('ok')
    expect(ask(2 ** 30)).toBe('BAD_ARGUMENT machine.memoryBytes')
    expect(ask(0xb000_0000 - 4096)).toBe('BAD_ARGUMENT machine.memoryBytes')
    expect(ask(2 ** 30, parsed)).toBe('ok')
  })

  it.each(['', '7.2.0', '9', 'v9.0', '9.0.x', '99999.1.1'])('refuses QEMU “%s”', (version) => {
    expect(code(() => qemuPageOrder(version))).toBe('BAD_ARGUMENT qemuVersion')
  })

  it('knows where the order of pages changed', () => {
    expect(['8.0', '8.2.2', '9.0.0', '10.0.2'].map(qemuPageOrder)).toEqual([
      'two-pass',
      'two-pass',
      'single-pass',
      'single-pass',
    ])
  })
})

const measured = encode(document)
const hexOf = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`
const sha256sum = `${bytesToHex(sha256(measured))}  measurement.tdx.cbor\n`
const acpiEvent = (name: keyof typeof acpi) => ({
  imr: 0,
  event_type: 10,
  digest: bytesToHex(acpi[name]),
  event: `acpi-${name}`,
  event_payload: '',
})
const eventLog = (['loader', 'rsdp', 'tables'] as const).map(acpiEvent)
const registers = dstackImageRegisters(parseDstackImageMeasurement(measured), machine)
const [rtmr0, rtmr1, rtmr2] = [registers.rtmr0, registers.rtmr1, registers.rtmr2].map(hexOf) as [
  Hex,
  Hex,
  Hex,
]
const claims = { mrTd: hexOf(registers.mrTd), rtmrs: [rtmr0, rtmr1, rtmr2, hexOf(digest(0))] as const }
const { acpi: _, ...hostMachine } = machine
const ofImage = (change: object = {}) =>
  verifyDstackImage({
    osImageHash: hexOf(sha256(new TextEncoder().encode(sha256sum))),
    checksumFile: sha256sum,
    measurement: measured,
    claims,
    eventLog,
    machine: hostMachine,
    acpi,
    ...change,
  }).checks
const withRegister = (which: number) => () =>
  ofImage({
    claims: { ...claims, rtmrs: claims.rtmrs.map((one, i) => (i === which ? hexOf(digest(9)) : one)) },
  })
const unlisted = () => ofImage({ checksumFile: sha256sum.replace('measurement', 'other') })

checkTable('verifyDstackImage', {
  titles: dstackImageCheckTitles,
  good: () => ofImage(),
  rows: {
    'os-image': { fail: () => ofImage({ osImageHash: hexOf(new Uint8Array(32)) }), notChecked: own },
    measurement: { fail: unlisted, notChecked: own },
    mrtd: { fail: () => ofImage({ claims: { ...claims, mrTd: hexOf(digest(9)) } }), notChecked: unlisted },
    rtmr0: { fail: withRegister(0), notChecked: () => ofImage({ acpi: undefined, eventLog: [] }) },
    rtmr1: { fail: withRegister(1), notChecked: unlisted },
    rtmr2: { fail: withRegister(2), notChecked: unlisted },
    'acpi-tables': {
      fail: 'The caller names them, or nobody does: other ones fail RTMR0.',
      notChecked: () => ofImage({ acpi: undefined }),
    },
  },
})

describe('verifyDstackImage', () => {
  const result = (checks: ReturnType<typeof ofImage>, id: string) =>
    checks.find((one) => one.id === id)?.result

  it('takes ACPI tables from the log once, and from the caller before that', () => {
    expect(result(ofImage({ acpi: undefined }), 'rtmr0')).toBe('pass')
    for (const log of [[...eventLog, acpiEvent('tables')], eventLog.slice(1)])
      expect(result(ofImage({ acpi: undefined, eventLog: log }), 'rtmr0')).toBe('not-checked')
    const other = ofImage({ acpi: { ...acpi, tables: digest(1) } })
    expect([result(other, 'rtmr0'), result(other, 'acpi-tables')]).toEqual(['fail', 'not-checked'])
  })

  it('asks for the measurement’s line as a whole', () => {
    for (const checksumFile of [` ${sha256sum}`, sha256sum.replace('  ', ' '), sha256sum.trim() + '2', ''])
      expect(result(ofImage({ checksumFile }), 'measurement')).toBe('fail')
    expect(result(ofImage({ checksumFile: `00  kernel\n${sha256sum}` }), 'measurement')).toBe('pass')
  })
})

const json = (path: string) => JSON.parse(new TextDecoder().decode(readAttestData(path)))

describe.skipIf(attestData === undefined)('verifyDstackImage with a real quote', () => {
  const vector = attestData === undefined ? {} : json('dstack-vectors/dstack-tdx-lite.json')
  const config = attestData === undefined ? {} : JSON.parse(vector.vm_config)
  const base64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
  const real = () => {
    const { report } = parseQuote(hexToBytes(vector.quote))
    if (report.kind !== 'td') throw new Error('not a TD')
    const hex = (bytes: Uint8Array | undefined): Hex => `0x${bytesToHex(bytes ?? new Uint8Array())}`
    const [a, b, c, d] = report.rtmrs.map(hex)
    const checksumFile = new TextDecoder().decode(base64(config.tdx_measurement.checksum_file))
    return {
      osImageHash: `0x${bytesToHex(sha256(new TextEncoder().encode(checksumFile)))}` as Hex,
      checksumFile,
      measurement: base64(config.tdx_measurement.measurement),
      claims: { mrTd: hex(report.mrTd), rtmrs: [a, b, c, d] as [Hex, Hex, Hex, Hex] },
      eventLog: vector.event_log,
      machine: { memoryBytes: config.memory_size as number, qemuVersion: config.qemu_version as string },
    }
  }
  const results = (options: Parameters<typeof verifyDstackImage>[0]) =>
    Object.fromEntries(verifyDstackImage(options).checks.map(({ id, result }) => [id, result]))
  const all = Object.fromEntries(Object.keys(dstackImageCheckTitles).map((id) => [id, 'pass']))

  it('computes MRTD and RTMR0 to RTMR2 that hardware has signed; ACPI tables stay the guest’s word', () => {
    const options = real()
    expect(results(options)).toEqual({ ...all, 'acpi-tables': 'not-checked' })
    expect(verifyDstackImage(options).ok).toBe(false)
    expect(options.osImageHash.slice(2)).toBe(config.os_image_hash)
  })

  it('is ok when the caller knows the ACPI tables', () => {
    const find = (name: string) =>
      hexToBytes(vector.event_log.find(({ event }: { event: string }) => event === name).digest)
    const known = { loader: find('acpi-loader'), rsdp: find('acpi-rsdp'), tables: find('acpi-tables') }
    expect(results({ ...real(), acpi: known })).toEqual(all)
    expect(verifyDstackImage({ ...real(), acpi: known }).ok).toBe(true)
    expect(results({ ...real(), acpi: { ...known, tables: digest(1) } })).toMatchObject({
      rtmr0: 'fail',
      'acpi-tables': 'not-checked',
    })
  })

  it.each(['mrTd', 0, 1, 2] as const)('fails on another register: %s', (which) => {
    const options = real()
    const zero: Hex = `0x${'00'.repeat(48)}`
    const rtmrs = options.claims.rtmrs.map((value, i) => (i === which ? zero : value)) as [Hex, Hex, Hex, Hex]
    const claims = { mrTd: which === 'mrTd' ? zero : options.claims.mrTd, rtmrs }
    expect(results({ ...options, claims })[which === 'mrTd' ? 'mrtd' : `rtmr${which}`]).toBe('fail')
  })

  it('fails on another image, another list and another measurement', () => {
    const options = real()
    expect(results({ ...options, osImageHash: `0x${'00'.repeat(32)}` })['os-image']).toBe('fail')
    expect(results({ ...options, checksumFile: '' })).toMatchObject({
      'os-image': 'fail',
      measurement: 'fail',
      mrtd: 'not-checked',
    })
    const changed = options.measurement.slice()
    const at = changed.length - 60
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(results({ ...options, measurement: changed }).measurement).toBe('fail')
  })

  it('does not compute RTMR0 from a log that names ACPI tables twice or not at all', () => {
    const options = real()
    const tables = vector.event_log.filter(({ event }: { event: string }) => event === 'acpi-tables')
    expect(results({ ...options, eventLog: [...vector.event_log, ...tables] }).rtmr0).toBe('not-checked')
    expect(results({ ...options, eventLog: [] }).rtmr0).toBe('not-checked')
  })

  it('agrees with a digest of the TD HOB that was computed elsewhere', () => {
    const expected = json('dstack-vectors/expected-measurements.json')['tdx-lite']
    expect(vector.event_log[0].digest).toBe(expected.tdHobDigest)
    expect(bytesToHex(sha384(new Uint8Array(4)))).toBe(expected.rtmr0Log[7])
  })
})
