import { type Digest, digestOf } from '@sealpool/crypto'
import {
  flag,
  hexText,
  integer,
  list,
  oneOf,
  optional,
  type Reader,
  record,
  type Schema,
  ShapeError,
  schema,
  text,
} from '../shape/shape.js'
import type { Hex } from '../verdict/verdict.js'
import { type AttestationPolicy, attestationPolicySchema } from './policy.js'

/** Registers by their decimal index; only those that are named are looked at. */
export type PlatformRegisters = Record<string, Hex>

/** An image that may run: all its registers must be as named. */
export type PlatformImage = { name: string; registers: PlatformRegisters }

/** A dstack app that may run. */
export type DstackApp = {
  name: string
  /** SHA-256 of the compose text, see `composeHash`. */
  composeHash: Hex
  /** 20 bytes; absent: any instance of that compose text, whoever deployed it. */
  appId?: Hex
}

/** A giver of keys as dstack's event `key-provider` names it. */
export type DstackKeyProvider = {
  name: string
  /** For a KMS its public key (SubjectPublicKeyInfo), for `local-sgx` the enclave's MRENCLAVE. Absent: any. */
  id?: Hex
}

/** Rules for dstack; the operating system's image is measured by the hardware, so `hardware` names it. */
export type DstackRules = {
  /** Of the TDX quote or the SEV-SNP report under it. */
  hardware: AttestationPolicy
  apps: DstackApp[]
  /** Who may give the app its keys, by the name in the event (`kms`, `local-sgx`) and, when it is named, by its id. */
  keyProviders?: DstackKeyProvider[]
  /** What the key provider told the guest about its image: the provider's word, in no hardware register, and not told on SEV-SNP. */
  osImageHashes?: Hex[]
  /** Whether the app may write events of its own after the boot, besides the one that `gpu` asks for; absent: yes. A guest of SEV-SNP cannot show that it wrote none. */
  allowAppEvents?: boolean
}

/** Rules for Azure's confidential VMs. */
export type AzureRules = {
  /** Of the SEV-SNP report or TDX quote under it; its measurement is that of Azure's paravisor. */
  hardware: AttestationPolicy
  /** SHA-256 registers of the vTPM. */
  images: PlatformImage[]
  /** SHA-256 of the vTPM's key, see `AzureVerdict.attestationKey`; absent: any that the hardware vouches for. */
  attestationKeys?: Hex[]
  /** What the vTPM's quote must have been made for, when the verifier was given no nonce. It carries no time: this is its age. */
  nonce?: Hex
}

/** Rules for AWS Nitro enclaves. Debug is never allowed: there is no field for it. */
export type NitroRules = {
  /**
   * PCRs of 48 bytes. PCR0 to PCR2 (the enclave's image, kernel and application) must all be named, and PCR8, the certificate
   * that signed the image, for an enclave of a signed image.
   */
  images: PlatformImage[]
  /** Whether an image may leave those registers out, so that they may be anything; absent: no. */
  allowPartialImages?: boolean
  moduleIds?: string[]
  /** What the document must have been made for, when the verifier was given no nonce. */
  nonce?: Hex
  /** How long before the verdict's moment the document may have been made, in seconds; the verifier has a limit of its own. */
  maximumAgeSeconds?: number
}

/** Rules for NVIDIA devices. */
export type NvidiaRules = {
  /**
   * Measurement blocks by index, as the device signed them. An image that names every block stands in for NVIDIA's published
   * values; otherwise, or when absent, the verdict's own comparison must have passed.
   */
  images?: PlatformImage[]
  /** Single devices, by `NvidiaVerdict.deviceKey`; absent: any of NVIDIA's. */
  devices?: Hex[]
  /** Types of devices, by `NvidiaVerdict.device`, which all devices of a type share; absent: any. */
  deviceTypes?: string[]
  /** What the measurements must have been made for, when the verifier was given no nonce. They carry no time: this is their age. */
  nonce?: Hex
  /**
   * Whether NVIDIA's revocation answer and published values may be missing; absent: no. With it a revoked device passes, and
   * blocks that `images` does not name may be anything.
   */
  allowOfflineOnly?: boolean
}

