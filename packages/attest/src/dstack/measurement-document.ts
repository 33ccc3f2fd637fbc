import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { needBytes } from '../encoding/argument.js'
import { type CborMap, cborField, isCborMap, parseCbor } from '../encoding/cbor.js'
import { isBytes } from '../encoding/is-bytes.js'
import { AttestError } from '../errors.js'
import { type TdHobLayout, tdHobDigest } from '../measurement/td-hob.js'
import {
  type AcpiDigests,
  tdxConfigurationRegister,
  tdxKernelRegisters,
} from '../measurement/tdx-registers.js'
import { type Check, checkList, fail, notChecked, pass } from '../verdict/check-list.js'
import type { Hex, TdxClaims } from '../verdict/verdict.js'
import { type DstackEvent, dstackEventLogSchema } from './event-log.js'

/** What a dstack image publishes of itself for TDX (`measurement.tdx.cbor`, versions 3 and 4), enough to compute its registers. */
export interface DstackImageMeasurement {
  readonly version: 3 | 4
  /** Candidates for MRTD, by the monitor's order of adding pages. */
  readonly mrTd: { readonly singlePass: Uint8Array; readonly twoPass: Uint8Array }
  readonly tdHob: TdHobLayout
  /** Authenticode digest of the kernel. */
  readonly kernel: Uint8Array
  readonly initrd: Uint8Array
  /** The command line, or its digest (version 3). */
  readonly commandLine: string | Uint8Array
  /** Whether the kernel's digest is that of the file, at every size of memory. */
  readonly setupHeaderRestored: boolean
}

/** Digest of the empty configuration volume that dstack's firmware has (dstack-mr). */
const configurationVolume =
  '344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790'
const pageLength = 4096

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_EVIDENCE', `measurement.${place}`, `Not a dstack image measurement: ${what}`)
}

function mapAt(map: CborMap, name: string): CborMap {
  const value = cborField(map, name)
  if (!isCborMap(value)) throw bad(name, 'a map is expected')
  return value
}

function digestAt(map: CborMap, name: string): Uint8Array {
  const value = cborField(map, name)
  if (!isBytes(value) || value.length !== 48) throw bad(name, 'a digest of 48 bytes is expected')
  return value
}

/**
 * Reads `measurement.tdx.cbor`.
 *
 * @param bytes the document as published
 * @returns what it says of the image
 * @throws AttestError `BAD_EVIDENCE`; its `place` names the field
 */
export function parseDstackImageMeasurement(bytes: Uint8Array): DstackImageMeasurement {
  needBytes(bytes, 'measurement')
  const root = parseCbor(bytes)
  if (!isCborMap(root)) throw bad('document', 'a map is expected')
  const version = cborField(root, 'version')
  if (version !== 3 && version !== 4) throw bad('version', 'only versions 3 and 4 are known')
  const [image, tdvf] = [mapAt(root, 'image'), mapAt(root, 'tdvf')]
  if (cborField(tdvf, 'ovmf') !== 'pre202505') throw bad('tdvf.ovmf', 'the kind of firmware is not known')
  const candidates = mapAt(tdvf, 'mrtd')
  const witness = cborField(tdvf, 'td_hob')
  if (!isBytes(witness)) throw bad('tdvf.td_hob', 'bytes are expected')
  const text = cborField(image, 'cmdline')
  if (version === 4 && typeof text !== 'string') throw bad('image.cmdline', 'text is expected')
  const restored = cborField(image, 'kernel_header_normalized') ?? false
  if (typeof restored !== 'boolean') throw bad('image.kernel_header_normalized', 'true or false is expected')
  return {
    version,
    mrTd: { singlePass: digestAt(candidates, 'single_pass'), twoPass: digestAt(candidates, 'two_pass') },
    tdHob: witnessLayout(witness),
    kernel: digestAt(image, 'kernel_authenticode'),
    initrd: digestAt(image, 'initrd_sha384'),
    commandLine:
      version === 4 && typeof text === 'string' ? `${text} initrd=initrd` : digestAt(image, 'cmdline_sha384'),
    setupHeaderRestored: restored,
  }
}

