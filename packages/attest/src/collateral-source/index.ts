/**
 * Where collateral comes from: one port with adapters for an offline bundle, Intel's PCS or a PCCS, AMD's KDS, and a cache.
 * This is an edge: it talks to the network and reads the clock. Nothing that it gives is believed before it is verified.
 *
 * @module
 */
export {
  amdName,
  bundledCollateral,
  type CollateralBundle,
  collateralBundleSchema,
  collectBundle,
} from './bundle.js'
export { type CacheOptions, cachedCollateral } from './cache.js'
export type { HttpOptions } from './http.js'
export { type KdsOptions, kdsCertificates } from './kds.js'
export { networkCollateral } from './network.js'
export { type PcsOptions, pcsCollateral } from './pcs.js'
export {
  type AmdMaterial,
  type AmdRequest,
  amdRequest,
  type CollateralPort,
  type IntelRequest,
  intelRequest,
} from './port.js'
