import { type Digest, digestOf } from '@sealpool/crypto'
import { type SnpProduct, snpProducts } from '../amd/claims.js'
import type { SnpTcb } from '../amd/tcb-version.js'
import { type VerdictTcbStatus, verdictTcbStatuses } from '../intel/tcb-status.js'
import {
  digestText,
  either,
  flag,
  hexText,
  integer,
  isoText,
  list,
  oneOf,
  optional,
  type Reader,
  record,
  type Schema,
  schema,
  text,
} from '../shape/shape.js'
import type { Hex } from '../verdict/verdict.js'

/** A TDX image that may run. A register that is not listed is not looked at. */
export type TdxMeasurement = {
  name: string
  mrTd: Hex
  /** RTMR0 and following. */
  rtmrs?: Hex[]
  mrConfigId?: Hex
  mrOwner?: Hex
  mrOwnerConfig?: Hex
}

/** An SEV-SNP image that may run. */
export type SnpMeasurement = {
  name: string
  /** Launch digest, see `snpLaunchDigest`. */
  measurement: Hex
  hostData?: Hex
  /** The guest's identity block must be signed by this key. */
  idKeyDigest?: Hex
  authorKeyDigest?: Hex
}

/** An SGX enclave that may run: this very one, or any of a signer's product from a version on. */
export type SgxMeasurement =
  | { name: string; mrEnclave: Hex }
  | { name: string; mrSigner: Hex; isvProdId: number; minimumIsvSvn: number }

/** Rules for SEV-SNP; what is absent has the strict default that is named beside it. */
export type SnpRules = {
  /** Products that may run. Absent: all but Milan, whose chip keys were extracted (arXiv 2605.12990). */
  products?: SnpProduct[]
  /** Lowest reported TCB by product. A product without an entry is refused: AMD publishes no statuses that could decide. */
  minimumTcb: Partial<Record<SnpProduct, SnpTcb>>
  /** Highest privilege level number that is accepted; absent: 0. */
  maximumVmpl?: number
  minimumGuestSvn?: number
  /** `[major, minor, build]` of the firmware. */
  minimumFirmware?: [number, number, number]
  /** Whether a migration agent may be bound to the guest; absent: no. */
  allowMigrationAgent?: boolean
  /** Whether sibling threads may run other code beside the guest; absent: yes. */
  allowSmt?: boolean
  /** Whether CXL memory may hold the guest; absent: no. */
  allowCxl?: boolean
  /** Demands on the guest's policy; absent: none. */
  require?: ('ciphertextHiding' | 'memoryAes256Xts' | 'pageSwapDisabled' | 'raplDisabled' | 'singleSocket')[]
  /** Whether a platform may lack the check against memory aliases (BadRAM); absent: no. */
  allowMissingAliasCheck?: boolean
  /** Whether firmware may be newer than what the platform committed to, and so be rolled back; absent: no. */
  allowProvisionalFirmware?: boolean
  signingKeys?: ('vcek' | 'vlek')[]
  /** Cloud providers whose VLEK is accepted, as certificates name them; absent: any. */
  cspIds?: string[]
  chipIds?: Hex[]
  familyIds?: Hex[]
  imageIds?: Hex[]
  /** Bits of the mitigation vector that must have been set at launch and still be set; asks for reports of version 5. */
  requiredMitigations?: Hex
}

/** Rules for TDX beyond measurements. */
export type TdxRules = {
  mrSeams?: Hex[]
  /** TD attributes: the masked bits must have this value. */
  attributes?: { mask: Hex; value: Hex }
  xfam?: { mask: Hex; value: Hex }
  /** Measurements of service TDs that may be bound; absent: none may (zero). */
  mrServiceTds?: Hex[]
  minimumTcbEvaluationDataNumber?: number
}

/** Rules for SGX beyond measurements. */
export type SgxRules = {
  /** Enclave attributes, 16 bytes as they stand in the report: the masked bits must have this value. */
  attributes?: { mask: Hex; value: Hex }
  minimumTcbEvaluationDataNumber?: number
}

/**
 * Which evidence is good enough, as plain JSON. Strict: whatever a policy does not name is refused.
 */
export type AttestationPolicy = {
  format: 'sealpool/attestation-policy'
  version: 1
  /** `intel`, `amd` for the pinned vendor roots; a digest of a root certificate or its public key for any other root. */
  roots: ('intel' | 'amd' | Digest)[]
  /** Whether evidence that no hardware stands behind may pass at all; its root must be in `roots` as well. */
  allowSimulator: boolean
  /** Intel's statuses; AMD has none. */
  acceptedTcbStatuses: VerdictTcbStatus[]
  /** Advisories that may apply to an accepted status other than UpToDate, for example `INTEL-SA-00615`. */
  acceptedAdvisories: string[]
  /** Advisories that may apply until a moment (ISO), so that machines can be updated in turn. */
  graceForAdvisories?: { advisory: string; until: string }[]
  /** ISO date or time; a TCB from before it is refused. */
  minimumTcbDate?: string
  /** Code that may run. Empty: none. */
  measurements: (TdxMeasurement | SnpMeasurement | SgxMeasurement)[]
  /** What the report data must be, or begin with: 32 or 64 bytes. */
  reportData?: Hex
  snp?: SnpRules
  tdx?: TdxRules
  sgx?: SgxRules
  /** A guest under debug can be read by its host: there is no way to allow it. */
  allowDebug: false
  /** How long ago the older of TCB info and QE identity may have been issued, in seconds; AMD's evidence has neither. */
  maximumAgeSeconds: number
}