/** Rules for a token of NVIDIA's attestation service. */
export type NvidiaTokenRules = {
  hardwareModels?: string[]
  driverVersions?: string[]
  vbiosVersions?: string[]
  /** What all tokens must have been made for, when the verifier was given no nonce. */
  nonce?: Hex
  /** How long before the verdict's moment the oldest of the tokens may have been issued, in seconds. */
  maximumAgeSeconds?: number
}

/**
 * Rules for the GPUs of a guest: that they are its own, and how they are set. `dstack` says which guest, `nvidia` or `nvidiaToken` which
 * devices. Confidential computing must be on and developers' tools off: there is no field for it.
 */
export type GpuRules = {
  /** Fewest GPUs; absent: 1. */
  minimumDevices?: number
}

/** Which evidence of the platforms above TDX and SEV-SNP is good enough, as plain JSON. What it does not name is refused. */
export type PlatformPolicy = {
  format: 'sealpool/platform-policy'
  version: 1
  dstack?: DstackRules
  azure?: AzureRules
  nitro?: NitroRules
  nvidia?: NvidiaRules
  nvidiaToken?: NvidiaTokenRules
  gpu?: GpuRules
}

const maybe = <T>(reader: Reader<T>) => optional(reader)
const names = /* @__PURE__ */ list(/* @__PURE__ */ text({ min: 1, max: 200, what: 'a name' }), { max: 1000 })
const name = /* @__PURE__ */ text({ min: 1, max: 200, what: 'a name' })
const hex20 = /* @__PURE__ */ hexText(20)
const hex32 = /* @__PURE__ */ hexText(32)
const anyHex: Reader<Hex> = /* @__PURE__ */ text<Hex>({
  max: 2050,
  pattern: /^0x(?:[0-9a-f]{2})*$/,
  what: '0x and lower-case hexadecimal digits',
})

const registersOf =
  (value: Reader<Hex>, highest: number): Reader<PlatformRegisters> =>
  (given, place) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      throw new ShapeError(place, 'expected an object of registers')
    const entries = Object.entries(given)
    // An image of no register would allow everything.
    if (entries.length === 0) throw new ShapeError(place, 'expected at least one register')
    return Object.fromEntries(
      entries.map(([index, register]) => {
        if (!/^(?:0|[1-9][0-9]{0,2})$/.test(index) || Number(index) > highest)
          throw new ShapeError(place, `expected indexes from 0 to ${highest}`)
        return [index, value(register, `${place}.${index}`)]
      }),
    )
  }
const seconds = /* @__PURE__ */ integer(1)
/** A nonce of at most 512 bytes, the longest that any of the platforms carries; a literal, since bundlers keep what they would have to work out. */
const nonce = /* @__PURE__ */ text<Hex>({
  max: 1026,
  pattern: /^0x(?:[0-9a-f]{2})+$/,
  what: '0x and lower-case hexadecimal digits',
})
const imagesOf = (value: Reader<Hex>, highest: number) =>
  list(record<PlatformImage>({ name, registers: registersOf(value, highest) }), { max: 1000 })

const hardware: Reader<AttestationPolicy> = (value, place) => {
  const result = attestationPolicySchema.safeParse(value)
  if (result.success) return result.data
  throw new ShapeError(`${place}${result.error.place.slice('policy'.length)}`, result.error.message)
}

/** Registers of every Nitro enclave that say what runs in it. */
const nitroImageRegisters = ['0', '1', '2'] as const