/** Pages as LEB128 numbers: base, TD HOB above it, count of ranges, then start above base and length of each. */
function witnessLayout(witness: Uint8Array): TdHobLayout {
  let at = 0
  const number = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const octet = witness[at]
      at += 1
      if (octet === undefined || scale > 2 ** 35) throw bad('tdvf.td_hob', 'a number is cut off or too large')
      value += (octet & 0x7f) * scale
      if (octet < 0x80) return value
    }
  }
  const [base, hob, count] = [number(), number(), number()]
  if (count > 64) throw bad('tdvf.td_hob', 'there are too many ranges')
  const accepted = Array.from({ length: count }, () => {
    const start = (base + number()) * pageLength
    return { start, length: number() * pageLength }
  })
  if (at !== witness.length) throw bad('tdvf.td_hob', 'bytes are left over')
  return { address: (base + hob) * pageLength, accepted }
}

/** The order in which QEMU adds pages; it changed with version 9. */
export function qemuPageOrder(version: string): 'single-pass' | 'two-pass' {
  const major = /^(\d{1,4})\.\d{1,4}(?:\.\d{1,4})?$/.exec(version)?.[1]
  if (major === undefined || Number(major) < 8)
    throw new AttestError('BAD_ARGUMENT', 'qemuVersion', 'A version of QEMU from 8 on is expected, as 8.2.2')
  return Number(major) < 9 ? 'two-pass' : 'single-pass'
}

/**
 * The registers that a dstack image must show on a machine.
 *
 * @param image what the image publishes of itself
 * @param machine memory in bytes, version of QEMU, and digests of the ACPI tables
 * @param machine.memoryBytes the guest's memory
 * @param machine.qemuVersion for example `8.2.2`
 * @param machine.acpi digests of the machine's ACPI tables, for RTMR0
 * @returns the registers that the image has on that machine
 * @throws AttestError `BAD_ARGUMENT` also when the image's kernel digest does not hold for this size of memory
 */
export function dstackImageRegisters(
  image: DstackImageMeasurement,
  machine: { readonly memoryBytes: number; readonly qemuVersion: string; readonly acpi: AcpiDigests },
): {
  readonly mrTd: Uint8Array
  readonly rtmr0: Uint8Array
  readonly rtmr1: Uint8Array
  readonly rtmr2: Uint8Array
} {
  const { memoryBytes, qemuVersion, acpi } = machine
  if (!image.setupHeaderRestored && memoryBytes !== 2 ** 31 && memoryBytes < 0xb000_0000) {
    const text =
      'QEMU moves the initrd with the size of memory: the image’s kernel digest holds for 2 GiB and from 2.75 GiB on'
    throw new AttestError('BAD_ARGUMENT', 'machine.memoryBytes', text)
  }
  const { singlePass, twoPass } = image.mrTd
  return {
    mrTd: qemuPageOrder(qemuVersion) === 'two-pass' ? twoPass : singlePass,
    rtmr0: tdxConfigurationRegister({
      tdHob: tdHobDigest(image.tdHob, memoryBytes),
      configurationVolume: hexToBytes(configurationVolume),
      acpi,
    }),
    ...tdxKernelRegisters(image),
  }
}

/** The digests of ACPI tables as a guest's event log tells them: the guest's word, unless they are compared. */
function acpiOfLog(log: readonly DstackEvent[]): AcpiDigests | undefined {
  const find = (name: string) => {
    const found = log.filter(({ imr, event }) => imr === 0 && event === name)
    return found.length === 1 && found[0]?.digest.length === 96 ? hexToBytes(found[0].digest) : undefined
  }
  const [loader, rsdp, tables] = ['acpi-loader', 'acpi-rsdp', 'acpi-tables'].map(find)
  return loader && rsdp && tables && { loader, rsdp, tables }
}

