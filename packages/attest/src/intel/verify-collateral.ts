import { chainProblem, validityProblem } from '../encoding/certificate-chain.js'
import { revocationListProblem } from '../encoding/crl.js'
import { verifyP256 } from '../signature/p256.js'
import { rememberingSignatures, type VerifySignature } from '../signature/port.js'
import { rootClaim } from '../trust-anchor/intel.js'
import { namedRoots } from '../trust-anchor/named-roots.js'
import { type Check, checkList, fail, pass, unless } from '../verdict/check-list.js'
import { momentSeconds } from '../verdict/moment.js'
import { type CollateralChains, intelNames, isTcbSigner } from './certificates.js'
import { type Collateral, parseCollateral } from './collateral.js'
import { iso, seconds, windowProblem } from './parts.js'
import { collateralSource } from './prepared-collateral.js'

/** Every question of {@link verifyCollateral}. */
export const collateralCheckTitles = {
  'root-trusted': 'All chains end in a trusted root',
  chains: 'The signers are certified by the root',
  lists: 'The revocation lists are authentic, and list no signer',
  names: 'The signers are Intel’s TCB signing key and a PCK CA by name and key usage',
  signatures: 'TCB info and QE identity are signed',
  pair: 'TCB info and QE identity are for one kind of TEE',
  current: 'Certificates, lists and documents are current',
} as const

/** What {@link verifyCollateral} found. */
export interface CollateralVerdict {
  readonly ok: boolean
  /** True when a chain ends in a root that is not Intel's pinned one. */
  readonly simulated: boolean
  readonly checks: readonly Check[]
  /** ISO; the earliest moment at which a part goes stale. */
  readonly nextUpdate: string
  /** What the collateral is about; its documents say so, whether or not their signatures hold. */
  readonly about: {
    /** Null when TCB info and QE identity are for two kinds of TEE. */
    readonly tee: 'tdx' | 'sgx' | null
    /** 6 bytes, lower-case hex. */
    readonly fmspc: string
    /** Which authority issued the PCK revocation list; null when it is neither. */
    readonly ca: 'platform' | 'processor' | null
  }
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyCollateral(
  collateral: Collateral,
  options: {
    readonly at: Date
    readonly trustedRoots?: readonly `sha256:${string}`[]
    readonly verifySignature?: VerifySignature
  },
): CollateralVerdict {
  const at = momentSeconds(options.at)
  const source = collateralSource(parseCollateral(collateral))
  const [chains, { info, identity }] = [source.chains(), source.documents()]
  const verify = rememberingSignatures(options.verifySignature ?? verifyP256)
  const checks = checkList(collateralCheckTitles)
  const all = [chains.tcbInfo, chains.qeIdentity, chains.pckCrlIssuer]
  checks.run('root-trusted', [], () => {
    const trusted = namedRoots(options.trustedRoots)
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
  checks.run('names', [], () => unless(namesProblem(chains), 'They are.'))
  const tee = teeOf(info.value.id, identity.value.id)
  checks.run('pair', [], () =>
    tee === null
      ? fail(`the TCB info is for ${info.value.id}, the identity is of ${identity.value.id}`)
      : pass(`${tee.toUpperCase()}.`),
  )
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
    ...all.flatMap(({ signer, root }) => [signer.notAfter, root.notAfter]),
    rootCrl.nextUpdate,
    pckCrl.nextUpdate,
    seconds(info.value.nextUpdate),
    seconds(identity.value.nextUpdate),
  ]
  const { commonName } = chains.pckCrlIssuer.signer
  const ca = (['platform', 'processor'] as const).find((_, i) => intelNames.authorities[i] === commonName)
  return {
    ok: checks.ok(),
    simulated: all.some(({ root }) => rootClaim(root).vendor !== 'intel'),
    checks: checks.list(),
    nextUpdate: iso(Math.min(...next)),
    about: { tee, fmspc: info.value.fmspc, ca: ca ?? null },
  }
}

function teeOf(info: string, identity: string): 'tdx' | 'sgx' | null {
  if (info === 'TDX' && identity === 'TD_QE') return 'tdx'
  return info === 'SGX' && identity === 'QE' ? 'sgx' : null
}

function namesProblem({ tcbInfo, qeIdentity, pckCrlIssuer }: CollateralChains): string | undefined {
  const stranger = [tcbInfo, qeIdentity].find(({ signer }) => !isTcbSigner(signer))?.signer
  if (stranger !== undefined) return `${stranger.commonName} is not a TCB signing certificate`
  const { commonName } = pckCrlIssuer.signer
  if (intelNames.authorities.some((name) => name === commonName)) return undefined
  return `${commonName} is neither the Platform nor the Processor CA by its name`
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
