/**
 * A check of an export on the contributor's own machine, before anything is sealed or sent: give it to `preflight` of `@sealpool/client`. It runs in
 * browsers.
 *
 * @module
 */
export { type PreflightExport, rememberExport } from './own-exports.js'
export type { RepeatedRows } from './repeated-rows.js'
export {
  type UniquenessFinding,
  type UniquenessPreflightOptions,
  uniquenessPreflight,
} from './uniqueness-preflight.js'