const nitroRules: Reader<NitroRules> = (value, place) => {
  const rules = record<NitroRules>({
    images: imagesOf(hexText(48), 31),
    allowPartialImages: maybe(flag),
    moduleIds: maybe(names),
    nonce: maybe(nonce),
    maximumAgeSeconds: maybe(seconds),
  })(value, place)
  if (rules.allowPartialImages === true) return rules
  rules.images.forEach(({ registers }, i) => {
    const missing = nitroImageRegisters.find((index) => registers[index] === undefined)
    // PCR3 alone, for example, is the same for every enclave without a role.
    if (missing !== undefined)
      throw new ShapeError(
        `${place}.images.${i}.registers`,
        `PCR${missing} is missing: PCR0 to PCR2 say what runs (or set allowPartialImages)`,
      )
  })
  return rules
}

const platformPolicy: Reader<PlatformPolicy> = (value, place) => {
  const policy = readPlatformPolicy(value, place)
  const { gpu, dstack, nvidia, nvidiaToken } = policy
  if (gpu === undefined) return policy
  // Alone it would allow any GPU, of anybody's guest.
  if (dstack === undefined)
    throw new ShapeError(`${place}.gpu`, 'name the guest as well: add rules for dstack')
  if (nvidia === undefined && nvidiaToken === undefined)
    throw new ShapeError(`${place}.gpu`, 'name the devices as well: add rules for nvidia or nvidiaToken')
  return policy
}

/** Schema of {@link PlatformPolicy}; unknown fields are refused. */
export const platformPolicySchema: Schema<PlatformPolicy> = /* @__PURE__ */ (() =>
  schema('BAD_POLICY', 'policy', 'Not a platform policy', platformPolicy))()

const readPlatformPolicy: Reader<PlatformPolicy> = /* @__PURE__ */ (() =>
  record<PlatformPolicy>({
    format: oneOf(['sealpool/platform-policy']),
    version: oneOf([1]),
    dstack: maybe(
      record<DstackRules>({
        hardware,
        apps: list(record<DstackApp>({ name, composeHash: hex32, appId: maybe(hex20) }), { max: 1000 }),
        keyProviders: maybe(list(record<DstackKeyProvider>({ name, id: maybe(anyHex) }), { max: 1000 })),
        osImageHashes: maybe(list(hex32, { max: 1000 })),
        allowAppEvents: maybe(flag),
      }),
    ),
    azure: maybe(
      record<AzureRules>({
        hardware,
        images: imagesOf(hex32, 23),
        attestationKeys: maybe(list(hex32, { max: 1000 })),
        nonce: maybe(nonce),
      }),
    ),
    nitro: maybe(nitroRules),
    nvidia: maybe(
      record<NvidiaRules>({
        images: maybe(imagesOf(anyHex, 255)),
        devices: maybe(list(hex32, { max: 1000 })),
        deviceTypes: maybe(names),
        nonce: maybe(nonce),
        allowOfflineOnly: maybe(flag),
      }),
    ),
    nvidiaToken: maybe(
      record<NvidiaTokenRules>({
        hardwareModels: maybe(names),
        driverVersions: maybe(names),
        vbiosVersions: maybe(names),
        nonce: maybe(nonce),
        maximumAgeSeconds: maybe(seconds),
      }),
    ),
    gpu: maybe(record<GpuRules>({ minimumDevices: maybe(integer(1, 64)) })),
  }))()

/**
 * Reads a platform policy of unknown origin.
 *
 * @param json any value
 * @returns the policy
 * @throws AttestError `BAD_POLICY` with the first offending place
 */
export function parsePlatformPolicy(json: unknown): PlatformPolicy {
  return platformPolicySchema.parse(json)
}

/**
 * The digest by which a platform policy is named.
 *
 * @param policy the policy
 * @returns SHA-256 of its canonical JSON
 * @throws AttestError `BAD_POLICY` when it is none
 */
export function platformPolicyDigest(policy: PlatformPolicy): Digest {
  return digestOf(parsePlatformPolicy(policy))
}
