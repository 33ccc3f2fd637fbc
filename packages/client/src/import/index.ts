/**
 * Contributions from a personal server: a data-portability grant is verified, the export that it allows is read, and contributed.
 *
 * @module
 */
import { platformRandom } from '@sealpool/crypto'
import { platformNow } from '../platform.js'
import { type ImportedContribution, type ImportOptions, importWith } from './import-contribution.js'
import { limitedGet } from './limited-get.js'
import { type ImportedExport, type ReadExportOptions, readExportWith } from './read-export.js'
import { type GrantDemand, type GrantVerdict, verifyGrantAt } from './verify-grant.js'

export { contractSignature, type VerifyContractSignature } from './contract-signature.js'
export { gatewayGrantStatus } from './gateway-grant-status.js'
export type { ImportedContribution, ImportOptions } from './import-contribution.js'
export {
  type GrantRegistry,
  grantTypedData,
  grantTypes,
  type PortabilityGrant,
  parseGrant,
} from './portability-grant.js'
export type { ImportedExport, ImportProvenance, ReadExportOptions, TakenPart } from './read-export.js'
export { coversScope, isScope } from './scope.js'
export type { RequestOptions } from './server-answer.js'
export type { GrantCheck, GrantDemand, GrantStatus, GrantStatusPort, GrantVerdict } from './verify-grant.js'

/**
 * Verifies a grant: signature (of a plain key, or of a contract wallet that is asked), whose data, for whom, scope, expiry, and whether it was
 * revoked or replaced. Nothing is read.
 *
 * @param demand the grant, and what it must say; `now`: default the platform's clock
 * @returns the checks; a no is an answer, and what was not checked is not ok
 * @throws ClientError `OPTION_INVALID` for a scope that is none; the signal's reason
 */
export function verifyGrant(
  demand: Omit<GrantDemand, 'now'> & { readonly now?: () => Date },
): Promise<GrantVerdict> {
  return verifyGrantAt({ now: platformNow, ...demand })
}

/**
 * Verifies a grant and reads the export that it allows from a personal server. The server is asked nothing when the grant does not hold.
 *
 * @param options the grant and what it must say, the server, the reader
 * @returns the bytes to contribute, and where they came from
 * @throws ClientError before anything is asked of the server: `OPTION_INVALID`, `ACCOUNT_REQUIRED`, `GRANT_NOT_SIGNED`, `GRANT_OF_ANOTHER`,
 *   `GRANT_SCOPE`, `GRANT_EXPIRED`, `GRANT_REVOKED`, `GRANT_SUPERSEDED`, `GRANT_STATUS_UNKNOWN`; by the server's answer: the same where it says so,
 *   `IMPORT_UNREACHABLE`, `IMPORT_REFUSED`, `IMPORT_INVALID`; the signal's reason
 */
export function readExport(options: ReadExportOptions): Promise<ImportedExport> {
  return readExportWith({ now: platformNow, random: platformRandom, ...options, get: limitedGet })
}

/**
 * Reads an export from a personal server as {@link readExport} does, and contributes it as `contribute` does. The grant must be of the account
 * that contributes unless `grantor` names another.
 *
 * @param options the grant, the server, the client and what is contributed besides
 * @returns the contribution, and where its content came from
 * @throws ClientError as {@link readExport} before anything is sealed, and as `Contributor.contribute`
 */
export function importContribution(options: ImportOptions): Promise<ImportedContribution> {
  return importWith({ now: platformNow, random: platformRandom, ...options, get: limitedGet })
}