/** Every question of {@link verifyDstackImage}. */
export const dstackImageCheckTitles = {
  'os-image': 'The list of the image’s files is the one of the image that is meant',
  measurement: 'The image’s measurement is on that list',
  mrtd: 'The firmware is the image’s (MRTD)',
  rtmr0: 'The machine is configured as it says (RTMR0)',
  rtmr1: 'The kernel is the image’s (RTMR1)',
  rtmr2: 'Command line and initrd are the image’s (RTMR2)',
  'acpi-tables': 'The machine’s ACPI tables are the expected ones',
} as const

/** Answer of {@link verifyDstackImage}. */
export interface DstackImageVerdict {
  /** True only when every check passed, the one of ACPI tables included. */
  readonly ok: boolean
  readonly checks: readonly Check[]
}

/**
 * Shows that a TD runs a dstack image, without the image: the image's digest names a list of its files, the list its
 * measurement, and that gives the registers. ACPI tables come from the host; unless the caller knows their digests, they are the
 * guest's word, and the check is `not-checked`.
 *
 * @param options the image’s document, the claims to hold it against, and the machine
 * @param options.osImageHash the image that is meant: SHA-256 of `sha256sum.txt`
 * @param options.checksumFile `sha256sum.txt` as it stands
 * @param options.measurement `measurement.tdx.cbor`
 * @param options.claims registers of the quote; verify the quote first
 * @param options.eventLog dstack's event log, for the digests of ACPI tables
 * @param options.machine size of memory and version of QEMU, as the machine's configuration says
 * @param options.acpi digests that the caller trusts
 * @returns every check
 * @throws AttestError `BAD_EVIDENCE`, `BAD_EVENT_LOG`, `BAD_ARGUMENT` when a part cannot be read
 */
export function verifyDstackImage(options: {
  readonly osImageHash: Hex
  readonly checksumFile: string
  readonly measurement: Uint8Array
  readonly claims: Pick<TdxClaims, 'mrTd' | 'rtmrs'>
  readonly eventLog: unknown
  readonly machine: { readonly memoryBytes: number; readonly qemuVersion: string }
  readonly acpi?: AcpiDigests
}): DstackImageVerdict {
  const { osImageHash, checksumFile, measurement, claims, machine } = options
  const told = acpiOfLog(dstackEventLogSchema.parse(options.eventLog))
  const acpi = options.acpi ?? told
  const image = parseDstackImageMeasurement(measurement)
  const unknown = new Uint8Array(48)
  const known = acpi ?? { loader: unknown, rsdp: unknown, tables: unknown }
  const registers = dstackImageRegisters(image, { ...machine, acpi: known })
  const checks = checkList(dstackImageCheckTitles)
  checks.run('os-image', [], () => {
    const hash = bytesToHex(sha256(new TextEncoder().encode(checksumFile)))
    return osImageHash === `0x${hash}` ? pass('It is.') : fail('it is of another image')
  })
  checks.run('measurement', [], () => {
    const line = `${bytesToHex(sha256(measurement))}  measurement.tdx.cbor`
    return checksumFile.split('\n').includes(line) ? pass('It is.') : fail('it is not on the list')
  })
  const compare = (id: 'mrtd' | 'rtmr0' | 'rtmr1' | 'rtmr2', expected: Uint8Array, has: Hex) =>
    checks.run(id, ['measurement'], () => {
      if (id === 'rtmr0' && acpi === undefined)
        return notChecked('The event log does not name the digests of ACPI tables, and none were given.')
      return has === `0x${bytesToHex(expected)}`
        ? pass('The registers agree.')
        : fail('the register has another value')
    })
  compare('mrtd', registers.mrTd, claims.mrTd)
  compare('rtmr0', registers.rtmr0, claims.rtmrs[0])
  compare('rtmr1', registers.rtmr1, claims.rtmrs[1])
  compare('rtmr2', registers.rtmr2, claims.rtmrs[2])
  checks.run('acpi-tables', ['rtmr0'], () => {
    if (options.acpi !== undefined) return pass('They are those that the caller named.')
    return notChecked(
      'The host made them; their digests are the guest’s word, and none were given to compare.',
    )
  })
  return { ok: checks.ok(), checks: checks.list() }
}
