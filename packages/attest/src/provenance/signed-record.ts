import {
  type Address,
  CryptoError,
  type JsonValue,
  parseSignedStatement,
  type SignedStatement,
} from '@sealpool/crypto'
import type { ReceiptDeployment } from '../receipt/consistency.js'
import { isSignedBy } from '../receipt/signed-by.js'
import { statementFormProblem } from '../receipt/statement-form.js'
import type { ProvenanceGapCode } from './provenance.js'

/** A gap as it is found. */
export class Gap extends Error {
  readonly code: ProvenanceGapCode
  constructor(code: ProvenanceGapCode) {
    super(code)
    this.code = code
  }
}

/** Whose statements count, and for what. */
export interface Trusted {
  readonly signers: readonly Address[]
  readonly deployment: ReceiptDeployment
}

/**
 * @param json a signed statement
 * @returns it, parsed; undefined for anything else
 */
export function statementOf(json: unknown): SignedStatement | undefined {
  try {
    const signed = parseSignedStatement(json as JsonValue)
    return statementFormProblem(json as SignedStatement) === undefined ? signed : undefined
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}

/**
 * @param signed a statement that was parsed, if it could be
 * @param kind type and version, for example `sealpool/receipt/1`
 * @param trusted whose word counts
 * @returns the statement
 * @throws Gap unless one of the signers made it for the deployment
 */
export function trustedStatement(
  signed: SignedStatement | undefined,
  kind: string,
  { signers, deployment }: Trusted,
): SignedStatement {
  if (signed === undefined || `${signed.statement.type}/${signed.statement.version}` !== kind)
    throw new Gap('STATEMENT_INVALID')
  if (!isSignedBy(signed, signed.signer)) throw new Gap('STATEMENT_INVALID')
  if (!signers.some((one) => one.toLowerCase() === signed.signer)) throw new Gap('SIGNER_UNKNOWN')
  const { chainId, registry } = signed.context
  if (chainId !== deployment.chainId || registry.toLowerCase() !== deployment.registry.toLowerCase())
    throw new Gap('DEPLOYMENT_OTHER')
  return signed
}
