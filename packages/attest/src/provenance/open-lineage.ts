import { AttestError } from '../errors.js'
import { itemName, namespaceOf, runId } from './names.js'
import type { Provenance, ProvenanceItem, ProvenanceStep } from './provenance.js'

/** A facet: what its producer says, and the schema of that. */
export type OpenLineageFacet = {
  readonly _producer: string
  readonly _schemaURL: string
  readonly [field: string]: unknown
}

/** A dataset of an event. */
export interface OpenLineageDataset {
  readonly namespace: string
  readonly name: string
  readonly facets: Readonly<Record<string, OpenLineageFacet>>
}

/** A run event of OpenLineage 2.0.2. */
export interface OpenLineageEvent {
  readonly eventType: 'START' | 'COMPLETE'
  readonly eventTime: string
  readonly producer: string
  readonly schemaURL: string
  readonly run: { readonly runId: string; readonly facets: Readonly<Record<string, OpenLineageFacet>> }
  readonly job: {
    readonly namespace: string
    readonly name: string
    readonly facets: Readonly<Record<string, OpenLineageFacet>>
  }
  readonly inputs: readonly OpenLineageDataset[]
  readonly outputs: readonly OpenLineageDataset[]
}

const eventSchema = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent'
const facetSchema = 'https://openlineage.io/spec/facets'
const ownSchema = 'https://github.com/sealpool/sealpool/blob/main/docs/formats/openlineage-facets-1.json'
const defaultProducer = 'https://github.com/sealpool/sealpool'

/**
 * A chain of provenance as OpenLineage events (specification 2.0.2), from the sources to the result: what a catalogue of lineage reads.
 * Datasets carry their digests as `version`; what the record says besides stands in facets `sealpool_record`, `sealpool_code` and
 * `sealpool_item`. No wallet is named. A record has one time, that of its end: the specification asks for a START of each run, which
 * has the same.
 *
 * Events are not signed: whoever gets them and doubts asks for the records, and walks himself.
 *
 * @param provenance from `walkBack`
 * @param options `producer`: URI of what makes the events
 * @returns the events; undefined for a chain with a gap, which must not pass for one without
 * @throws AttestError `BAD_ARGUMENT` for a producer that is no URI
 */
export function openLineageEvents(
  provenance: Provenance,
  options: { readonly producer?: string } = {},
): OpenLineageEvent[] | undefined {
  const { producer = defaultProducer } = options
  if (typeof producer !== 'string' || !URL.canParse(producer))
    throw new AttestError('BAD_ARGUMENT', 'producer', 'The producer is named by a URI')
  if (!provenance.complete) return undefined
  const namespace = namespaceOf(provenance)
  const facet = (schemaUrl: string, fields: object): OpenLineageFacet => ({
    _producer: producer,
    _schemaURL: schemaUrl,
    ...fields,
  })
  const dataset = (item: ProvenanceItem): OpenLineageDataset => ({
    namespace,
    name: itemName(item),
    facets: {
      version: facet(
        `${facetSchema}/1-0-0/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet`,
        {
          datasetVersion: item.digest,
        },
      ),
      sealpool_item: facet(`${ownSchema}#/$defs/SealpoolItemDatasetFacet`, {
        kind: item.kind,
        digest: item.digest,
      }),
    },
  })
  const event = (step: ProvenanceStep, eventType: OpenLineageEvent['eventType']): OpenLineageEvent => ({
    eventType,
    eventTime: step.at,
    producer,
    schemaURL: eventSchema,
    run: {
      runId: runId(step.record),
      facets: {
        sealpool_record: facet(`${ownSchema}#/$defs/SealpoolRecordRunFacet`, {
          record: step.record,
          names: step.names,
          simulated: provenance.simulated,
        }),
      },
    },
    job: {
      namespace,
      // The same code is the same job, run after run; a query's code is its plan.
      name: [step.pool?.toLowerCase(), step.kind, step.code ?? step.names['plan']]
        .filter((part) => part !== undefined)
        .join('/'),
      facets: {
        jobType: facet(`${facetSchema}/2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet`, {
          processingType: 'BATCH',
          integration: 'SEALPOOL',
          jobType: step.kind.toUpperCase(),
        }),
        ...(step.code === null
          ? {}
          : { sealpool_code: facet(`${ownSchema}#/$defs/SealpoolCodeJobFacet`, { digest: step.code }) }),
      },
    },
    inputs: step.inputs.map(dataset),
    outputs: step.outputs.map(dataset),
  })
  return provenance.steps.flatMap((step) => [event(step, 'START'), event(step, 'COMPLETE')])
}
