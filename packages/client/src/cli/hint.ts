import { ContractsError } from '@sealpool/contracts'
import { CryptoError } from '@sealpool/crypto'
import { ClientError } from '../errors.js'

/**
 * What a person may type after an error that says what is so, and not what to do on the command line.
 *
 * @param error what a command threw
 * @returns a command line; undefined where the message says enough
 */
export function hintOf(error: unknown): string | undefined {
  if (error instanceof ClientError && error.code === 'RESULT_MISSING')
    return 'sealpool job <job> --wait 600, and once more'
  if (error instanceof CryptoError && error.code === 'NO_MATCHING_IDENTITY')
    return '--result-key-file with the file that result-key made for this job'
  if (error instanceof ContractsError && error.revert?.name === 'TransitionNotAllowed')
    return 'sealpool job <job>, which says in what state it is'
  // Too early, too late, or done before: the contract says so in numbers.
  if (error instanceof ContractsError && error.revert?.name === 'GovernorUnexpectedProposalState')
    return 'sealpool proposal <proposal-file>, which says in what state it is'
  return undefined
}
