import { type Address, canonicalBytes, type Digest } from '@sealpool/crypto'

/** What a result belongs to; node and consumer bind the sealed result to the same. */
export interface ResultScope {
  readonly chainId: number
  /** Address of the NodeRegistry. */
  readonly registry: Address
  /** The job's number on chain, decimal. */
  readonly job: string
  /** Digest of the job's manifest. */
  readonly manifest: Digest
}

/**
 * HPKE info and associated data of a sealed result: a result of one job cannot be passed off as another's.
 *
 * @param scope the job
 * @returns both, for `hpkeSeal` and `hpkeOpen`
 */
export function resultSealContext(scope: ResultScope): {
  readonly info: Uint8Array
  readonly aad: Uint8Array
} {
  return {
    info: new TextEncoder().encode('sealpool/result/1'),
    aad: canonicalBytes({
      chainId: scope.chainId,
      registry: scope.registry.toLowerCase(),
      job: scope.job,
      manifest: scope.manifest,
    }),
  }
}
