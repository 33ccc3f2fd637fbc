import { type Abi, parseAbi } from 'viem'
import { permitErrorSignatures } from '../abi/error-signatures.js'
import { ContractsError } from '../errors.js'
import { ownErrors, toContractsError } from './transaction.js'

/**
 * What to do about an error that only who gives or redeems permits, or carries out a vote about them, can meet; by name of the
 * Solidity error. Apart from `advice`, so that other pages do not carry it.
 */
export const permitAdvice: Readonly<Record<string, string>> = {
  GrantOfVoteStands:
    'A vote gave this grantee a grant that is not over, or revoked one: only another vote changes it.',
  IssuerNotAppointed:
    'The pool appointed nobody of this number for this digest, or the appointment is over: ask for a newer permit.',
  OnlyGrantee: 'Only the grantee that the permit names redeems it.',
  PermitAlreadyRedeemed: 'A permit is redeemed once: ask the issuer for another one.',
  PermitIsRevoked: 'The issuer, or a vote, revoked the permit: ask for another one.',
  PermitOutsideWindow: 'The permit opens earlier or closes later than the vote allows its issuer.',
  PermitRunsExceeded: 'The issuer has fewer runs left to give away: see getAppointment.',
  PermitScopeOther: 'The permit has another scope than the vote gave its issuer.',
  PermitSignatureInvalid: 'The issuer did not sign exactly these fields, chain and contract.',
  PermitTooCheap: 'The permit asks less for a run than the vote lets its issuer ask.',
}

/** @returns every error of our contracts: those of permits are not among the ones that every page decodes */
export function permitErrors(): Abi {
  const ofPermits = permitErrorSignatures.split('\n').map((signature) => `error ${signature}`)
  return [...ownErrors(), ...parseAbi(ofPermits)]
}

/**
 * Runs a call in which permits may be refused; its failure comes with the advice above.
 *
 * @throws {ContractsError}
 */
export async function advised<Result>(place: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (cause) {
    const error = toContractsError(place, cause, permitErrors())
    const { code, revert } = error
    const hint = revert === undefined ? undefined : permitAdvice[revert.name]
    if (revert === undefined || hint === undefined) throw error
    const text = `${revert.name}(${revert.args.map(String).join(', ')}). ${hint}`
    throw new ContractsError(code, place, text, { cause: error.cause, revert })
  }
}
