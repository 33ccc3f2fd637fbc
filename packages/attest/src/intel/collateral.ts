import * as z from 'zod'
import { AttestError } from '../errors.js'
import type { TcbStatus } from './tcb-status.js'

/**
 * What a verifier needs besides the quote, as plain JSON: Intel's signed documents byte for byte as served, their issuer
 * chains as PEM, and the two revocation lists as hex of DER.
 */
export interface Collateral {
  /** `{"tcbInfo":{...},"signature":"..."}` as served by PCS; re-serialising breaks the signature. */
  readonly tcbInfo: string
  /** PEM: TCB signing certificate, root. */
  readonly tcbInfoIssuerChain: string
  /** `{"enclaveIdentity":{...},"signature":"..."}` as served by PCS. */
  readonly qeIdentity: string
  /** PEM: TCB signing certificate, root. */
  readonly qeIdentityIssuerChain: string
  /** DER of the root's revocation list, 0x and lower-case hex. */
  readonly rootCaCrl: `0x${string}`
  /** DER of the PCK CA's revocation list, 0x and lower-case hex. */
  readonly pckCrl: `0x${string}`
  /** PEM: PCK CA, root. */
  readonly pckCrlIssuerChain: string
}

const text = z.string().max(1 << 20)
const hexBytes = z.custom<`0x${string}`>(
  (value) => typeof value === 'string' && value.length <= 1 << 22 && /^0x(?:[0-9a-f]{2})*$/.test(value),
  'expected 0x and lower-case hex',
)

/** Schema of {@link Collateral}; unknown fields are refused. */
export const collateralSchema: z.ZodType<Collateral> = z.strictObject({
  tcbInfo: text,
  tcbInfoIssuerChain: text,
  qeIdentity: text,
  qeIdentityIssuerChain: text,
  rootCaCrl: hexBytes,
  pckCrl: hexBytes,
  pckCrlIssuerChain: text,
})

/**
 * Reads a collateral bundle of unknown origin; its documents are not looked into yet.
 *
 * @throws AttestError `BAD_COLLATERAL` with the first offending field
 */
export function parseCollateral(json: unknown): Collateral {
  return check(collateralSchema, json, 'collateral')
}

/** One TCB level of a platform. */
export interface TcbLevel {
  readonly sgxComponents: readonly number[]
  /** Empty for SGX. */
  readonly tdxComponents: readonly number[]
  readonly pceSvn: number
  readonly status: TcbStatus
  /** ISO time as Intel wrote it. */
  readonly tcbDate: string
  readonly advisories: readonly string[]
}

/** One TCB level of an enclave or of a TDX module. */
export interface IsvLevel {
  readonly isvSvn: number
  readonly status: TcbStatus
  readonly tcbDate: string
  readonly advisories: readonly string[]
}

/** What a TDX module must look like. */
export interface TdxModule {
  /** `TDX_03` and the like; empty for the base module of module version 0. */
  readonly id: string
  readonly mrSigner: string
  readonly attributes: string
  readonly attributesMask: string
  readonly levels: readonly IsvLevel[]
}

/** TCB info, version 2 (SGX) or 3 (SGX, TDX). */
export interface TcbInfo {
  readonly id: 'SGX' | 'TDX'
  readonly version: 2 | 3
  readonly issueDate: string
  readonly nextUpdate: string
  readonly fmspc: string
  readonly pceId: string
  readonly tcbEvaluationDataNumber: number
  readonly baseModule: TdxModule | undefined
  readonly modules: readonly TdxModule[]
  readonly levels: readonly TcbLevel[]
}

/** Identity of a quoting enclave. */
export interface QeIdentity {
  readonly id: string
  readonly issueDate: string
  readonly nextUpdate: string
  readonly tcbEvaluationDataNumber: number
  readonly miscSelect: string
  readonly miscSelectMask: string
  readonly attributes: string
  readonly attributesMask: string
  readonly mrSigner: string
  readonly isvProdId: number
  readonly levels: readonly IsvLevel[]
}

/** A signed document: its value, the exact bytes under the signature, and the signature. */
export interface SignedDocument<T> {
  readonly value: T
  readonly signed: Uint8Array
  /** 64 bytes, r || s. */
  readonly signature: Uint8Array
}

