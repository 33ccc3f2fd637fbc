import { readFileSync } from 'node:fs'
import { digestOf } from '@sealpool/crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { chain, pools } from '../testing/provenance-fixture.js'
import { openLineageEvents } from './open-lineage.js'
import { walkBack } from './walk-back.js'

/*
 * The form of a run event, after the specification (OpenLineage 2.0.2, https://openlineage.io/spec/2-0-2/OpenLineage.json) in
 * words of our own: what it requires, and of what type. It allows more fields anywhere; here none is allowed that it does not know, so
 * that a misspelt one is found.
 */
const uri = { type: 'string', format: 'uri' }
const facets = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    properties: { _producer: uri, _schemaURL: uri },
    required: ['_producer', '_schemaURL'],
  },
}
const named = (required: string[], properties: object) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties: { ...properties, facets },
})
const place = { namespace: { type: 'string', minLength: 1 }, name: { type: 'string', minLength: 1 } }
const datasets = { type: 'array', items: named(['namespace', 'name'], place) }
const runEvent = {
  type: 'object',
  additionalProperties: false,
  required: ['eventTime', 'producer', 'schemaURL', 'run', 'job'],
  properties: {
    eventType: { enum: ['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER'] },
    eventTime: { type: 'string', format: 'date-time' },
    producer: uri,
    schemaURL: { const: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent' },
    run: named(['runId'], { runId: { type: 'string', format: 'uuid' } }),
    job: named(['namespace', 'name'], place),
    inputs: datasets,
    outputs: datasets,
  },
}
/** The standard facets that are used, with what the specification requires of each. */
const standard: Readonly<Record<string, object>> = {
  'https://openlineage.io/spec/facets/1-0-0/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet':
    {
      type: 'object',
      properties: { datasetVersion: { type: 'string' } },
      required: ['datasetVersion'],
    },
  'https://openlineage.io/spec/facets/2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet': {
    type: 'object',
    properties: { processingType: { enum: ['BATCH', 'STREAMING'] }, integration: { type: 'string' } },
    required: ['processingType', 'integration'],
  },
}

const own: { readonly $id: string; readonly $defs: object } = JSON.parse(
  readFileSync(new URL('../../../../docs/formats/openlineage-facets-1.json', import.meta.url), 'utf8'),
)
const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema(own)
const isRunEvent = ajv.compile(runEvent)

const events = (kind: 'query' | 'compute' = 'query', options: { producer?: string } = {}) =>
  openLineageEvents(walkBack(chain(kind).options), options) ?? []
const facetsOf = (event: ReturnType<typeof events>[number]) =>
  [event.run, event.job, ...event.inputs, ...event.outputs].flatMap(({ facets: all }) => Object.entries(all))

describe('a chain as OpenLineage events', () => {
  it.each(['query', 'compute'] as const)('of a %s has the form of the specification', (kind) => {
    const all = events(kind)
    expect(all.length).toBe(2 * walkBack(chain(kind).options).steps.length)
    for (const event of all) {
      expect(isRunEvent(event), JSON.stringify(isRunEvent.errors)).toBe(true)
      expect(JSON.parse(JSON.stringify(event))).toEqual(event)
    }
  })

  it('has facets that follow the schema that they name, and custom ones by the pattern for names', () => {
    const seen = new Set<string>()
    for (const [name, facet] of events('compute').flatMap(facetsOf)) {
      const { _schemaURL: url } = facet
      const judge = standard[url] === undefined ? ajv.getSchema(url) : ajv.compile(standard[url])
      expect(judge?.(facet), `${name} ${JSON.stringify(judge?.errors)}`).toBe(true)
      seen.add(url)
      if (standard[url] === undefined) {
        const [, part] = /^sealpool_([a-z]+)$/.exec(name) ?? []
        const pascal = `${part?.charAt(0).toUpperCase()}${part?.slice(1)}`
        expect(url.startsWith(`${own.$id}#/$defs/Sealpool${pascal}`)).toBe(true)
      }
    }
    expect(seen.size).toBe(5)
  })

  it('is refused by that form when something is wrong with it', () => {
    const [event] = events()
    expect(isRunEvent(event)).toBe(true)
    for (const change of [
      { eventTime: 'yesterday' },
      { producer: 'nobody' },
      { run: { ...event?.run, runId: '7' } },
      { job: { name: 'x' } },
      { outputs: [{ ...event?.outputs[0], facets: { version: { datasetVersion: 'x' } } }] },
      { input: [] },
    ])
      expect(isRunEvent({ ...event, ...change }), JSON.stringify(change)).toBe(false)
    expect(
      ajv.getSchema(`${own.$id}#/$defs/SealpoolItemDatasetFacet`)?.({ kind: 'rows', digest: 'sha256:7' }),
    ).toBe(false)
  })

  it('starts and completes each run, one run for each record', () => {
    const all = events()
    expect(all.map(({ eventType }) => eventType)).toEqual(
      all.map((_, i) => (i % 2 === 0 ? 'START' : 'COMPLETE')),
    )
    const runs = new Set(all.map(({ run }) => run.runId))
    expect(runs.size).toBe(all.length / 2)
    for (const run of runs)
      expect(run).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('joins by names: each input of a run is an output of an earlier one, down to the sources', () => {
    const made = new Set<string>()
    const sources: string[] = []
    for (const { inputs, outputs, eventType } of events()) {
      for (const { namespace, name } of inputs)
        if (!made.has(`${namespace} ${name}`) && eventType === 'COMPLETE') sources.push(name)
      if (eventType === 'COMPLETE')
        for (const { namespace, name } of outputs) made.add(`${namespace} ${name}`)
    }
    expect(sources).toHaveLength(6)
    for (const name of sources) expect(name).toMatch(/^0x[0-9a-f]{40}\/source\/sha256:[0-9a-f]{64}$/)
  })

  it('carries the digest of each dataset as its version, and the codes of jobs', () => {
    const last = events('compute').at(-1)
    expect(last?.outputs[0]?.facets['version']).toMatchObject({
      datasetVersion: chain('compute').options.result,
    })
    expect(last?.job.facets['sealpool_code']).toMatchObject({ digest: digestOf('code') })
    expect(last?.run.facets['sealpool_record']).toMatchObject({ simulated: true })
    expect(last?.job.name).toBe(`compute/${digestOf('code')}`)
    // A query's code is its plan.
    const { plan } = chain().body
    expect(events().at(-1)?.job.name).toBe(`query/${plan}`)
    expect(events().at(-1)?.job.facets['sealpool_code']).toBeUndefined()
  })

  it('names no wallet', () => {
    expect(JSON.stringify(events())).not.toContain(chain().body.job.consumer)
    expect(JSON.stringify(events())).toContain(pools[0])
  })

  it('names who makes the events, when asked', () => {
    const producer = 'https://example.com/catalogue'
    for (const event of events('query', { producer })) {
      expect(event.producer).toBe(producer)
      for (const [, facet] of facetsOf(event)) expect(facet._producer).toBe(producer)
    }
    expect(() => events('query', { producer: 'nobody' })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    )
  })

  it('is not given for a chain with a gap', () => {
    expect(openLineageEvents(walkBack({ ...chain().options, parents: [] }))).toBeUndefined()
  })
})

describe('the schema of our facets', () => {
  it('is what was published under its number: a change of meaning needs another file', () => {
    expect(digestOf(own as never)).toMatchInlineSnapshot(
      `"sha256:e1c531689cd618faf62bfba036d789e960f38163009083a79463e1518f816c7e"`,
    )
  })
})
