import { chainProblem } from '../encoding/certificate-chain.js'
import { revocationListProblem } from '../encoding/crl.js'
import { verifyP256 } from '../signature/p256.js'
import { rememberingSignatures, type SignatureMemory, type VerifySignature } from '../signature/port.js'
import { type CollateralChains, collateralChains } from './certificates.js'
import {
  type Collateral,
  parseCollateral,
  type QeIdentity,
  type SignedDocument,
  type TcbInfo,
} from './collateral.js'
import { parseQeIdentity } from './qe-identity.js'
import { parseTcbInfo } from './tcb-info.js'

/** Collateral that was read and whose signatures were checked once; made by {@link prepareCollateral} only. */
export interface PreparedCollateral {
  readonly format: 'prepared-collateral'
  /** What it was made from. */
  readonly collateral: Collateral
}

/** The signed documents of a collateral bundle. */
interface Documents {
  readonly info: SignedDocument<TcbInfo>
  readonly identity: SignedDocument<QeIdentity>
}

/** Where the checks of one quote take the collateral from. */
export interface CollateralSource {
  /** @throws AttestError when certificates or revocation lists cannot be read */
  readonly chains: () => CollateralChains
  /** @throws AttestError when TCB info or QE identity cannot be read */
  readonly documents: () => Documents
  /** Signatures that were checked before; only read. */
  readonly verified: SignatureMemory | undefined
}

const prepared = new WeakMap<PreparedCollateral, CollateralSource>()

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function prepareCollateral(
  collateral: Collateral,
  options: { readonly verifySignature?: VerifySignature } = {},
): PreparedCollateral {
  const copy = parseCollateral(collateral)
  const chains = collateralChains(copy)
  const documents: Documents = {
    info: parseTcbInfo(copy.tcbInfo),
    identity: parseQeIdentity(copy.qeIdentity),
  }
  const memory: SignatureMemory = new WeakMap()
  const verify = rememberingSignatures(options.verifySignature ?? verifyP256, memory)
  for (const { signer, root } of [chains.tcbInfo, chains.qeIdentity, chains.pckCrlIssuer]) {
    chainProblem([signer, root], verify)
  }
  revocationListProblem(chains.rootCrl, chains.pckCrlIssuer.root, verify)
  revocationListProblem(chains.pckCrl, chains.pckCrlIssuer.signer, verify)
  verify(chains.tcbInfo.signer.publicKey, documents.info.signed, documents.info.signature)
  verify(chains.qeIdentity.signer.publicKey, documents.identity.signed, documents.identity.signature)
  const handle: PreparedCollateral = Object.freeze({ format: 'prepared-collateral', collateral: copy })
  prepared.set(handle, { chains: () => chains, documents: () => documents, verified: memory })
  return handle
}

/** What was read of a collateral object before, with the texts it was read from. */
interface Reading {
  readonly texts: Collateral
  chains?: CollateralChains
  documents?: Documents
}

const readings = new WeakMap<object, Reading>()

/**
 * Reading is a pure function of the texts: an object whose texts are still the same need not be read again. What was read stays
 * the same objects, so that its signatures need not be checked again either (see `rememberingSignatures`).
 */
function readingOf(collateral: Collateral): Reading {
  const texts = parseCollateral(collateral)
  const known = readings.get(collateral)
  const names = Object.keys(texts) as (keyof Collateral)[]
  if (known !== undefined && names.every((name) => known.texts[name] === texts[name])) return known
  const reading: Reading = { texts }
  readings.set(collateral, reading)
  return reading
}

/**
 * @param collateral plain or prepared
 * @returns where its parts come from; nothing is read before it is asked for
 */
export function collateralSource(collateral: Collateral | PreparedCollateral): CollateralSource {
  const isObject = typeof collateral === 'object' && collateral !== null
  const known = isObject ? prepared.get(collateral as PreparedCollateral) : undefined
  if (known !== undefined) return known
  const plain = collateral as Collateral
  return {
    chains() {
      const reading = readingOf(plain)
      reading.chains ??= collateralChains(reading.texts)
      return reading.chains
    },
    documents() {
      const reading = readingOf(plain)
      const { tcbInfo, qeIdentity } = reading.texts
      reading.documents ??= { info: parseTcbInfo(tcbInfo), identity: parseQeIdentity(qeIdentity) }
      return reading.documents
    },
    verified: undefined,
  }
}
