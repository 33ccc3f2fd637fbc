import { digestOf, type JsonObject, type SignedStatement, statementDigest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import type { ReceiptBody } from '../receipt/receipt.js'
import {
  addresses,
  chain,
  contributionsOf,
  keys,
  namesOf,
  pools,
  refinementOf,
  sign,
  verdictOn,
  wordOn,
} from '../testing/provenance-fixture.js'
import type { ContributionRecord, VerdictRecord } from './records.js'
import { type WalkBackOptions, walkBack } from './walk-back.js'

const [first, second] = pools
const { options, body: receiptBody } = chain()
const words = wordOn(receiptBody)
/** The gaps of the chain with other records, as `code at place`. */
const gapsOf = (change: Partial<WalkBackOptions>) => {
  const { complete, gaps } = walkBack({ ...options, ...change })
  expect(complete).toBe(gaps.length === 0)
  return gaps.map(({ code, place }) => `${code} at ${place}`)
}
const otherReceipt = (change: (body: ReceiptBody) => ReceiptBody) => ({
  receipt: chain('query', change).options.receipt,
})
const contributions = (change: (list: readonly ContributionRecord[]) => readonly ContributionRecord[]) => ({
  contributions: { ...options.contributions, [first]: change(options.contributions?.[first] ?? []) },
})
const verdicts = (change: (list: readonly VerdictRecord[]) => readonly VerdictRecord[]) => ({
  verdicts: { ...options.verdicts, [first]: change(options.verdicts?.[first] ?? []) },
})
/** The chain with the refinements of the first pool replaced. */
const refinedBy = (...refinements: NonNullable<WalkBackOptions['refinements']>) => ({
  refinements: [...(options.refinements ?? []).slice(0, 1), ...refinements],
})

describe('a whole chain', () => {
  it('leads from the result to the digest of each contribution', () => {
    const { complete, gaps, inputs, steps, simulated } = walkBack(options)
    expect({ complete, gaps, simulated }).toEqual({ complete: true, gaps: [], simulated: true })
    expect(inputs).toEqual(
      [contributionsOf(first, ['2', '9', '10']), contributionsOf(second, ['1', '2', '3'])].flatMap(
        (list, i) => list.map(({ at: _, ...entry }) => ({ ...entry, pool: pools[i] })),
      ),
    )
    expect(steps.map(({ kind }) => kind).join(' ')).toBe(
      `${'contribution '.repeat(3)}${'judgement '.repeat(3)}refinement refinement ${'contribution '.repeat(3)}${'judgement '.repeat(3)}refinement query`,
    )
  })

  it('has each step take what an earlier one made, from the sources to the result', () => {
    const { steps } = walkBack(options)
    const key = (item: { readonly kind: string; readonly pool: string | null; readonly digest: string }) =>
      `${item.kind} ${item.pool} ${item.digest}`
    const made = new Set<string>()
    for (const { kind, inputs, outputs } of steps) {
      for (const input of inputs) if (kind !== 'contribution') expect(made).toContain(key(input))
      for (const output of outputs) made.add(key(output))
    }
    expect(steps.at(-1)?.outputs).toEqual([
      { kind: 'result', pool: null, name: options.result, digest: options.result },
    ])
    expect(steps.at(-1)?.inputs).toHaveLength(3)
  })

  it('names the code of each step, and what its record names besides', () => {
    const { steps } = walkBack(options)
    const codes = (kind: string) =>
      new Set(steps.filter((step) => step.kind === kind).map(({ code }) => code))
    expect(codes('contribution')).toEqual(new Set([null]))
    expect(codes('judgement')).toEqual(new Set([digestOf('poc')]))
    expect(codes('refinement')).toEqual(new Set([digestOf('refiner')]))
    expect(Object.keys(steps.at(-1)?.names ?? {})).toEqual(['manifest', 'plan', 'keySet', 'quote'])
    const { receipt } = options
    expect(steps.at(-1)?.record).toBe(
      statementDigest((receipt as { readonly statement: Parameters<typeof statementDigest>[0] }).statement),
    )
  })

  it('of a computation ends in a model, made by the code that the receipt names', () => {
    const { complete, steps } = walkBack(chain('compute').options)
    expect(complete).toBe(true)
    expect(steps.at(-1)).toMatchObject({
      kind: 'compute',
      code: digestOf('code'),
      outputs: [{ kind: 'model' }],
    })
  })

  it('holds with verdicts by their digests alone, which tell no code', () => {
    const bare = verdicts((list) => list.map(({ verdict, at }) => ({ verdict: digestOf(verdict), at })))
    const { complete, steps } = walkBack({ ...options, ...bare })
    expect(complete).toBe(true)
    const judged = steps.filter(({ kind, pool }) => kind === 'judgement' && pool === first)
    expect(judged.map(({ code }) => code)).toEqual([null, null, null])
  })

  it('leaves out refinements that it does not need, whoever signed them', () => {
    const more = [
      refinementOf(first, ['77'], { key: keys.stranger }),
      { statement: null, contributions: ['78'], at: '2026-11-18T10:00:00Z' },
      ...(options.refinements ?? []),
    ]
    expect(gapsOf({ refinements: more })).toEqual([])
    expect(walkBack({ ...options, refinements: more }).steps).toEqual(walkBack(options).steps)
  })

  it('is the same whether addresses are checksummed or not', () => {
    const registry = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
    const { deployment: _, ...rest } = walkBack(options)
    const signers = options.signers.map((one) => `0x${one.slice(2).toUpperCase()}` as const)
    expect(walkBack({ ...options, signers, deployment: { ...options.deployment, registry } })).toMatchObject(
      rest,
    )
  })

  it('is the same whichever letters its records are written in', () => {
    const upper = (address: string) => `0x${address.slice(2).toUpperCase()}` as const
    const judged = (options.verdicts?.[first] ?? []).with(0, verdictOn(first, '2', { pool: upper(first) }))
    const receipt = otherReceipt((body) => ({
      ...body,
      ...(body.handOff && { handOff: { ...body.handOff, node: upper(body.handOff.node) } }),
      pools: body.pools.map((pool, i) =>
        i === 0 ? { ...pool, ...namesOf(options.contributions?.[first] ?? [], judged) } : pool,
      ),
    }))
    expect(gapsOf({ ...receipt, verdicts: { ...options.verdicts, [first]: judged } })).toEqual([])
  })
})

describe('a gap is found where', () => {
  const strangers = sign('receipt', chain().body, { key: keys.stranger })
  const changed = structuredClone(options.receipt) as { statement: { body: { result: { digest: string } } } }
  changed.statement.body.result.digest = digestOf('another')
  const cases: readonly (readonly [string, Partial<WalkBackOptions>, readonly string[]])[] = [
    ['the receipt is missing', { receipt: undefined }, ['STATEMENT_INVALID at receipt']],
    ['it is another statement', { receipt: sign('work', {}) }, ['STATEMENT_INVALID at receipt']],
    ['it says something else than was signed', { receipt: changed }, ['STATEMENT_INVALID at receipt']],
    ['its body is none', { receipt: sign('receipt', { job: 7 }) }, ['STATEMENT_INVALID at receipt']],
    [
      'it names a pool twice',
      otherReceipt((body) => ({ ...body, pools: [...body.pools, ...body.pools] })),
      ['STATEMENT_INVALID at receipt'],
    ],
    [
      'it names a pool twice, in other letters',
      otherReceipt((body) => ({
        ...body,
        pools: [
          ...body.pools,
          ...body.pools.map((pool) => ({ ...pool, pool: `0x${pool.pool.slice(2).toUpperCase()}` as const })),
        ],
      })),
      ['STATEMENT_INVALID at receipt'],
    ],
    ['it names no pool', otherReceipt((body) => ({ ...body, pools: [] })), ['STATEMENT_INVALID at receipt']],
    ['a stranger signed it', { receipt: strangers }, ['SIGNER_UNKNOWN at receipt']],
    ['nobody is trusted', { signers: [] }, ['SIGNER_UNKNOWN at receipt']],
    [
      'it is of another chain',
      { deployment: { ...options.deployment, chainId: 1 } },
      ['DEPLOYMENT_OTHER at receipt'],
    ],
    [
      'it is of another registry',
      { deployment: { ...options.deployment, registry: pools[0] } },
      ['DEPLOYMENT_OTHER at receipt'],
    ],
    ['it is about another result', { result: digestOf('another') }, ['RESULT_OTHER at receipt.result']],
    [
      'it is about a refusal',
      otherReceipt((body) => ({ ...body, outcome: 'refused', result: null })),
      ['RESULT_OTHER at receipt.result'],
    ],
    [
      'it is refused, and names a result all the same',
      otherReceipt((body) => ({ ...body, outcome: 'refused' })),
      ['RESULT_OTHER at receipt.result'],
    ],
    [
      'contributions are missing',
      { contributions: {} },
      pools.map((pool) => `INPUTS_MISSING at ${pool}.contributions`),
    ],
    [
      'a contribution is left out',
      contributions((list) => list.slice(1)),
      [`INPUTS_OTHER at ${first}.contributions`],
    ],
    [
      'a contribution is put in',
      contributions((list) => [...list, ...contributionsOf(first, ['11'])]),
      [`INPUTS_OTHER at ${first}.contributions`],
    ],
    [
      'contributions are in another order',
      contributions((list) => [...list].reverse()),
      [`INPUTS_OTHER at ${first}.contributions`],
    ],
    [
      'a contribution is given for another',
      contributions((list) => list.map((one) => ({ ...one, blob: digestOf('another') }))),
      [`INPUTS_OTHER at ${first}.contributions`],
    ],
    [
      'a source is given for another',
      contributions((list) => list.map((one) => ({ ...one, commitment: digestOf('another') }))),
      [`INPUTS_OTHER at ${first}.contributions`],
    ],
    [
      'the receipt counts otherwise',
      otherReceipt((body) => ({
        ...body,
        pools: body.pools.map((pool, i) =>
          i === 0 ? { ...pool, inputs: { ...pool.inputs, count: 4 } } : pool,
        ),
      })),
      [`INPUTS_OTHER at ${first}.contributions`],
    ],
    ['verdicts are missing', { verdicts: {} }, pools.map((pool) => `VERDICTS_MISSING at ${pool}.verdicts`)],
    ['a verdict is left out', verdicts((list) => list.slice(1)), [`VERDICTS_OTHER at ${first}.verdicts`]],
    [
      'a verdict was changed',
      verdicts((list) => [verdictOn(first, '2', { score: 1 }), ...list.slice(1)]),
      [`VERDICTS_OTHER at ${first}.verdicts`],
    ],
    [
      'refinements are missing',
      { refinements: [] },
      pools.map((pool) => `REFINEMENT_MISSING at ${pool}.contributions`),
    ],
    [
      'a contribution is in no refinement',
      refinedBy(refinementOf(first, ['2', '10'])),
      [`REFINEMENT_MISSING at ${first}.contributions`],
    ],
    [
      'a contribution is in two refinements',
      refinedBy(refinementOf(first, ['2', '9']), refinementOf(first, ['9', '10'])),
      ['REFINEMENT_TWICE at refinements[2]'],
    ],
    [
      'a contribution is in a refinement twice',
      refinedBy(refinementOf(first, ['2', '9', '10', '2'])),
      ['REFINEMENT_TWICE at refinements[1]'],
    ],
    [
      'a refinement’s list is another one',
      refinedBy({ ...refinementOf(first, ['2', '9']), contributions: ['2', '9', '10'] }),
      ['REFINEMENT_OTHER at refinements[1]', `REFINEMENT_MISSING at ${first}.contributions`],
    ],
    [
      'a refinement counts otherwise',
      refinedBy(refinementOf(first, ['2', '9', '10'], { counted: 2 })),
      ['REFINEMENT_OTHER at refinements[1]', `REFINEMENT_MISSING at ${first}.contributions`],
    ],
    [
      'a refinement was made under another policy',
      refinedBy(refinementOf(first, ['2', '9', '10'], { change: { policy: digestOf('another') } })),
      ['REFINEMENT_OTHER at refinements[1]', `REFINEMENT_MISSING at ${first}.contributions`],
    ],
    [
      'a refinement’s body is of another pool than it was signed for',
      refinedBy(refinementOf(first, ['2', '9', '10'], { change: { pool: second } })),
      ['STATEMENT_INVALID at refinements[1]', `REFINEMENT_MISSING at ${first}.contributions`],
    ],
    [
      'a stranger refined',
      refinedBy(refinementOf(first, ['2', '9', '10'], { key: keys.stranger })),
      ['SIGNER_UNKNOWN at refinements[1]', `REFINEMENT_MISSING at ${first}.contributions`],
    ],
    [
      'a refinement is of another chain',
      refinedBy(refinementOf(first, ['2', '9', '10'], { chainId: 1 })),
      ['DEPLOYMENT_OTHER at refinements[1]', `REFINEMENT_MISSING at ${first}.contributions`],
    ],
    [
      'a refinement is no statement',
      refinedBy({ statement: 7, contributions: ['2', '9', '10'], at: '2026-11-18T10:00:00Z' }),
      // Of which pool it is, nobody can tell.
      [
        'STATEMENT_INVALID at refinements[1]',
        `REFINEMENT_MISSING at ${first}.contributions`,
        'STATEMENT_INVALID at refinements[1]',
      ],
    ],
    [
      'parents are missing',
      { parents: [] },
      ['PARENT_MISSING at receipt.handOff', 'PARENT_MISSING at receipt.homes[0]'],
    ],
    [
      'a parent is missing',
      { parents: (options.parents ?? []).slice(1) },
      ['PARENT_MISSING at receipt.homes[0]'],
    ],
    [
      'the node of a parent is not trusted',
      { signers: [addresses.node, addresses.home] },
      ['SIGNER_UNKNOWN at receipt.handOff'],
    ],
  ]
  it.each(cases)('%s', (_, change, gaps) => {
    expect(gapsOf(change)).toEqual(gaps)
  })

  /** The chain with a receipt that names other things of the first pool, and the records with them. */
  const naming = (list: readonly ContributionRecord[], judged: readonly VerdictRecord[]) => ({
    ...otherReceipt((body) => ({
      ...body,
      pools: body.pools.map((pool, i) => (i === 0 ? { ...pool, ...namesOf(list, judged) } : pool)),
    })),
    contributions: { ...options.contributions, [first]: list },
    verdicts: { ...options.verdicts, [first]: judged },
  })
  const list = options.contributions?.[first] ?? []
  const judged = options.verdicts?.[first] ?? []

  it('the receipt itself names a contribution twice', () => {
    expect(gapsOf(naming([...list, ...list.slice(0, 1)], [...judged, ...judged.slice(0, 1)]))).toEqual([
      `INPUTS_OTHER at ${first}.contributions`,
    ])
  })

  it('the receipt itself names fewer verdicts than contributions', () => {
    expect(gapsOf(naming(list, judged.slice(0, 2)))).toEqual([`VERDICTS_OTHER at ${first}.verdicts`])
  })

  it('a verdict is of another contribution, of another pool, refuses it, or is none, although the receipt names it', () => {
    const wrong: readonly JsonObject[] = [
      { contribution: '3' },
      { pool: second },
      { valid: false },
      { poc: 'none' },
    ]
    for (const change of wrong)
      expect(gapsOf(naming(list, [verdictOn(first, '2', change), ...judged.slice(1)]))).toEqual([
        `VERDICTS_OTHER at ${first}.verdicts`,
      ])
  })

  it('a statement is not written as it must be, although its signature means the same', () => {
    const { signature, ...rest } = sign('receipt', chain().body)
    const receipt = { ...rest, signature: `0x${signature.slice(2).toUpperCase()}` }
    expect(gapsOf({ receipt })).toEqual(['STATEMENT_INVALID at receipt'])
  })

  it('a parent was signed by another trusted node than the receipt names, or for another chain', () => {
    const [share] = options.parents ?? []
    const body = { ...words.work, answer: digestOf('answer') }
    const others = [
      [sign('work', body, { key: keys.node }), 'SIGNER_UNKNOWN'],
      [sign('work', body, { key: keys.heavy, chainId: 1 }), 'DEPLOYMENT_OTHER'],
    ] as const
    for (const [work, code] of others) {
      expect(gapsOf({ parents: [share, work] })).toEqual([`${code} at receipt.handOff`])
      // One that holds is enough, whatever else says the same.
      expect(gapsOf({ parents: [work, ...(options.parents ?? [])] })).toEqual([])
    }
  })

  it('a parent is of another kind than the receipt means', () => {
    const work = sign('share', { ...words.work, answer: digestOf('answer') }, { key: keys.heavy })
    const receipt = otherReceipt((body) => ({
      ...body,
      ...(body.handOff && { handOff: { ...body.handOff, work: statementDigest(work.statement) } }),
    }))
    expect(gapsOf({ ...receipt, parents: [...(options.parents ?? []), work] })).toEqual([
      'STATEMENT_INVALID at receipt.handOff',
    ])
  })
})

describe('a parent that is the node’s own word, and that the receipt names,', () => {
  const another = digestOf('another')
  /** The gaps when a word is another one, and the receipt names that. */
  const naming = (kind: 'work' | 'share', change: JsonObject) => {
    const key = kind === 'work' ? keys.heavy : keys.home
    const word = sign(kind, { ...words[kind], ...change }, { key })
    const digest = statementDigest(word.statement)
    const receipt = otherReceipt((body) => ({
      ...body,
      ...(kind === 'work' && body.handOff && { handOff: { ...body.handOff, work: digest } }),
      ...(kind === 'share' && { homes: body.homes?.map((home) => ({ ...home, share: digest })) ?? [] }),
    }))
    return gapsOf({ ...receipt, parents: [...(options.parents ?? []), word] })
  }

  it('holds when it is about the job', () => {
    expect([naming('work', {}), naming('share', {})]).toEqual([[], []])
  })

  it.each<['work' | 'share', JsonObject]>([
    ['work', { job: '8' }],
    ['work', { manifest: another }],
    ['work', { plan: another }],
    ['work', { home: addresses.home }],
    ['work', { keySet: another }],
    ['share', { job: '8' }],
    ['share', { manifest: another }],
    ['share', { plan: another }],
    ['share', { coordinator: addresses.home }],
    ['share', { keySet: another }],
    ['share', { quote: another }],
  ])('is none when it is about something else: %s %j', (kind, change) => {
    const place = kind === 'work' ? 'handOff' : 'homes[0]'
    expect(naming(kind, change)).toEqual([`STATEMENT_INVALID at receipt.${place}`])
  })
})

describe('a chain to a job that was dealt to several nodes', () => {
  const works = [keys.heavy, keys.home].map((key, index) =>
    sign('work', { ...words.work, shard: `${index + 1}/2` }, { key }),
  )
  const dealt = (signed: readonly (SignedStatement | null)[]) =>
    otherReceipt(({ handOff: _, homes: __, ...body }) => ({
      ...body,
      shards: signed.map((work, index) => ({
        node: index === 0 ? addresses.heavy : addresses.home,
        keySet: body.keySet,
        work: work === null ? null : statementDigest(work.statement),
      })),
    }))

  it('has the signed word of each as a parent', () => {
    expect(gapsOf({ ...dealt(works), parents: works })).toEqual([])
    expect(gapsOf({ ...dealt(works), parents: works.slice(1) })).toEqual([
      'PARENT_MISSING at receipt.shards[0]',
    ])
    // Each node's own: the word of another one is none.
    expect(gapsOf({ ...dealt([...works].reverse()), parents: works })).toEqual([
      'SIGNER_UNKNOWN at receipt.shards[0]',
      'SIGNER_UNKNOWN at receipt.shards[1]',
    ])
  })

  it('has no word on another part, or on a part where the job was run whole', () => {
    const other = sign('work', { ...words.work, shard: '2/2', by: 'heavy' }, { key: keys.heavy })
    const given = [other, ...works.slice(1)]
    expect(gapsOf({ ...dealt(given), parents: given })).toEqual(['STATEMENT_INVALID at receipt.shards[0]'])
    const whole = otherReceipt(({ homes: _, ...body }) => ({
      ...body,
      handOff: { node: addresses.heavy, keySet: body.keySet, work: statementDigest(other.statement) },
    }))
    expect(gapsOf({ ...whole, parents: [other] })).toEqual(['STATEMENT_INVALID at receipt.handOff'])
  })

  it('asks for no word of one that was lost', () => {
    expect(gapsOf({ ...dealt([works[0] ?? null, null]), parents: works.slice(0, 1) })).toEqual([])
  })
})

describe('an incomplete chain', () => {
  it('of which nobody can tell whether a real node made it is none of a real one', () => {
    expect(walkBack({ ...options, receipt: undefined }).simulated).toBe(true)
  })

  it('shows what held, and has no last step', () => {
    const { steps, inputs } = walkBack({
      ...options,
      contributions: { [second]: options.contributions?.[second] ?? [] },
    })
    expect(new Set(steps.map(({ pool }) => pool))).toEqual(new Set([second]))
    expect(inputs.map(({ pool }) => pool)).toEqual([second, second, second])
    expect(steps.some(({ kind }) => kind === 'query')).toBe(false)
  })
})