const name = /* @__PURE__ */ text({ min: 1, max: 200, what: 'a name' })
const hex8 = /* @__PURE__ */ hexText(8)
const hex16 = /* @__PURE__ */ hexText(16)
const hex32 = /* @__PURE__ */ hexText(32)
const hex48 = /* @__PURE__ */ hexText(48)
const hex64 = /* @__PURE__ */ hexText(64)
const octet = /* @__PURE__ */ integer(0, 255)
const maybe = <T>(reader: Reader<T>) => optional(reader)
const some = <T>(reader: Reader<T>, max = 1000) => optional(list(reader, { max }))

const sgxMeasurement: Reader<SgxMeasurement> = /* @__PURE__ */ (() =>
  either(
    /* @__PURE__ */ record<{ name: string; mrEnclave: Hex }>({ name, mrEnclave: hex32 }),
    /* @__PURE__ */ record<{ name: string; mrSigner: Hex; isvProdId: number; minimumIsvSvn: number }>({
      name,
      mrSigner: hex32,
      isvProdId: /* @__PURE__ */ integer(0, 65535),
      minimumIsvSvn: /* @__PURE__ */ integer(0, 65535),
    }),
  ))()
const snpMeasurement = /* @__PURE__ */ record<SnpMeasurement>({
  name,
  measurement: hex48,
  hostData: /* @__PURE__ */ maybe(hex32),
  idKeyDigest: /* @__PURE__ */ maybe(hex48),
  authorKeyDigest: /* @__PURE__ */ maybe(hex48),
})
const tdxMeasurement = /* @__PURE__ */ record<TdxMeasurement>({
  name,
  mrTd: hex48,
  rtmrs: /* @__PURE__ */ some(hex48, 4),
  mrConfigId: /* @__PURE__ */ maybe(hex48),
  mrOwner: /* @__PURE__ */ maybe(hex48),
  mrOwnerConfig: /* @__PURE__ */ maybe(hex48),
})
const measurement: Reader<TdxMeasurement | SnpMeasurement | SgxMeasurement> = (value, place) => {
  const has = (field: string) => typeof value === 'object' && value !== null && Object.hasOwn(value, field)
  if (has('measurement')) return snpMeasurement(value, place)
  return has('mrEnclave') || has('mrSigner') ? sgxMeasurement(value, place) : tdxMeasurement(value, place)
}

const tcb = /* @__PURE__ */ record<SnpTcb>({
  fmc: /* @__PURE__ */ maybe(octet),
  bootloader: octet,
  tee: octet,
  snp: octet,
  microcode: octet,
})
const perProduct: Reader<Partial<Record<SnpProduct, SnpTcb>>> = /* @__PURE__ */ (() =>
  record<Partial<Record<SnpProduct, SnpTcb>>>({
    Milan: /* @__PURE__ */ maybe(tcb),
    Genoa: /* @__PURE__ */ maybe(tcb),
    'Bergamo-Siena': /* @__PURE__ */ maybe(tcb),
    Turin: /* @__PURE__ */ maybe(tcb),
  }))()
const three: Reader<[number, number, number]> = (value, place) => {
  const [major = 0, minor = 0, build = 0] = list(octet, { min: 3, max: 3 })(value, place)
  return [major, minor, build]
}
const snpRules = /* @__PURE__ */ (() =>
  record<SnpRules>({
    products: /* @__PURE__ */ some(/* @__PURE__ */ oneOf(snpProducts), 4),
    minimumTcb: perProduct,
    maximumVmpl: /* @__PURE__ */ maybe(/* @__PURE__ */ integer(0, 3)),
    minimumGuestSvn: /* @__PURE__ */ maybe(/* @__PURE__ */ integer(0, 0xffffffff)),
    minimumFirmware: /* @__PURE__ */ maybe(three),
    allowMigrationAgent: /* @__PURE__ */ maybe(flag),
    allowSmt: /* @__PURE__ */ maybe(flag),
    allowCxl: /* @__PURE__ */ maybe(flag),
    require: /* @__PURE__ */ some(
      /* @__PURE__ */ oneOf([
        'ciphertextHiding',
        'memoryAes256Xts',
        'pageSwapDisabled',
        'raplDisabled',
        'singleSocket',
      ]),
      5,
    ),
    allowMissingAliasCheck: /* @__PURE__ */ maybe(flag),
    allowProvisionalFirmware: /* @__PURE__ */ maybe(flag),
    signingKeys: /* @__PURE__ */ some(/* @__PURE__ */ oneOf(['vcek', 'vlek']), 2),
    cspIds: /* @__PURE__ */ some(name),
    chipIds: /* @__PURE__ */ some(hex64, 10_000),
    familyIds: /* @__PURE__ */ some(hex16),
    imageIds: /* @__PURE__ */ some(hex16),
    requiredMitigations: /* @__PURE__ */ maybe(hex8),
  }))()

