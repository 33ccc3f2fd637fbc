/**
 * Measurements computed from what is launched, to be compared with what hardware has signed.
 *
 * @module
 */
export type { SnpKernel, SnpKernelHashes } from './kernel-hashes.js'
export { authenticodeDigest, qemuLoadedKernel } from './linux-kernel.js'
export { type Ovmf, type OvmfSection, parseOvmf } from './ovmf.js'
export { type SevLaunch, sevLaunchDigest } from './sev-launch-digest.js'
export { type SnpLaunch, snpLaunchDigest } from './snp-launch-digest.js'
export { type SvsmLaunch, svsmLaunchDigest } from './svsm-launch-digest.js'
export { type MemoryRange, type TdHobLayout, tdHobDigest, tdHobLayout } from './td-hob.js'
export {
  configurationVolumeDigest,
  parseTdvf,
  type Tdvf,
  type TdvfSection,
  tdxLaunchMeasurement,
} from './tdvf.js'
export { type TdxLaunch, type TdxLaunchRegisters, tdxLaunchRegisters } from './tdx-launch.js'
export {
  type AcpiDigests,
  type FirmwareEvents,
  type KernelEvents,
  tdxConfigurationRegister,
  tdxKernelRegisters,
} from './tdx-registers.js'
export { vcpuSignatures } from './vcpu.js'
export type { SnpVmm } from './vmsa.js'
