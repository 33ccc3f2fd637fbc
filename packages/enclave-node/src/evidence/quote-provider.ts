/**
 * The port to the hardware (or what stands in for it) that vouches for the node.
 * @module
 */
import { type Collateral, type SnpCollateral, snpReportLength } from '@sealpool/attest'
import type { GuestGpus } from './guest-gpus.js'

/** Gives quotes over report data of the node's choice. */
export interface QuoteProvider {
  /** Name of the adapter for status pages. */
  readonly name: 'simulator' | 'configfs-tsm' | 'dstack'
  /** True when no hardware stands behind the quotes. */
  readonly simulated: boolean
  /**
   * Asks for a quote: of TDX, or a report of SEV-SNP.
   * @param reportData 64 bytes: digest of the key set, then a nonce
   * @throws NodeError `QUOTE_FAILED`
   */
  quote(reportData: Uint8Array): Promise<Uint8Array>
  /** GPUs that the machine can show beside its quotes; absent: none. */
  readonly gpus?: GuestGpus
  /** @returns what a verifier needs beside a quote, current now */
  collateral(quote: Uint8Array): Promise<Collateral | SnpCollateral>
}

/**
 * Which machine a quote is of: SEV-SNP reports have one length, TDX quotes are several times as long.
 * @param quote TDX quote or SEV-SNP report
 */
export function teeOf(quote: Uint8Array): 'tdx' | 'sev-snp' {
  return quote.length === snpReportLength ? 'sev-snp' : 'tdx'
}
