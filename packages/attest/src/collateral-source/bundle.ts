import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { type Collateral, collateralReader } from '../intel/collateral.js'
import { list, oneOf, record, type Schema, schema, text } from '../shape/shape.js'
import type { Hex } from '../verdict/verdict.js'
import {
  type AmdMaterial,
  type AmdRequest,
  type CollateralPort,
  type IntelRequest,
  unavailable,
} from './port.js'

/** Collateral for some platforms in one file, to verify without a network until it goes stale. */
export type CollateralBundle = {
  format: 'sealpool/collateral-bundle'
  version: 1
  intel: { tee: 'tdx' | 'sgx'; fmspc: string; ca: 'platform' | 'processor'; collateral: Collateral }[]
  /** Name is {@link amdName} of the request. */
  amd: { name: string; certificates: Hex[]; crl: Hex }[]
}

const hexBytes = text<Hex>({ max: 1 << 16, pattern: /^0x(?:[0-9a-f]{2})+$/, what: '0x and lower-case hex' })

/** Schema of {@link CollateralBundle}; unknown fields are refused. */
export const collateralBundleSchema: Schema<CollateralBundle> = schema(
  'BAD_COLLATERAL',
  'bundle',
  'Not a collateral bundle',
  record<CollateralBundle>({
    format: oneOf(['sealpool/collateral-bundle']),
    version: oneOf([1]),
    intel: list(
      record<CollateralBundle['intel'][number]>({
        tee: oneOf(['tdx', 'sgx']),
        fmspc: text({ pattern: /^[0-9a-f]{12}$/, what: '12 lower-case hexadecimal digits' }),
        ca: oneOf(['platform', 'processor']),
        collateral: collateralReader,
      }),
      { max: 1000 },
    ),
    amd: list(
      record<CollateralBundle['amd'][number]>({
        name: text({ min: 1, max: 400 }),
        certificates: list(hexBytes, { min: 1, max: 8 }),
        crl: hexBytes,
      }),
      { max: 10_000 },
    ),
  }),
)

/**
 * One name for one request: product line, chip and TCB.
 *
 * @param request product line, chip and TCB
 * @returns the name under which a bundle keeps the answer
 */
export function amdName({ line, hwid, tcb }: AmdRequest): string {
  const { fmc, bootloader, tee, snp, microcode } = tcb
  return [line, hwid, fmc ?? '-', bootloader, tee, snp, microcode].join('/')
}

const intelName = ({ tee, fmspc, ca }: IntelRequest) => [tee, fmspc, ca].join('/')

/**
 * A source that has what a bundle holds and nothing else.
 *
 * @param json the bundle
 * @returns a source that answers from the bundle alone
 * @throws AttestError `BAD_COLLATERAL`
 */
export function bundledCollateral(json: unknown): CollateralPort {
  const bundle = collateralBundleSchema.parse(json)
  const intel = new Map(bundle.intel.map((entry) => [intelName(entry), entry.collateral]))
  const amd = new Map(bundle.amd.map((entry) => [entry.name, entry]))
  return {
    async intel(request) {
      const found = intel.get(intelName(request))
      if (found === undefined)
        throw unavailable('bundle.intel', `the bundle has none for ${intelName(request)}`)
      return found
    },
    async amd(request) {
      const found = amd.get(amdName(request))
      if (found === undefined)
        throw unavailable('bundle.amd', `the bundle has none for this ${request.line} chip`)
      const bytes = (hex: Hex) => hexToBytes(hex.slice(2))
      return { certificates: found.certificates.map(bytes), crl: bytes(found.crl) }
    },
  }
}

/**
 * Collects a bundle from another source.
 *
 * @param source for example a network source
 * @param requests what the bundle shall hold
 * @returns the bundle, as JSON
 */
export async function collectBundle(
  source: CollateralPort,
  requests: { readonly intel?: readonly IntelRequest[]; readonly amd?: readonly AmdRequest[] },
): Promise<CollateralBundle> {
  const bundle: CollateralBundle = { format: 'sealpool/collateral-bundle', version: 1, intel: [], amd: [] }
  for (const request of requests.intel ?? []) {
    const { tee, fmspc, ca } = request
    bundle.intel.push({ tee, fmspc, ca, collateral: await source.intel(request) })
  }
  const hex = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`
  for (const request of requests.amd ?? []) {
    const { certificates, crl }: AmdMaterial = await source.amd(request)
    bundle.amd.push({ name: amdName(request), certificates: certificates.map(hex), crl: hex(crl) })
  }
  return bundle
}
