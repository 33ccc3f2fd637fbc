import { chainProblem, validityProblem } from '../encoding/certificate-chain.js'
import { revocationListProblem } from '../encoding/crl.js'
import { AttestError } from '../errors.js'
import { verifyP256 } from '../signature/p256.js'
import { rememberingSignatures, type VerifySignature } from '../signature/port.js'
import { rootClaim } from '../trust-anchor/intel.js'
import { type Check, checkList, fail, pass, unless } from '../verdict/check-list.js'
import type { CollateralChains } from './certificates.js'
import { type Collateral, parseCollateral } from './collateral.js'
import { iso, seconds, windowProblem } from './parts.js'
import { collateralSource } from './prepared-collateral.js'

/** Every question of {@link verifyCollateral}. */
export const collateralCheckTitles = {
  'root-trusted': 'All chains end in a trusted root',
  chains: 'The signers are certified by the root',
  lists: 'The revocation lists are authentic, and list no signer',
  signatures: 'TCB info and QE identity are signed',
  current: 'Certificates, lists and documents are current',
} as const

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyCollateral(
  collateral: Collateral,
  options: {
    readonly at: Date
    readonly trustedRoots?: readonly `sha256:${string}`[]
    readonly verifySignature?: VerifySignature
  },
): { readonly ok: boolean; readonly checks: readonly Check[]; readonly nextUpdate: string } {
  const at = Math.floor(options.at.getTime() / 1000)
  if (!Number.isFinite(at))
    throw new AttestError('BAD_ARGUMENT', 'options.at', 'The time is not a valid date')
  const source = collateralSource(parseCollateral(collateral))
  const [chains, { info, identity }] = [source.chains(), source.documents()]
  const verify = rememberingSignatures(options.verifySignature ?? verifyP256)
  const checks = checkList(collateralCheckTitles)
  const all = [chains.tcbInfo, chains.qeIdentity, chains.pckCrlIssuer]
  checks.run('root-trusted', [], () => {
    const trusted = options.trustedRoots ?? []
    const stranger = all
      .map(({ root }) => rootClaim(root))
      .find(
        ({ vendor, certificate, publicKey }) =>
          vendor !== 'intel' && !trusted.includes(certificate) && !trusted.includes(publicKey),
      )
    return unless(stranger && `“${stranger.commonName}” is no trusted root`, 'All do.')
  })
  checks.run('chains', [], () =>
    unless(all.map(({ signer, root }) => chainProblem([signer, root], verify)).find(Boolean), 'All are.'),
  )
  checks.run('lists', ['chains'], () => listsAnswer(chains, verify))
  checks.run('signatures', ['chains'], () => {
    const signed = (
      [
        [chains.tcbInfo, info],
        [chains.qeIdentity, identity],
      ] as const
    ).every(([{ signer }, document]) => verify(signer.publicKey, document.signed, document.signature))
    return signed ? pass('Both are.') : fail('a document is not signed by its signer')
  })
  const { rootCrl, pckCrl } = chains
  checks.run('current', [], () =>
    unless(
      validityProblem(
        all.flatMap(({ signer, root }) => [signer, root]),
        at,
      ) ??
        windowProblem('root revocation list', rootCrl.thisUpdate, rootCrl.nextUpdate, at) ??
        windowProblem('PCK revocation list', pckCrl.thisUpdate, pckCrl.nextUpdate, at) ??
        windowProblem('TCB info', seconds(info.value.issueDate), seconds(info.value.nextUpdate), at) ??
        windowProblem(
          'QE identity',
          seconds(identity.value.issueDate),
          seconds(identity.value.nextUpdate),
          at,
        ),
      'All are.',
    ),
  )
  const next = [
    rootCrl.nextUpdate,
    pckCrl.nextUpdate,
    seconds(info.value.nextUpdate),
    seconds(identity.value.nextUpdate),
  ]
  return { ok: checks.ok(), checks: checks.list(), nextUpdate: iso(Math.min(...next)) }
}

function listsAnswer(chains: CollateralChains, verify: VerifySignature) {
  const { rootCrl, pckCrl, pckCrlIssuer, tcbInfo, qeIdentity } = chains
  const problem =
    revocationListProblem(rootCrl, pckCrlIssuer.root, verify) ??
    revocationListProblem(pckCrl, pckCrlIssuer.signer, verify)
  if (problem !== undefined) return fail(problem)
  const revoked = [tcbInfo, qeIdentity, pckCrlIssuer].find(({ signer }) => rootCrl.revoked.has(signer.serial))
  return revoked === undefined ? pass('They are.') : fail(`${revoked.signer.commonName} is revoked`)
}
