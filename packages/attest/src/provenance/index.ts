/**
 * Provenance: from a result back to the contributions that went into it, each link a digest that a signed statement names, and the
 * chain as OpenLineage events for catalogues of lineage, or as PROV-O for tools that read RDF.
 *
 * @module
 */
export {
  type OpenLineageDataset,
  type OpenLineageEvent,
  type OpenLineageFacet,
  openLineageEvents,
} from './open-lineage.js'
export { type ProvDocument, type ProvNode, provDocument } from './prov-o.js'
export type {
  Provenance,
  ProvenanceGap,
  ProvenanceGapCode,
  ProvenanceItem,
  ProvenanceStep,
} from './provenance.js'
export {
  type ContributionRecord,
  type ProvenanceRecords,
  provenanceRecordsSchema,
  type RefinementRecord,
  type VerdictRecord,
} from './records.js'
export { type WalkBackOptions, walkBack } from './walk-back.js'
