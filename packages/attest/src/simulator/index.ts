/**
 * A platform that does not exist: its own root of trust, certificates, collateral and TDX quotes in the byte layout of real
 * ones, verified by the same code as Intel's. Its root is refused by every default policy.
 *
 * @module
 */
export type { CollateralDefect } from './collateral-writer.js'
export { type QuoteDefect, type SimulatedQuote, simulatedMrTd } from './quote-writer.js'
export {
  createSimulator,
  exportSimulator,
  importSimulator,
  type Simulator,
  type SimulatorExport,
} from './simulator.js'
export { simulatorRootName } from './test-pki.js'
