import { itemName, namespaceOf, runId } from './names.js'
import type { Provenance, ProvenanceItem, ProvenanceStep } from './provenance.js'

/** A node of the graph: JSON-LD. */
export type ProvNode = { readonly '@id'?: string; readonly [term: string]: unknown }

/** A chain as PROV-O in JSON-LD, with its context inside: a reader fetches nothing. */
export interface ProvDocument {
  readonly '@context': { readonly [term: string]: unknown }
  readonly '@graph': readonly ProvNode[]
}

const vocabulary = 'https://sealpool.org/ns/provenance/v1#'
const reference = { '@type': '@id' } as const
const time = { '@type': 'xsd:dateTime' } as const
const context = {
  prov: 'http://www.w3.org/ns/prov#',
  rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
  sealpool: vocabulary,
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  'prov:agent': reference,
  'prov:endedAtTime': time,
  'prov:generatedAtTime': time,
  'prov:hadPlan': reference,
  'prov:used': reference,
  'prov:wasAssociatedWith': reference,
  'prov:wasDerivedFrom': reference,
  'prov:wasGeneratedBy': reference,
} as const

/**
 * A chain of provenance as PROV-O (W3C Recommendation of 2013-04-30) in JSON-LD, which every tool for RDF reads: items are entities with their
 * digests, steps are activities with the time of their end, approved code is the plan that the deployment's nodes followed. Names are those of
 * `openLineageEvents`: the same item has the same name in both. What the records say besides (policy, schema, plan, key set, quote) stands under
 * `sealpool:`. No wallet is named.
 *
 * The document is not signed: whoever gets it and doubts asks for the records, and walks himself.
 *
 * @param provenance from `walkBack`
 * @returns the document; undefined for a chain with a gap, which must not pass for one without
 */
export function provDocument(provenance: Provenance): ProvDocument | undefined {
  if (!provenance.complete) return undefined
  const namespace = namespaceOf(provenance)
  const idOf = (item: ProvenanceItem): string => `${namespace}/${itemName(item)}`
  const entities = new Map<string, ProvNode>()
  const add = (item: ProvenanceItem, made: object = {}): void => {
    const { kind, digest } = item
    const id = idOf(item)
    const known = entities.get(id) ?? {
      '@id': id,
      '@type': 'prov:Entity',
      'sealpool:kind': kind,
      'sealpool:digest': digest,
    }
    entities.set(id, { ...known, ...made })
  }
  const activities = provenance.steps.map((step): ProvNode => {
    const id = `urn:uuid:${runId(step.record)}`
    for (const item of step.inputs) add(item)
    for (const item of step.outputs)
      add(item, {
        'prov:wasGeneratedBy': id,
        'prov:generatedAtTime': step.at,
        'prov:wasDerivedFrom': step.inputs.map(idOf),
      })
    return {
      '@id': id,
      '@type': 'prov:Activity',
      'rdfs:label': step.kind,
      'prov:used': step.inputs.map(idOf),
      'prov:endedAtTime': step.at,
      'sealpool:kind': step.kind,
      'sealpool:record': step.record,
      'sealpool:simulated': provenance.simulated,
      ...Object.fromEntries(Object.entries(step.names).map(([name, digest]) => [`sealpool:${name}`, digest])),
      ...associationOf(step, namespace, entities),
    }
  })
  const nodes: ProvNode = {
    '@id': namespace,
    '@type': ['prov:Agent', 'prov:SoftwareAgent'],
    'rdfs:label': 'Nodes of the deployment',
  }
  return { '@context': context, '@graph': [nodes, ...entities.values(), ...activities] }
}

/** The code that a step followed, where it is known: as a plan among the entities, and who followed it. */
function associationOf({ code }: ProvenanceStep, namespace: string, entities: Map<string, ProvNode>): object {
  if (code === null) return {}
  const plan = `${namespace}/code/${code}`
  entities.set(plan, {
    '@id': plan,
    '@type': ['prov:Entity', 'prov:Plan'],
    'sealpool:kind': 'code',
    'sealpool:digest': code,
  })
  return {
    'prov:wasAssociatedWith': namespace,
    'prov:qualifiedAssociation': {
      '@type': 'prov:Association',
      'prov:agent': namespace,
      'prov:hadPlan': plan,
    },
  }
}
