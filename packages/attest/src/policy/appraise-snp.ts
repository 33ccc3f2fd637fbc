import type { SnpClaims } from '../amd/claims.js'
import { tcbShortfall } from '../amd/tcb-version.js'
import type { SnpRules } from './policy.js'
import { type Refusal, refusalsAbout } from './refusal.js'

/** Why rules refuse what an authentic SEV-SNP report says; empty when they do not. */
export function snpRefusals(claims: SnpClaims, rules: SnpRules | undefined): Refusal[] {
  if (rules === undefined) {
    const reason = 'The policy has no rules for SEV-SNP (snp), so that no minimum TCB is named.'
    return [{ about: 'hardware', reason }]
  }
  return [
    ...refusalsAbout('hardware', platformRefusals(claims, rules)),
    ...refusalsAbout('hardware', tcbRefusals(claims, rules)),
    ...refusalsAbout('configuration', guestRefusals(claims, rules)),
    ...refusalsAbout('instance-identity', identityRefusals(claims, rules)),
  ]
}

function platformRefusals(claims: SnpClaims, rules: SnpRules): string[] {
  const { product, platformInfo, mitigations } = claims
  const reasons: string[] = []
  const products = rules.products ?? ['Genoa', 'Bergamo-Siena', 'Turin']
  if (product === null || !products.includes(product)) {
    const why = product === 'Milan' ? ': its chip keys were extracted by software (arXiv 2605.12990)' : ''
    reasons.push(`The policy does not allow ${product ?? 'an unknown processor'}${why}.`)
  }
  if (!platformInfo.aliasCheckComplete && rules.allowMissingAliasCheck !== true) {
    reasons.push(
      'The firmware did not check for memory aliases (BadRAM), and allowMissingAliasCheck is not set.',
    )
  }
  if (rules.allowSmt === false && platformInfo.smt) reasons.push('Simultaneous multithreading is on.')
  if (rules.requiredMitigations !== undefined) {
    const needed = BigInt(rules.requiredMitigations)
    const missing = (vector: string | undefined) =>
      vector === undefined || (BigInt(vector) & needed) !== needed
    if (missing(mitigations?.launch))
      reasons.push('Mitigations that the policy requires were not there at launch.')
    if (missing(mitigations?.current)) reasons.push('Mitigations that the policy requires are not there now.')
  }
  return reasons
}

function tcbRefusals({ product, tcb, firmware }: SnpClaims, rules: SnpRules): string[] {
  const reasons: string[] = []
  const minimum = product === null ? undefined : rules.minimumTcb[product]
  if (tcb === null || minimum === undefined) {
    reasons.push(`The policy names no minimum TCB for ${product ?? 'an unknown processor'}.`)
  } else {
    const short = tcbShortfall(tcb.reported, minimum)
    if (short.length > 0) reasons.push(`Its TCB is below the policy’s minimum: ${short.join(', ')}.`)
    const provisional = tcbShortfall(tcb.committed, tcb.current)
    const versions = firmware.current !== firmware.committed
    if ((provisional.length > 0 || versions) && rules.allowProvisionalFirmware !== true) {
      reasons.push('Its firmware is provisional: the host can still go back to an older one.')
    }
  }
  if (rules.minimumFirmware !== undefined) {
    const has = firmware.committed.split('.').map(Number)
    const needs = rules.minimumFirmware
    const place = needs.findIndex((part, i) => part !== has[i])
    if (place >= 0 && (has[place] ?? 0) < (needs[place] ?? 0)) {
      reasons.push(`Its firmware is ${firmware.committed}, the policy asks for ${needs.join('.')} or later.`)
    }
  }
  return reasons
}

function guestRefusals(claims: SnpClaims, rules: SnpRules): string[] {
  const { guestPolicy, vmpl, guestSvn } = claims
  const reasons: string[] = []
  const level = rules.maximumVmpl ?? 0
  if (vmpl > level)
    reasons.push(`The report is of privilege level ${vmpl}, the policy allows up to ${level}.`)
  if (guestSvn < (rules.minimumGuestSvn ?? 0)) {
    reasons.push(`The guest’s SVN is ${guestSvn}, the policy asks for ${rules.minimumGuestSvn}.`)
  }
  if (guestPolicy.migrationAgent && rules.allowMigrationAgent !== true) {
    reasons.push('The guest may be moved by a migration agent.')
  }
  if (guestPolicy.cxl && rules.allowCxl !== true) reasons.push('The guest’s memory may be on CXL devices.')
  if (rules.allowSmt === false && guestPolicy.smt)
    reasons.push('The guest allows simultaneous multithreading.')
  for (const bit of rules.require ?? []) {
    if (!guestPolicy[bit]) reasons.push(`The guest’s policy does not demand ${bit}.`)
  }
  return reasons
}

function identityRefusals(claims: SnpClaims, rules: SnpRules): string[] {
  const reasons: string[] = []
  const { signingKey, chipId, cspId, familyId, imageId } = claims
  const outside = (allowed: readonly string[] | undefined, value: string | null) =>
    allowed !== undefined && (value === null || !allowed.includes(value))
  if (outside(rules.signingKeys, signingKey))
    reasons.push(`The policy does not allow a ${signingKey} to sign.`)
  if (signingKey === 'vlek' && outside(rules.cspIds, cspId))
    reasons.push('The policy does not allow this provider.')
  if (outside(rules.chipIds, chipId)) reasons.push('The policy does not name this chip.')
  if (outside(rules.familyIds, familyId)) reasons.push('The policy does not allow this family id.')
  if (outside(rules.imageIds, imageId)) reasons.push('The policy does not allow this image id.')
  return reasons
}
