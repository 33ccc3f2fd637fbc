import type { RevocationList } from '../encoding/crl.js'
import type { Certificate } from '../encoding/x509.js'
import type { VerifySignature } from '../signature/port.js'
import type { CheckList } from '../verdict/check-list.js'
import type { SnpReport } from './report.js'
import type { VekFacts } from './vek-extensions.js'
import type { VerifySnpReportOptions } from './verify.js'

/** Every question that `verifySnpReport` asks, in the order of the verdict. */
export const snpCheckTitles = {
  'report-form': 'The report is a canonical one: ECDSA P-384, known policy bits, reserved bytes zero',
  'trailing-bytes': 'Nothing follows the report but padding',
  certificates: 'The endorsement key’s certificate, its issuer and the root can be read',
  'root-trusted': 'The chain ends in a trusted root',
  'vek-chain': 'The endorsement key’s certificate is signed up to the root',
  'certificate-dates': 'All certificates are in date',
  crl: 'The revocation list is signed by the root',
  'crl-dates': 'The revocation list is current',
  'not-revoked': 'No certificate is revoked',
  product: 'Report, certificates and root are of one line of processors',
  'signing-key': 'The report is signed by the kind of key that it names',
  'report-signature': 'The report is signed by the endorsement key',
  'chip-id': 'The endorsement key is the one of the chip that the report names',
  'tcb-match': 'The endorsement key is the one of the TCB that the report states',
  'tcb-order': 'The reported and the committed TCB are not above the current one',
} as const

/** The parts that the checks hand on to each other; a part is there only once it could be read. */
export interface Parts {
  vek?: Certificate
  facts?: VekFacts
  authority?: Certificate
  root?: Certificate
  crl?: RevocationList
}

/** What the checks of certificates and revocation list work on; no report is needed for them. */
export interface ChainQuestion {
  readonly options: Pick<VerifySnpReportOptions, 'certificates' | 'crl' | 'trustedRoots'>
  readonly checks: CheckList
  readonly parts: Parts
  readonly verify: VerifySignature
  /** Unix seconds. */
  readonly at: number
}

/** What every group of checks works on. */
export interface Question extends ChainQuestion {
  readonly report: SnpReport
  readonly options: VerifySnpReportOptions
}

/** A part that an earlier, passed check has put there. */
export function need<K extends keyof Parts>(parts: Parts, name: K): NonNullable<Parts[K]> {
  const part = parts[name]
  if (part === undefined) throw new Error(`a check forgot that it needs ${name}`)
  return part as NonNullable<Parts[K]>
}
