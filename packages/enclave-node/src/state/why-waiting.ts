/**
 * Why a contribution that was accepted waits, at the moment in which it becomes `recorded`: its pool may have changed its policy, or the texts that
 * count, while its verdict was on the way, or while it was withdrawn or off the chain.
 * @module
 */
import { consentChanged, consentChangedText, isConsented } from './consent-table.js'
import { isOfPolicy } from './of-policy.js'
import { policyChanged, policyChangedText } from './policy-table.js'

const column = (name: 'reason' | 'reason_text', becomes: string, policy: string, consent: string): string =>
  `${name} = case when not (${becomes}) then ${name}
     when not ${isOfPolicy} then '${policy}'
     when not ${isConsented} then '${consent}'
     when reason not in ('${policyChanged}', '${consentChanged}') then ${name} end`

/**
 * @param becomes SQL that is true of a row of `contributions` that becomes `recorded`
 * @returns assignments of an update of `contributions`, to its reason and the sentence: others than these two reasons stay as they are
 */
export function whyWaiting(becomes: string): string {
  return [
    column('reason', becomes, policyChanged, consentChanged),
    column('reason_text', becomes, policyChangedText, consentChangedText),
  ].join(',\n     ')
}
