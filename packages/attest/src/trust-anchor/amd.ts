import { bytesToHex } from '../encoding/hex.js'
import type { Certificate } from '../encoding/x509.js'
import { sha256 } from '../signature/sha2.js'
import type { RootClaim } from '../verdict/verdict.js'

/** Lines of AMD EPYC processors with a key hierarchy of their own; Bergamo and Siena are certified under Genoa's. */
export type SnpProductLine = 'Milan' | 'Genoa' | 'Turin'

/** SHA-256 of the SubjectPublicKeyInfo of AMD's root keys (ARK), by product line. */
export const amdRootKeyDigests: Readonly<Record<SnpProductLine, `sha256:${string}`>> = {
  Milan: 'sha256:9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9',
  Genoa: 'sha256:429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831',
  Turin: 'sha256:4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08',
}

/** Every {@link SnpProductLine}. */
export const snpProductLines = ['Milan', 'Genoa', 'Turin'] as const satisfies readonly SnpProductLine[]

/**
 * The line that a root, an intermediate or a product name is of.
 *
 * @param name a common name such as `ARK-Milan` or a product name such as `Milan-B0`
 * @param prefix what stands before the line: `ARK-`, `SEV-`, `SEV-VLEK-` or nothing
 */
export function productLine(name: string, prefix = ''): SnpProductLine | undefined {
  return snpProductLines.find(
    (line) => name === `${prefix}${line}` || (prefix === '' && name.startsWith(`${line}-`)),
  )
}

/**
 * Describes a root and says whether it is AMD's: by key and by name of the same product line.
 *
 * @param root the self-signed certificate at the end of the chain
 * @returns its digests and the vendor, null when it is not a pinned one
 */
export function amdRootClaim(root: Certificate): RootClaim {
  const publicKey = `sha256:${root.spkiDigest}` as const
  const line = productLine(root.commonName, 'ARK-')
  return {
    commonName: root.commonName,
    certificate: `sha256:${bytesToHex(sha256(root.raw))}`,
    publicKey,
    vendor: line !== undefined && amdRootKeyDigests[line] === publicKey ? 'amd' : null,
  }
}