const masked = /* @__PURE__ */ record<{ mask: Hex; value: Hex }>({ mask: hex8, value: hex8 })
const tdxRules = /* @__PURE__ */ (() =>
  record<TdxRules>({
    mrSeams: /* @__PURE__ */ some(hex48),
    attributes: /* @__PURE__ */ maybe(masked),
    xfam: /* @__PURE__ */ maybe(masked),
    mrServiceTds: /* @__PURE__ */ some(hex48),
    minimumTcbEvaluationDataNumber: /* @__PURE__ */ maybe(/* @__PURE__ */ integer(0, 0xffffffff)),
  }))()

const sgxRules = /* @__PURE__ */ (() =>
  record<SgxRules>({
    attributes: /* @__PURE__ */ maybe(
      /* @__PURE__ */ record<{ mask: Hex; value: Hex }>({ mask: hex16, value: hex16 }),
    ),
    minimumTcbEvaluationDataNumber: /* @__PURE__ */ maybe(/* @__PURE__ */ integer(0, 0xffffffff)),
  }))()

/** Schema of {@link AttestationPolicy}; unknown fields are refused, since a rule nobody enforces is worse than none. */
export const attestationPolicySchema: Schema<AttestationPolicy> = /* @__PURE__ */ (() =>
  schema(
    'BAD_POLICY',
    'policy',
    'Not an attestation policy',
    /* @__PURE__ */ record<AttestationPolicy>({
      format: /* @__PURE__ */ oneOf(['sealpool/attestation-policy']),
      version: /* @__PURE__ */ oneOf([1]),
      roots: /* @__PURE__ */ list(
        /* @__PURE__ */ either(/* @__PURE__ */ oneOf(['intel', 'amd']), digestText),
        {
          max: 100,
        },
      ),
      allowSimulator: flag,
      acceptedTcbStatuses: /* @__PURE__ */ list(/* @__PURE__ */ oneOf(verdictTcbStatuses), { max: 20 }),
      acceptedAdvisories: /* @__PURE__ */ list(/* @__PURE__ */ text({ max: 64 }), { max: 1000 }),
      graceForAdvisories: /* @__PURE__ */ some(
        /* @__PURE__ */ record<{ advisory: string; until: string }>({
          advisory: /* @__PURE__ */ text({ min: 1, max: 64 }),
          until: /* @__PURE__ */ isoText('date or time'),
        }),
      ),
      minimumTcbDate: /* @__PURE__ */ maybe(/* @__PURE__ */ isoText('date or time')),
      measurements: /* @__PURE__ */ list(measurement, { max: 1000 }),
      reportData: /* @__PURE__ */ maybe(/* @__PURE__ */ either(hex32, hex64)),
      snp: /* @__PURE__ */ maybe(snpRules),
      tdx: /* @__PURE__ */ maybe(tdxRules),
      sgx: /* @__PURE__ */ maybe(sgxRules),
      allowDebug: /* @__PURE__ */ oneOf([false]),
      maximumAgeSeconds: /* @__PURE__ */ integer(1),
    }),
  ))()

/**
 * The policy to start from: Intel's root only, no simulator, an up-to-date TCB, collateral of at most thirty days, and no
 * measurement, so that it allows nothing until the caller names the code that may run.
 */
export const defaultAttestationPolicy: Readonly<AttestationPolicy> = {
  format: 'sealpool/attestation-policy',
  version: 1,
  roots: ['intel'],
  allowSimulator: false,
  acceptedTcbStatuses: ['UpToDate'],
  acceptedAdvisories: [],
  measurements: [],
  allowDebug: false,
  maximumAgeSeconds: 30 * 24 * 3600,
}

/**
 * Reads a policy of unknown origin.
 *
 * @param json any value
 * @returns the policy
 * @throws AttestError `BAD_POLICY` with the first offending place
 */
export function parseAttestationPolicy(json: unknown): AttestationPolicy {
  return attestationPolicySchema.parse(json)
}

/**
 * The digest by which a policy is named.
 *
 * @param policy the policy
 * @returns SHA-256 of its canonical JSON
 * @throws AttestError `BAD_POLICY` when it is none
 */
export function attestationPolicyDigest(policy: AttestationPolicy): Digest {
  return digestOf(parseAttestationPolicy(policy))
}