const hexOf = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`))
    .transform((value) => value.toLowerCase())
const time = z.iso.datetime()
const count = z.number().int().min(0).max(0xffffffff)
const svn = z.number().int().min(0).max(0xffff)
const status = z.enum([
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
])
const advisories = z.array(z.string().max(64)).max(1000).default([])
const components = z
  .array(z.object({ svn }))
  .length(16)
  .transform((list) => list.map((component) => component.svn))
const isvLevel = z
  .object({
    tcb: z.object({ isvsvn: svn }),
    tcbDate: time,
    tcbStatus: status,
    advisoryIDs: advisories,
  })
  .transform(
    (level): IsvLevel => ({
      isvSvn: level.tcb.isvsvn,
      status: level.tcbStatus,
      tcbDate: level.tcbDate,
      advisories: level.advisoryIDs,
    }),
  )
const componentNames = Array.from({ length: 16 }, (_, i) => `sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`)
const flatComponents = z
  .object(Object.fromEntries(componentNames.map((name) => [name, svn])))
  .transform((flat) => componentNames.map((name) => flat[name] ?? 0))
const levelRest = { tcbDate: time, tcbStatus: status, advisoryIDs: advisories }
const level3 = z.object({
  tcb: z.object({ sgxtcbcomponents: components, tdxtcbcomponents: components.optional(), pcesvn: svn }),
  ...levelRest,
})
const level2 = z.object({ tcb: z.looseObject({ pcesvn: svn }), ...levelRest })
const moduleFields = { mrsigner: hexOf(48), attributes: hexOf(8), attributesMask: hexOf(8) }
const module = z.object({
  id: z.string().max(16),
  ...moduleFields,
  tcbLevels: z.array(isvLevel).min(1).max(1000),
})
const infoFields = {
  issueDate: time,
  nextUpdate: time,
  fmspc: hexOf(6),
  pceId: hexOf(2),
  tcbEvaluationDataNumber: count,
}
const info3 = z.object({
  id: z.enum(['SGX', 'TDX']),
  version: z.literal(3),
  tcbType: z.literal(0),
  ...infoFields,
  tdxModule: z.object(moduleFields).optional(),
  tdxModuleIdentities: z.array(module).max(256).default([]),
  tcbLevels: z.array(level3).min(1).max(1000),
})
const info2 = z.object({
  version: z.literal(2),
  tcbType: z.literal(0),
  ...infoFields,
  tcbLevels: z.array(level2).min(1).max(1000),
})
const identity = z.object({
  id: z.string().max(16),
  version: z.literal(2),
  issueDate: time,
  nextUpdate: time,
  tcbEvaluationDataNumber: count,
  miscselect: hexOf(4),
  miscselectMask: hexOf(4),
  attributes: hexOf(16),
  attributesMask: hexOf(16),
  mrsigner: hexOf(32),
  isvprodid: svn,
  tcbLevels: z.array(isvLevel).min(1).max(1000),
})

/**
 * Reads a TCB info response. The envelope must be byte for byte as Intel serves it, since only the inner document is signed.
 *
 * @param response `{"tcbInfo":{...},"signature":"<128 hex>"}`
 * @returns the parsed document with the signed bytes; the signature is not verified here
 * @throws AttestError `BAD_COLLATERAL`
 */
export function parseTcbInfo(response: string): SignedDocument<TcbInfo> {
  const { body, signature } = openEnvelope(response, 'tcbInfo')
  const json = parseJson(body, 'tcbInfo')
  const isVersion2 = typeof json === 'object' && json !== null && 'version' in json && json.version === 2
  const value = isVersion2 ? tcbInfo2(check(info2, json, 'tcbInfo')) : tcbInfo3(check(info3, json, 'tcbInfo'))
  return { value, signed: new TextEncoder().encode(body), signature }
}

/**
 * Reads a QE identity response; see {@link parseTcbInfo}.
 *
 * @throws AttestError `BAD_COLLATERAL`
 */
export function parseQeIdentity(response: string): SignedDocument<QeIdentity> {
  const { body, signature } = openEnvelope(response, 'enclaveIdentity')
  const json = check(identity, parseJson(body, 'enclaveIdentity'), 'enclaveIdentity')
  const value: QeIdentity = {
    id: json.id,
    issueDate: json.issueDate,
    nextUpdate: json.nextUpdate,
    tcbEvaluationDataNumber: json.tcbEvaluationDataNumber,
    miscSelect: json.miscselect,
    miscSelectMask: json.miscselectMask,
    attributes: json.attributes,
    attributesMask: json.attributesMask,
    mrSigner: json.mrsigner,
    isvProdId: json.isvprodid,
    levels: json.tcbLevels,
  }
  return { value, signed: new TextEncoder().encode(body), signature }
}

function bad(place: string, what: string, cause?: unknown): AttestError {
  return new AttestError('BAD_COLLATERAL', place, `Unusable collateral: ${what}`, { cause })
}

function openEnvelope(response: string, name: string): { body: string; signature: Uint8Array } {
  const head = `{"${name}":`
  const tail = /,"signature":"([0-9a-f]{128})"\}$/.exec(response.slice(-145))
  if (response.length > 1 << 20 || !response.startsWith(head) || tail?.[1] === undefined) {
    throw bad(
      name,
      `the response is not exactly {"${name}":{...},"signature":"<128 hex>"} as the PCS serves it`,
    )
  }
  const signature = Uint8Array.from(tail[1].match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return { body: response.slice(head.length, response.length - tail[0].length), signature }
}

function parseJson(body: string, place: string): unknown {
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw bad(place, 'it is not JSON', cause)
  }
}

function check<T>(schema: z.ZodType<T>, json: unknown, place: string): T {
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const path = result.error.issues[0]?.path.map(String) ?? []
  throw bad([place, ...path].join('.'), 'a field is missing or of the wrong form', result.error)
}

function tcbInfo3(json: z.infer<typeof info3>): TcbInfo {
  const { tdxModule } = json
  if (json.id === 'TDX' && tdxModule === undefined) throw bad('tcbInfo.tdxModule', 'it is missing')
  return {
    ...infoCommon(json),
    id: json.id,
    version: 3,
    baseModule: tdxModule && { id: '', mrSigner: tdxModule.mrsigner, ...maskOf(tdxModule), levels: [] },
    modules: json.tdxModuleIdentities.map((entry) => ({
      id: entry.id,
      mrSigner: entry.mrsigner,
      ...maskOf(entry),
      levels: entry.tcbLevels,
    })),
    levels: json.tcbLevels.map((level, index) => {
      const { sgxtcbcomponents, tdxtcbcomponents, pcesvn } = level.tcb
      if (json.id === 'TDX' && tdxtcbcomponents === undefined) {
        throw bad(`tcbInfo.tcbLevels.${index}.tcb.tdxtcbcomponents`, 'it is missing')
      }
      return tcbLevel(level, sgxtcbcomponents, tdxtcbcomponents ?? [], pcesvn)
    }),
  }
}

function tcbInfo2(json: z.infer<typeof info2>): TcbInfo {
  return {
    ...infoCommon(json),
    id: 'SGX',
    version: 2,
    baseModule: undefined,
    modules: [],
    levels: json.tcbLevels.map((level, index) => {
      const place = `tcbInfo.tcbLevels.${index}.tcb`
      return tcbLevel(level, check(flatComponents, level.tcb, place), [], level.tcb.pcesvn)
    }),
  }
}

function infoCommon(json: z.infer<z.ZodObject<typeof infoFields>>) {
  const { issueDate, nextUpdate, fmspc, pceId, tcbEvaluationDataNumber } = json
  return { issueDate, nextUpdate, fmspc, pceId, tcbEvaluationDataNumber }
}

function maskOf(json: { attributes: string; attributesMask: string }) {
  return { attributes: json.attributes, attributesMask: json.attributesMask }
}

function tcbLevel(
  level: { tcbStatus: TcbStatus; tcbDate: string; advisoryIDs: string[] },
  sgxComponents: readonly number[],
  tdxComponents: readonly number[],
  pceSvn: number,
): TcbLevel {
  const { tcbStatus, tcbDate, advisoryIDs } = level
  return { sgxComponents, tdxComponents, pceSvn, status: tcbStatus, tcbDate, advisories: advisoryIDs }
}
