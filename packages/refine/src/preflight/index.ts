/**
 * Checks of an export on the contributor's own machine, before anything is sealed or sent: give them to `preflight` of `@sealpool/client`. They run
 * in browsers.
 *
 * @module
 */
export type { PreflightOptions } from './mapped-export.js'
export {
  type PiiCounts,
  type PiiFindings,
  type PiiInColumn,
  type PiiInField,
  type PiiPreflightOptions,
  piiPreflight,
} from './pii-preflight.js'
export type {
  OnPreflightProgress,
  PreflightExport,
  PreflightFinding,
  PreflightProgress,
} from './preflight-finding.js'
export {
  type SchemaFault,
  type SchemaFinding,
  type SchemaPreflightOptions,
  schemaPreflight,
} from './schema-preflight.js'
