import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { chain, pools } from '../testing/provenance-fixture.js'
import { openLineageEvents } from './open-lineage.js'
import { provDocument } from './prov-o.js'
import { walkBack } from './walk-back.js'

const prov = 'http://www.w3.org/ns/prov#'
const type = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type'
const document = (kind: 'query' | 'compute' = 'query') => {
  const made = provDocument(walkBack(chain(kind).options))
  if (made === undefined) throw new Error('the fixture has a gap')
  return made
}

/** As far as it is used here; the package brings no types. */
interface JsonLd {
  toRDF(
    value: object,
    options: { documentLoader: () => Promise<never> },
  ): Promise<
    readonly {
      readonly subject: { readonly value: string }
      readonly predicate: { readonly value: string }
      readonly object: { readonly value: string; readonly datatype?: { readonly value: string } }
    }[]
  >
}
const jsonld: JsonLd = createRequire(import.meta.url)('jsonld')

interface Triple {
  readonly subject: string
  readonly predicate: string
  readonly object: string
  readonly datatype: string | undefined
}

/** Triples as another package reads them; nothing is fetched. */
async function triplesOf(value: object): Promise<readonly Triple[]> {
  const documentLoader = () => Promise.reject(new Error('fetched'))
  const quads = await jsonld.toRDF(value, { documentLoader })
  return quads.map(({ subject, predicate, object }) => ({
    subject: subject.value,
    predicate: predicate.value,
    object: object.value,
    datatype: object.datatype?.value,
  }))
}

/** What PROV-O says of the properties that are used: of what, and of which class or type they are. */
const properties: Readonly<Record<string, readonly [string, string]>> = {
  used: ['Activity', 'Entity'],
  wasGeneratedBy: ['Entity', 'Activity'],
  wasDerivedFrom: ['Entity', 'Entity'],
  wasAssociatedWith: ['Activity', 'Agent'],
  qualifiedAssociation: ['Activity', 'Association'],
  agent: ['Association', 'Agent'],
  hadPlan: ['Association', 'Plan'],
  endedAtTime: ['Activity', 'xsd:dateTime'],
  generatedAtTime: ['Entity', 'xsd:dateTime'],
}

/** What is wrong with triples as PROV-O, by its domains and ranges and the constraints of PROV that can be seen here. */
function faultsOf(triples: readonly Triple[]): string[] {
  const faults: string[] = []
  const classes = new Map<string, Set<string>>()
  for (const { subject, predicate, object } of triples)
    if (predicate === type) classes.set(subject, new Set(classes.get(subject)).add(object.slice(prov.length)))
  const used = triples.filter(({ predicate }) => predicate.startsWith(prov))
  const generated = new Map<string, string>()
  for (const { subject, predicate, object, datatype } of used) {
    const name = predicate.slice(prov.length)
    const [domain = '', range = ''] = properties[name] ?? []
    if (!classes.get(subject)?.has(domain)) faults.push(`${name} of no ${domain}`)
    if (range.startsWith('xsd:')) {
      if (
        datatype !== `http://www.w3.org/2001/XMLSchema#${range.slice(4)}` ||
        Number.isNaN(Date.parse(object))
      )
        faults.push(`${name} is no ${range}`)
    } else if (!classes.get(object)?.has(range)) faults.push(`${name} to no ${range}`)
    if (name === 'wasGeneratedBy') {
      if (generated.has(subject)) faults.push('generated twice')
      generated.set(subject, object)
    }
  }
  const endOf = (activity: string | undefined): number =>
    Date.parse(
      used.find(({ subject, predicate }) => subject === activity && predicate === `${prov}endedAtTime`)
        ?.object ?? '',
    )
  for (const { subject, predicate, object } of used)
    if (predicate === `${prov}used` && generated.has(object) && endOf(generated.get(object)) > endOf(subject))
      faults.push('used before it was there')
  return faults
}

describe('a chain as PROV-O', () => {
  it.each(['query', 'compute'] as const)(
    'of a %s is what PROV-O allows, read by another package',
    async (kind) => {
      const triples = await triplesOf(document(kind))
      expect(triples.length).toBeGreaterThan(100)
      expect(faultsOf(triples)).toEqual([])
      // Every property of ours and theirs came through as one.
      const terms = new Set(triples.map(({ predicate }) => predicate))
      for (const name of Object.keys(properties)) expect(terms).toContain(`${prov}${name}`)
    },
  )

  it('is refused by that when something is wrong with it', async () => {
    const { '@context': context, '@graph': graph } = document()
    const faults = async (change: (node: (typeof graph)[number]) => object) =>
      new Set(faultsOf(await triplesOf({ '@context': context, '@graph': graph.map(change) })))
    const activity = ({ '@type': kind }: (typeof graph)[number]) => kind === 'prov:Activity'
    expect(await faults((node) => (activity(node) ? { ...node, '@type': 'prov:Entity' } : node))).toContain(
      'used of no Activity',
    )
    expect(
      await faults((node) => (activity(node) ? { ...node, 'prov:used': 'urn:nobody' } : node)),
    ).toContain('used to no Entity')
    expect(await faults((node) => (activity(node) ? { ...node, 'prov:endedAtTime': 'x' } : node))).toContain(
      'endedAtTime is no xsd:dateTime',
    )
    expect(
      await faults((node) =>
        node['sealpool:kind'] === 'contribution' && activity(node)
          ? { ...node, 'prov:endedAtTime': '2999-01-01T00:00:00Z' }
          : node,
      ),
    ).toContain('used before it was there')
  })

  it('leads from the result to the sources by what was derived from what', async () => {
    const triples = await triplesOf(document())
    const { result } = chain().options
    const reached = new Set(triples.filter(({ object }) => object === result).map(({ subject }) => subject))
    for (const at of reached)
      for (const { subject, predicate, object } of triples)
        if (subject === at && predicate === `${prov}wasDerivedFrom`) reached.add(object)
    const sources = [...reached].filter((name) => name.includes('/source/'))
    expect(sources).toHaveLength(6)
    for (const name of sources) expect(name).toMatch(/0x[0-9a-f]{40}\/source\/sha256:[0-9a-f]{64}$/)
  })

  it('names what the OpenLineage events name, code as the plan, and no wallet', () => {
    const provenance = walkBack(chain('compute').options)
    const { '@graph': graph } = document('compute')
    const ids = new Set(graph.map((node) => node['@id']))
    for (const { inputs, outputs, run } of openLineageEvents(provenance) ?? []) {
      for (const { namespace, name } of [...inputs, ...outputs]) expect(ids).toContain(`${namespace}/${name}`)
      expect(ids).toContain(`urn:uuid:${run.runId}`)
    }
    const codes = provenance.steps.flatMap(({ code }) => (code === null ? [] : [code]))
    for (const code of codes)
      expect(graph.find((node) => node['sealpool:digest'] === code)?.['@type']).toContain('prov:Plan')
    expect(JSON.stringify(graph)).not.toContain(chain('compute').body.job.consumer)
    expect(JSON.stringify(graph)).toContain(pools[0])
  })

  it('is not given for a chain with a gap', () => {
    expect(provDocument(walkBack({ ...chain().options, parents: [] }))).toBeUndefined()
  })
})
