import { bytesToHex } from '@noble/hashes/utils.js'
import { formatPemCertificates } from '../encoding/pem.js'
import { intelNames } from '../intel/certificates.js'
import type { Collateral } from '../intel/collateral.js'
import type { PckPlatform } from '../intel/pck-extension.js'
import { simulatedQeSigner, simulatedQeSvn, simulatedTeeTcbSvn } from './quote-writer.js'
import {
  makeRevocationList,
  publicKeyOf,
  type SimulatorCertificates,
  type SimulatorKeys,
  serialOf,
  signedResponse,
  simulatorRootName,
} from './test-pki.js'

/** What is wrong with simulated collateral. */
export type CollateralDefect =
  | 'crl-of-another-authority'
  | 'from-the-future'
  | 'revoked-authority'
  | 'revoked-pck'
  | 'revoked-tcb-signing'
  | 'sgx-tcb-info'
  | 'stale'
  | 'stale-crl'
  | 'tampered-crl'
  | 'tampered-qe-identity'
  | 'tampered-tcb-info'
  | 'tcb-revoked'
  | 'wrong-fmspc'
  | 'wrong-pce-id'

const day = 86_400

function iso(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().replace('.000Z', 'Z')
}

function components(svns: Iterable<number>) {
  return Array.from(svns, (svn) => ({ svn }))
}

/**
 * Writes collateral as Intel serves it: TCB info version 3, QE identity version 2, both revocation lists and issuer chains.
 *
 * @param input keys, certificates, platform, the moment (unix seconds) and, if wanted, one defect
 */
export function writeCollateral(input: {
  readonly keys: SimulatorKeys
  readonly certificates: SimulatorCertificates
  readonly platform: PckPlatform
  readonly at: number
  readonly defect?: CollateralDefect | undefined
}): Collateral {
  const { keys, certificates, platform, defect } = input
  const shift = defect === 'stale' ? -60 * day : defect === 'from-the-future' ? 60 * day : 0
  const issued = input.at + shift - 3600
  const dates = { issueDate: iso(issued), nextUpdate: iso(issued + 30 * day), tcbEvaluationDataNumber: 18 }
  const date = (daysAgo: number) => `${iso(input.at - daysAgo * day).slice(0, 10)}T00:00:00Z`
  const zeroes = '0'.repeat(96)
  const module = { mrsigner: zeroes, attributes: '0'.repeat(16), attributesMask: 'F'.repeat(16) }
  const level = (lateMicrocode: number, tcbStatus: string, tcbDate: string, advisoryIDs?: string[]) => ({
    tcb: {
      sgxtcbcomponents: components(platform.sgxComponents),
      pcesvn: platform.pceSvn,
      tdxtcbcomponents: components(
        simulatedTeeTcbSvn.map((svn, i) => (i === 2 ? lateMicrocode : i === 1 ? 0 : svn)),
      ),
    },
    tcbDate,
    tcbStatus,
    ...(advisoryIDs === undefined ? {} : { advisoryIDs }),
  })
  const tcbInfo = {
    id: defect === 'sgx-tcb-info' ? 'SGX' : 'TDX',
    version: 3,
    issueDate: dates.issueDate,
    nextUpdate: dates.nextUpdate,
    fmspc: defect === 'wrong-fmspc' ? '00906ED50000' : platform.fmspc.toUpperCase(),
    pceId: defect === 'wrong-pce-id' ? '0001' : platform.pceId,
    // Intel's own order of fields: the verifier on chain reads nothing else.
    tcbType: 0,
    tcbEvaluationDataNumber: dates.tcbEvaluationDataNumber,
    tdxModule: module,
    tdxModuleIdentities: [
      {
        id: 'TDX_01',
        ...module,
        tcbLevels: [
          { tcb: { isvsvn: simulatedTeeTcbSvn[0] ?? 0 }, tcbDate: date(60), tcbStatus: 'UpToDate' },
          { tcb: { isvsvn: 2 }, tcbDate: date(400), tcbStatus: 'OutOfDate', advisoryIDs: ['INTEL-SA-01036'] },
        ],
      },
    ],
    tcbLevels: [
      level(simulatedTeeTcbSvn[2] ?? 0, defect === 'tcb-revoked' ? 'Revoked' : 'UpToDate', date(60)),
      level(1, 'OutOfDate', date(400), ['INTEL-SA-01111']),
    ],
  }
  const qeIdentity = {
    id: 'TD_QE',
    version: 2,
    ...dates,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: bytesToHex(simulatedQeSigner).toUpperCase(),
    isvprodid: 2,
    tcbLevels: [{ tcb: { isvsvn: simulatedQeSvn }, tcbDate: date(60), tcbStatus: 'UpToDate' }],
  }
  const chain = (signer: Uint8Array) => formatPemCertificates([signer, certificates.root])
  const tampered = (text: string, when: CollateralDefect) =>
    defect === when ? text.replace('UpToDate', 'upToDate').replace('upToDate', 'Revoked') : text
  const lists = writeLists(input, issued)
  return {
    tcbInfo: tampered(signedResponse('tcbInfo', tcbInfo, keys.tcbSigning), 'tampered-tcb-info'),
    tcbInfoIssuerChain: chain(certificates.tcbSigning),
    qeIdentity: tampered(
      signedResponse('enclaveIdentity', qeIdentity, keys.tcbSigning),
      'tampered-qe-identity',
    ),
    qeIdentityIssuerChain: chain(certificates.tcbSigning),
    ...lists,
    pckCrlIssuerChain: chain(certificates.authority),
  }
}

function writeLists(
  input: Parameters<typeof writeCollateral>[0],
  issued: number,
): Pick<Collateral, 'rootCaCrl' | 'pckCrl'> {
  const { keys, defect } = input
  const serial = (privateKey: Uint8Array) => serialOf(publicKeyOf(privateKey))
  const revokedByRoot =
    defect === 'revoked-authority'
      ? [serial(keys.authority)]
      : defect === 'revoked-tcb-signing'
        ? [serial(keys.tcbSigning)]
        : []
  const thisUpdate = defect === 'stale-crl' ? issued - 60 * day : issued
  const dates = { thisUpdate, nextUpdate: thisUpdate + 30 * day }
  const authority = { commonName: intelNames.authorities[0], privateKey: keys.authority }
  const root = { commonName: simulatorRootName, privateKey: keys.root }
  const rootCrl = makeRevocationList({ ...dates, issuer: root, revoked: revokedByRoot })
  const pckCrl = makeRevocationList({
    ...dates,
    issuer: defect === 'crl-of-another-authority' ? root : authority,
    // A serial that nobody has keeps the list from being empty, as Intel's are not.
    revoked: [new Uint8Array(20).fill(0x77), ...(defect === 'revoked-pck' ? [serial(keys.pck)] : [])],
  })
  if (defect === 'tampered-crl') pckCrl[pckCrl.length - 1] = (pckCrl[pckCrl.length - 1] ?? 0) ^ 1
  return { rootCaCrl: `0x${bytesToHex(rootCrl)}`, pckCrl: `0x${bytesToHex(pckCrl)}` }
}
