/**
 * What a job's answer was made of, as a node tells it: with `walkBack` of `@sealpool/attest/provenance` the way from a result back to the
 * contributions, link by link.
 *
 * @module
 */
export { type JobLineage, type ReadLineageOptions, readLineage } from './read-lineage.js'
