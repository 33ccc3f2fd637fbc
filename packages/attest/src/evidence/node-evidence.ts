import {
  CryptoError,
  type Digest,
  decodeBase64Url,
  decodeHex,
  type Hex,
  type KeySet,
  parseKeySet,
  sha256Digest,
} from '@sealpool/crypto'
import { verifySnpReport } from '../amd/verify.js'
import { formatPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { type Collateral, collateralReader, hexBytes } from '../intel/collateral.js'
import { verifyQuote } from '../intel/verify.js'
import { type Appraisal, appraise } from '../policy/appraise.js'
import { type AttestationPolicy, parseAttestationPolicy } from '../policy/policy.js'
import {
  flag,
  hexText,
  oneOf,
  optional,
  type Reader,
  record,
  type Schema,
  ShapeError,
  schema,
  text,
} from '../shape/shape.js'
import type { VerifySignature } from '../signature/port.js'
import { type Check, checkList, fail, pass, unless } from '../verdict/check-list.js'
import type { Verdict } from '../verdict/verdict.js'
import { nodeReportData } from './report-data.js'

/** What a verifier needs besides an SEV-SNP report, as plain JSON. */
export type SnpCollateral = {
  /** PEM of VCEK or VLEK, its issuer and the root, in this order. */
  certificates: string
  /** DER of the root's revocation list. */
  crl: Hex
}

/** What a node in a TDX guest shows of itself, as plain JSON. */
export type TdxNodeEvidence = NodeEvidenceFields & {
  tee: 'tdx'
  collateral: Collateral
  /** Of the guest's GPUs, where it has any and was asked for them; judged by `appraiseNodeGpus`, and by nothing here. */
  gpu?: GpuEvidence
}

/** What a guest shows of its GPUs, as JSON texts. */
export type GpuEvidence = {
  /** dstack's event log of the guest, with the mode that it has recorded, as its agent gives it. */
  eventLog: string
  /** NVIDIA's token on the GPUs, asked with the nonce that follows from the quote's report data, see `gpuNonce`. */
  token: string
}

/** What a node in an SEV-SNP guest shows of itself, as plain JSON; `quote` is the attestation report. */
export type SnpNodeEvidence = NodeEvidenceFields & {
  tee: 'sev-snp'
  collateral: SnpCollateral
  /** Nothing in such a guest's hardware could hold the mode of its GPUs. */
  gpu?: never
}

/** What a node shows of itself, as plain JSON. */
export type NodeEvidence = TdxNodeEvidence | SnpNodeEvidence

type NodeEvidenceFields = {
  format: 'sealpool/node-evidence'
  version: 1
  /** base64url. */
  quote: string
  keySet: KeySet
  /** 32 bytes; zero when nobody asked. */
  nonce: Hex
  /** The node's own word; the verdict decides. */
  simulated: boolean
}

const keySet: Reader<KeySet> = (value, place) => {
  try {
    return parseKeySet(value)
  } catch (error) {
    if (error instanceof CryptoError) throw new ShapeError(place, 'expected a key set in its one form')
    throw error
  }
}

const fields = /* @__PURE__ */ (() => ({
  format: /* @__PURE__ */ oneOf(['sealpool/node-evidence']),
  version: /* @__PURE__ */ oneOf([1]),
  quote: /* @__PURE__ */ text({ max: 1 << 21 }),
  keySet,
  nonce: /* @__PURE__ */ hexText(32),
  simulated: flag,
}))()

const tdxEvidence = /* @__PURE__ */ (() =>
  record<TdxNodeEvidence>({
    ...fields,
    tee: oneOf(['tdx']),
    collateral: collateralReader,
    // A guest's log has some ten thousand characters, a token some six thousand for each of at most 64 devices.
    gpu: optional(record<GpuEvidence>({ eventLog: text(), token: text() })),
  }))()

const snpEvidence = /* @__PURE__ */ (() =>
  record<Omit<SnpNodeEvidence, 'gpu'>>({
    ...fields,
    tee: oneOf(['sev-snp']),
    collateral: record<SnpCollateral>({ certificates: text({ max: 1 << 16 }), crl: hexBytes }),
  }))()

const nodeEvidence: Reader<NodeEvidence> = (value, place) => {
  const isSnp = typeof value === 'object' && value !== null && 'tee' in value && value.tee === 'sev-snp'
  return isSnp ? snpEvidence(value, place) : tdxEvidence(value, place)
}

/** Schema of {@link NodeEvidence}; unknown fields are refused. */
export const nodeEvidenceSchema: Schema<NodeEvidence> = /* @__PURE__ */ schema(
  'BAD_EVIDENCE',
  'evidence',
  'Not node evidence',
  nodeEvidence,
)

/** Every question that {@link verifyNodeEvidence} asks besides those of `verifyQuote` or `verifySnpReport`. */
export const evidenceCheckTitles = {
  'collateral-form': 'Certificates and lists are in their one canonical form',
  'key-set': 'The quote’s report data is the digest of the node’s key set and the nonce',
  'simulated-flag': 'The node says itself whether it is simulated',
  'attestation-policy': 'The attestation policy allows this node',
} as const

const nonceTitle = { nonce: 'The evidence was made for the nonce that was asked' }

/** The answer about a node. */
export interface NodeEvidenceVerdict {
  /** True only when the quote verifies, the keys are bound to it and the policy allows it. */
  readonly ok: boolean
  readonly verdict: Verdict
  readonly appraisal: Appraisal
  readonly keySet: KeySet
  /** What the node shows of its GPUs, not judged here; null when it shows none. */
  readonly gpu: GpuEvidence | null
  /** SHA-256 of the quote's bytes. */
  readonly quoteDigest: Digest
  /** The quote's checks, then those of {@link evidenceCheckTitles}. */
  readonly checks: readonly Check[]
}

/**
 * Reads evidence of unknown origin.
 *
 * @param json any JSON value
 * @returns the evidence; nothing is verified here
 * @throws AttestError `BAD_EVIDENCE` with the first offending place
 */
export function parseNodeEvidence(json: unknown): NodeEvidence {
  return nodeEvidenceSchema.parse(json)
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyNodeEvidence(options: {
  readonly evidence: unknown
  readonly policy: AttestationPolicy
  readonly at: Date
  readonly nonce?: Hex
  readonly verifySignature?: VerifySignature
}): NodeEvidenceVerdict {
  const { at, nonce } = options
  const policy = parseAttestationPolicy(options.policy)
  const evidence = parseNodeEvidence(options.evidence)
  const quote = quoteBytes(evidence)
  const named = policy.roots.filter((root) => root !== 'intel' && root !== 'amd')
  const common = {
    at,
    trustedRoots: policy.allowSimulator ? named : [],
    ...(options.verifySignature === undefined ? {} : { verifySignature: options.verifySignature }),
  }
  const verdict =
    evidence.tee === 'tdx'
      ? verifyQuote(quote, { collateral: evidence.collateral, ...common })
      : verifySnpReport(quote, {
          certificates: evidence.collateral.certificates,
          crl: decodeHex(evidence.collateral.crl),
          ...common,
        })
  const appraisal = appraise(verdict, policy)
  const checks = checkList({ ...(nonce === undefined ? {} : nonceTitle), ...evidenceCheckTitles })
  checks.run('collateral-form', [], () => {
    return unless(formProblem(evidence), 'No byte of it could be written otherwise.')
  })
  checks.run('key-set', [], () => {
    const expected = nodeReportData(evidence.keySet, evidence.nonce)
    return sameBytes(decodeHex(verdict.claims.reportData), expected)
      ? pass(`Statements of this node are signed by ${evidence.keySet.statement.address}.`)
      : fail('the quote was made for another key set or another nonce')
  })
  if (nonce !== undefined) {
    checks.run('nonce', ['key-set'], () => {
      return nonce.toLowerCase() === evidence.nonce
        ? pass('It is fresh.')
        : fail('it was made for another nonce')
    })
  }
  checks.run('simulated-flag', [], () => {
    if (evidence.simulated !== verdict.simulated) return fail('the node says otherwise than its certificates')
    return pass(verdict.simulated ? 'It says SIMULATED.' : 'It says hardware.')
  })
  checks.run('attestation-policy', [], () => {
    if (appraisal.answer === 'allowed') return pass('Allowed.')
    return fail(`${appraisal.answer}: ${appraisal.reasons.join(' ')}`)
  })
  return {
    ok: verdict.ok && checks.ok(),
    verdict,
    appraisal,
    keySet: evidence.keySet,
    gpu: evidence.gpu ?? null,
    quoteDigest: sha256Digest(quote),
    checks: [...verdict.checks, ...checks.list()],
  }
}

function quoteBytes(evidence: NodeEvidence): Uint8Array {
  try {
    return decodeBase64Url(evidence.quote)
  } catch (cause) {
    throw new AttestError('BAD_EVIDENCE', 'evidence.quote', 'The quote is not base64url', { cause })
  }
}

/**
 * Certificates are signed, the PEM text around them is not: only one text may stand for them, or bytes of the evidence could
 * be changed without notice.
 */
function formProblem(evidence: NodeEvidence): string | undefined {
  const { collateral } = evidence
  const canonical = (text: string) => formatPemCertificates(parsePemCertificates(text)) === text
  if (!('certificates' in collateral)) {
    for (const name of ['tcbInfoIssuerChain', 'qeIdentityIssuerChain', 'pckCrlIssuerChain'] as const) {
      if (!canonical(collateral[name])) return `${name} is not written as PEM with 64-column lines and LF`
    }
    return undefined
  }
  const { certificates } = collateral
  if (!canonical(certificates)) return 'certificates is not written as PEM with 64-column lines and LF'
  const [vek, authority, root, ...others] = parsePemCertificates(certificates).map(parseCertificate)
  const ordered =
    vek !== undefined &&
    authority !== undefined &&
    root !== undefined &&
    sameBytes(vek.issuer, authority.subject) &&
    sameBytes(authority.issuer, root.subject)
  return ordered && others.length === 0
    ? undefined
    : 'certificates must be the endorsement key’s, its issuer’s and the root’s, in this order'
}
