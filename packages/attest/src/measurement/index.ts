/**
 * Measurements computed from what is launched, to be compared with what hardware has signed.
 *
 * @module
 */
export { type Ovmf, type OvmfSection, parseOvmf } from './ovmf.js'
export {
  type SnpKernel,
  type SnpKernelHashes,
  type SnpLaunch,
  snpLaunchDigest,
  vcpuSignatures,
} from './snp-launch-digest.js'
export type { SnpVmm } from './vmsa.js'
