/**
 * What `sealpool-node measure` says: the digests by which others recognise a node, computed from the files it is made of.
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { AttestError, measurementDigest } from '@sealpool/attest'
import { type SnpVmm, snpLaunchDigest, tdxLaunchRegisters } from '@sealpool/attest/measurement'
import { type Digest, decodeHex, encodeHex, type Hex } from '@sealpool/crypto'
import * as z from 'zod'
import { configDigest, type NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'

/** What a guest is launched from; paths are relative to the file that says so. */
const hexOf = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`), `expected 0x and ${2 * bytes} lower-case hex digits`)
const launchSchema = z.discriminatedUnion('platform', [
  z.strictObject({
    platform: z.literal('tdx'),
    firmware: z.string().min(1),
    kernel: z.string().min(1),
    initrd: z.string().min(1),
    commandLine: z.string(),
    memoryBytes: z.int().positive(),
    pageOrder: z.enum(['single-pass', 'two-pass']),
    setupHeaderRestored: z.boolean().optional(),
    /** SHA-384 of what QEMU generates for the machine. */
    acpi: z.strictObject({ loader: hexOf(48), rsdp: hexOf(48), tables: hexOf(48) }).optional(),
    /** What the guest itself extends; absent: it is not known before it runs. */
    rtmr3: hexOf(48).optional(),
  }),
  z.strictObject({
    platform: z.literal('sev-snp'),
    firmware: z.string().min(1),
    kernel: z
      .strictObject({
        image: z.string().min(1),
        initrd: z.string().min(1).optional(),
        commandLine: z.string().optional(),
      })
      .optional(),
    vcpus: z.int().positive(),
    vcpu: z.union([z.string(), z.int().nonnegative()]),
    /** SEV_FEATURES, decimal. */
    features: z
      .string()
      .regex(/^\d{1,20}$/)
      .optional(),
    vmm: z.enum(['QEMU', 'ec2', 'gce']).optional(),
    hostData: hexOf(32).default(`0x${'00'.repeat(32)}`),
  }),
])

/** Registers and measurements as a quote or report must show them, and the one number that the registry on chain lists. */
export type LaunchMeasurement =
  | {
      readonly platform: 'tdx'
      readonly mrTd: Hex
      /** Null without the digests of ACPI tables. */
      readonly rtmr0: Hex | null
      readonly rtmr1: Hex
      readonly rtmr2: Hex
      readonly rtmr3: Hex | null
      /** Null while a register is. */
      readonly registry: Hex | null
    }
  | {
      readonly platform: 'sev-snp'
      readonly measurement: Hex
      readonly hostData: Hex
      readonly registry: Hex
    }

/** What is measured; what was not asked for is absent. */
export interface NodeMeasurement {
  /** Digest of the measured settings: it stands in the key set and so in the quote's report data, not in a launch register. */
  readonly config?: Digest
  /** Digest of a file: of the bundle, for the build to be compared with. */
  readonly bundle?: Digest
  readonly launch?: LaunchMeasurement
}

/**
 * Measures what is given.
 * @param given settings; `bundle`, `launch`: paths
 * @throws NodeError `CONFIG_INVALID` for a launch that is none or files that cannot be measured, `CONFIG_FILE_UNREADABLE`
 */
export async function measureNode(given: {
  readonly config?: NodeConfig | undefined
  readonly bundle?: string | undefined
  readonly launch?: string | undefined
}): Promise<NodeMeasurement> {
  return {
    ...(given.config === undefined ? {} : { config: configDigest(given.config) }),
    ...(given.bundle === undefined ? {} : { bundle: await fileDigest(given.bundle) }),
    ...(given.launch === undefined ? {} : { launch: await measureLaunch(given.launch) }),
  }
}

async function fileDigest(path: string): Promise<Digest> {
  const hash = createHash('sha256')
  try {
    for await (const part of createReadStream(path)) hash.update(part)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  return `sha256:${hash.digest('hex')}`
}

async function measureLaunch(path: string): Promise<LaunchMeasurement> {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(await contentOf(path)).toString('utf8'))
  } catch (cause) {
    if (cause instanceof NodeError) throw cause
    throw new NodeError('CONFIG_INVALID', path, 'the launch is no JSON')
  }
  const parsed = launchSchema.safeParse(value)
  if (!parsed.success) {
    const wrong = parsed.error.issues
      .slice(0, 10)
      .map((one) => `${one.path.join('.') || '(top)'}: ${one.message}`)
    throw new NodeError('CONFIG_INVALID', path, wrong.join('; '))
  }
  const launch = parsed.data
  const file = (name: string) => contentOf(resolve(dirname(path), name))
  try {
    return launch.platform === 'tdx' ? await measureTdx(launch, file) : await measureSnp(launch, file)
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause
    throw new NodeError('CONFIG_INVALID', path, cause.message, { cause })
  }
}

type Launch<Platform> = Extract<z.output<typeof launchSchema>, { platform: Platform }>
type Read = (name: string) => Promise<Uint8Array>

async function measureTdx(launch: Launch<'tdx'>, file: Read): Promise<LaunchMeasurement> {
  const { commandLine, memoryBytes, pageOrder, setupHeaderRestored, acpi } = launch
  const [firmware, kernel, initrd] = await Promise.all([
    file(launch.firmware),
    file(launch.kernel),
    file(launch.initrd),
  ])
  const registers = tdxLaunchRegisters({
    firmware,
    kernel,
    initrd,
    commandLine,
    memoryBytes,
    pageOrder,
    ...(setupHeaderRestored === undefined ? {} : { setupHeaderRestored }),
    ...(acpi === undefined
      ? {}
      : {
          acpi: {
            loader: bytesOf(acpi.loader),
            rsdp: bytesOf(acpi.rsdp),
            tables: bytesOf(acpi.tables),
          },
        }),
  })
  const mrTd = encodeHex(registers.mrTd)
  const rtmr0 = registers.rtmr0 === undefined ? null : encodeHex(registers.rtmr0)
  const [rtmr1, rtmr2] = [encodeHex(registers.rtmr1), encodeHex(registers.rtmr2)]
  const rtmr3 = (launch.rtmr3 as Hex | undefined) ?? null
  const registry =
    rtmr0 === null || rtmr3 === null ? null : measurementDigest({ mrTd, rtmrs: [rtmr0, rtmr1, rtmr2, rtmr3] })
  return { platform: 'tdx', mrTd, rtmr0, rtmr1, rtmr2, rtmr3, registry }
}

async function measureSnp(launch: Launch<'sev-snp'>, file: Read): Promise<LaunchMeasurement> {
  const { vcpus, vcpu, kernel, features, vmm } = launch
  const measurement = encodeHex(
    snpLaunchDigest({
      ovmf: await file(launch.firmware),
      vcpus,
      vcpu,
      ...(features === undefined ? {} : { features: BigInt(features) }),
      ...(vmm === undefined ? {} : { vmm: vmm satisfies SnpVmm }),
      ...(kernel === undefined
        ? {}
        : {
            kernel: {
              image: await file(kernel.image),
              ...(kernel.initrd === undefined ? {} : { initrd: await file(kernel.initrd) }),
              ...(kernel.commandLine === undefined ? {} : { commandLine: kernel.commandLine }),
            },
          }),
    }),
  )
  const hostData = launch.hostData as Hex
  return {
    platform: 'sev-snp',
    measurement,
    hostData,
    registry: measurementDigest({ measurement, hostData }),
  }
}

function bytesOf(text: string): Uint8Array {
  return decodeHex(text as Hex)
}

async function contentOf(path: string): Promise<Uint8Array> {
  try {
    return Uint8Array.from(await readFile(path))
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): NodeError {
  return new NodeError('CONFIG_FILE_UNREADABLE', path, 'the file cannot be read; check its path and rights', {
    cause,
  })
}
