import { bytesToHex } from '../encoding/hex.js'
import type { Certificate } from '../encoding/x509.js'
import { sha256 } from '../signature/sha2.js'
import type { RootClaim } from '../verdict/verdict.js'

/**
 * SHA-256 of the SubjectPublicKeyInfo of the Intel SGX Root CA. The key is pinned, not the certificate, because Intel has
 * published two encodings of it (valid to 2033 and to 2049).
 */
export const intelRootKeyDigest = 'sha256:a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e'

/** Subject common name of the pinned root. */
export const intelRootName = 'Intel SGX Root CA'

const claims = /* @__PURE__ */ new WeakMap<Certificate, RootClaim>()

/**
 * Describes a root and says whether it is Intel's: by key and by name, since test roots bear the name too.
 *
 * @param root the last certificate of a chain
 * @returns its digests and the vendor, null when it is not a pinned one
 */
export function rootClaim(root: Certificate): RootClaim {
  const known = claims.get(root)
  if (known !== undefined) return known
  const publicKey = `sha256:${root.spkiDigest}` as const
  const isIntel = publicKey === intelRootKeyDigest && root.commonName === intelRootName
  const claim: RootClaim = {
    commonName: root.commonName,
    certificate: `sha256:${bytesToHex(sha256(root.raw))}`,
    publicKey,
    vendor: isIntel ? 'intel' : null,
  }
  claims.set(root, claim)
  return claim
}
