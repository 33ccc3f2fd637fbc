/**
 * A platform that does not exist: its own root of trust, certificates, collateral and TDX quotes in the byte layout of real
 * ones, verified by the same code as Intel's. Its root is refused by every default policy.
 *
 * @module
 */
export {
  type AmdCertificateDefect,
  type AmdCrlDefect,
  type AmdSimulator,
  createAmdSimulator,
} from './amd-simulator.js'
export type { CollateralDefect } from './collateral-writer.js'
export {
  createGpuSimulator,
  type GpuSimulator,
  type SimulatedDstackGuest,
  simulatedDstackLog,
  simulatedGpuModel,
} from './gpu-simulator.js'
export { type QuoteDefect, type SimulatedQuote, simulatedMrTd } from './quote-writer.js'
export {
  createSimulator,
  exportSimulator,
  importSimulator,
  type Simulator,
  type SimulatorExport,
} from './simulator.js'
export type { SimulatedSnpReport, SnpReportDefect } from './snp-report-writer.js'
export { simulatorRootName } from './test-pki.js'
