import { bytesToHex } from '@noble/hashes/utils.js'
import { formatPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import type { Collateral } from '../intel/collateral.js'
import { get, type HttpAnswer, type HttpOptions } from './http.js'
import { type IntelRequest, unavailable } from './port.js'

/** Where to ask for Intel's collateral. */
export interface PcsOptions extends HttpOptions {
  /** Base URL up to the host: Intel's when absent, or a PCCS that serves the same paths. Browsers need a PCCS with CORS. */
  readonly baseUrl?: string
  /** Where the root's revocation list is; a PCCS serves it at `/sgx/certification/v4/rootcacrl`. */
  readonly rootCrlUrl?: string
  /** Early TCB levels, before Intel's grace for updates ends. */
  readonly update?: 'early' | 'standard'
  readonly tcbEvaluationDataNumber?: number
}

const intelHost = 'https://api.trustedservices.intel.com'
const intelRootCrl = 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der'

/**
 * Fetches collateral from Intel's Provisioning Certification Service, version 4, or from a PCCS. Documents are handed on byte
 * for byte, since only their exact text is signed.
 *
 * @param options where the service is and how to ask it
 * @returns a function that fetches the collateral for one request
 * @throws AttestError `COLLATERAL_UNAVAILABLE`; an FMSPC that Intel does not know is told as such
 */
export function pcsCollateral(options: PcsOptions = {}): (request: IntelRequest) => Promise<Collateral> {
  const base = options.baseUrl ?? intelHost
  return async ({ tee, fmspc, ca }) => {
    const api = (path: string, query: Readonly<Record<string, string>> = {}) => {
      const url = new URL(`${base.replace(/\/$/, '')}/${path}`)
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
      return url
    }
    const choice: Record<string, string> = {
      ...(options.update === undefined ? {} : { update: options.update }),
      ...(options.tcbEvaluationDataNumber === undefined
        ? {}
        : { tcbEvaluationDataNumber: String(options.tcbEvaluationDataNumber) }),
    }
    const rootCrl = new URL(
      options.rootCrlUrl ??
        (options.baseUrl === undefined ? intelRootCrl : api('sgx/certification/v4/rootcacrl').href),
    )
    const [info, identity, pckCrl, root] = await Promise.all([
      get(api(`${tee}/certification/v4/tcb`, { fmspc, ...choice }), options),
      get(api(`${tee}/certification/v4/qe/identity`, choice), options),
      get(api('sgx/certification/v4/pckcrl', { ca, encoding: 'der' }), options),
      get(rootCrl, options),
    ])
    if (info.status === 404) throw unavailable('pcs.tcb', `Intel knows no platform of FMSPC ${fmspc}`)
    return {
      tcbInfo: text(info, 'tcb'),
      tcbInfoIssuerChain: chain(info, ['tcb-info-issuer-chain', 'sgx-tcb-info-issuer-chain'], 'tcb'),
      qeIdentity: text(identity, 'qe/identity'),
      qeIdentityIssuerChain: chain(identity, ['sgx-enclave-identity-issuer-chain'], 'qe/identity'),
      rootCaCrl: list(root, 'rootcacrl'),
      pckCrl: list(pckCrl, 'pckcrl'),
      pckCrlIssuerChain: chain(pckCrl, ['sgx-pck-crl-issuer-chain'], 'pckcrl'),
    }
  }
}

function ok(answer: HttpAnswer, place: string): HttpAnswer {
  if (answer.status !== 200) throw unavailable(`pcs.${place}`, `the server answered ${answer.status}`)
  return answer
}

function text(answer: HttpAnswer, place: string): string {
  return new TextDecoder().decode(ok(answer, place).body)
}

/** Issuer chains travel in headers, percent-encoded; written here in the one canonical PEM form. */
function chain({ headers }: HttpAnswer, names: readonly string[], place: string): string {
  const value = names.map((name) => headers.get(name)).find((one) => one !== null)
  if (value === undefined || value === null) throw unavailable(`pcs.${place}`, 'the issuer chain is missing')
  try {
    return formatPemCertificates(parsePemCertificates(decodeURIComponent(value)))
  } catch (cause) {
    throw unavailable(`pcs.${place}`, 'the issuer chain cannot be read', cause)
  }
}

/** DER, or its hex as a PCCS serves the root's list. */
function list(answer: HttpAnswer, place: string): `0x${string}` {
  const { body } = ok(answer, place)
  // A list begins with 0x30; as hex text with the letter 3.
  if (body[0] !== 0x33) return `0x${bytesToHex(body)}`
  const hex = new TextDecoder().decode(body).trim()
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(hex)) throw unavailable(`pcs.${place}`, 'neither DER nor hex')
  return `0x${hex.toLowerCase()}`
}
