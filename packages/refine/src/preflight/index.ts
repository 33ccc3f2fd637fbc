/**
 * Checks of an export on the contributor's own machine, before anything is sealed or sent: give them to `preflight` of `@sealpool/client`. They run
 * in browsers.
 *
 * @module
 */
export type { PreflightOptions } from './mapped-export.js'
export type {
  PiiCounts,
  PiiFindings,
  PiiInColumn,
  PiiInField,
  PiiPreflightOptions,
} from './pii-preflight.js'
export type {
  OnPreflightProgress,
  PreflightExport,
  PreflightFinding,
  PreflightProgress,
} from './preflight-finding.js'
export type { SchemaFault, SchemaFinding, SchemaPreflightOptions } from './schema-preflight.js'
export { piiPreflight, schemaPreflight } from './with-platform.js'
