/**
 * The GPUs of this guest: how their driver says that they are set, and what vouches for them.
 * @module
 */
import type { GpuEvidence } from '@sealpool/attest'
import type { GpuMode } from '@sealpool/attest/platform-evidence'

/** What talks to the GPUs of this machine. */
export interface GpuDriver {
  /** How they are set now. @throws NodeError `QUOTE_FAILED` */
  mode(): Promise<GpuMode>
  /**
   * Asks them, and NVIDIA's service about what they say.
   * @param nonce 32 bytes
   * @returns JSON text of the service's token
   * @throws NodeError `QUOTE_FAILED`
   */
  token(nonce: Uint8Array): Promise<string>
}

/** GPUs that a guest can show beside its quotes. */
export interface GuestGpus {
  /**
   * Takes evidence of them now.
   * @param reportData 64 bytes, those of the quote beside which it is shown
   * @throws NodeError `QUOTE_FAILED`
   */
  evidence(reportData: Uint8Array): Promise<GpuEvidence>
}
