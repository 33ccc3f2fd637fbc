import { type KdsOptions, kdsCertificates } from './kds.js'
import { type PcsOptions, pcsCollateral } from './pcs.js'
import type { CollateralPort } from './port.js'

/**
 * The source that asks Intel's PCS (or a PCCS) and AMD's KDS.
 *
 * @param options where the two services are and how to ask them
 * @returns a source that asks Intel and AMD over the network
 */
export function networkCollateral(
  options: { readonly pcs?: PcsOptions; readonly kds?: KdsOptions } = {},
): CollateralPort {
  return { intel: pcsCollateral(options.pcs), amd: kdsCertificates(options.kds) }
}
