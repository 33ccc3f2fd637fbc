import { type Client, createClient, custom } from 'viem'
import { describe, expect, it } from 'vitest'
import { ClientError } from '../errors.js'
import type { NodeApi } from '../node-api/node-api.js'
import type { LineagePage, LineageRefinement } from './lineage-page.js'
import { type ReadLineageOptions, readLineage } from './read-lineage.js'

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as const
const pool = `0x${'aB'.repeat(20)}` as const
const lower = pool.toLowerCase()
const other = `0x${'c'.repeat(40)}` as const
const contribution = (id: string, block: string, judgedBlock: string | null = null) => ({
  ...{ contribution: id, blob: digest('1'), commitment: digest('2'), verdict: digest('3') },
  ...{ block, judgedBlock },
})
const refinement = (change: Partial<LineageRefinement> = {}): LineageRefinement => ({
  ...{ pool, statement: { name: 'one' }, block: '30', contributions: [contribution('7', '10')] },
  ...change,
})
const receipt = { name: 'receipt' }
const bundle = { simulated: true, receipt } as unknown as Awaited<ReturnType<NodeApi['jobReceipt']>>

/** A node whose pages are these, and a chain whose blocks came every second. */
function world(
  pages: readonly Partial<LineagePage>[],
  work: unknown = undefined,
  shares: readonly object[] = [],
) {
  const paths: string[] = []
  const blocks: string[] = []
  const node = {
    jobReceipt: async () => bundle,
    jobShares: async () => shares,
    ask: async (_schema: unknown, path: string) => {
      if (path.endsWith('/work')) {
        if (work === undefined) throw new ClientError('NODE_REFUSED', 'x', 'x', { nodeCode: 'WORK_UNKNOWN' })
        return work
      }
      paths.push(path)
      return { simulated: true, job: '5', refinements: [], next: null, ...pages[paths.length - 1] }
    },
  } as unknown as ReadLineageOptions['node']
  const chain: Client = createClient({
    transport: custom(
      {
        request: async ({ params }: { params: [string] }) => {
          blocks.push(String(Number(params[0])))
          return { number: params[0], timestamp: params[0], transactions: [] }
        },
      },
      { retryCount: 0 },
    ),
  })
  return {
    paths,
    blocks,
    read: (change: Partial<ReadLineageOptions> = {}) => readLineage({ node, chain, jobId: 5n, ...change }),
  }
}
const at = (block: number) => new Date(block * 1_000).toISOString()

describe('what a job was made of', () => {
  it('is put together from all pages, by pool in the order of numbers, with the times of blocks', async () => {
    const { read, paths, blocks } = world([
      {
        refinements: [
          refinement({ contributions: [contribution('10', '10', '20'), contribution('11', '10')] }),
          refinement({
            pool: other,
            statement: { name: 'other' },
            block: null,
            contributions: [contribution('8', '9'), contribution('12', '11')],
          }),
        ],
        next: '3',
      },
      {
        refinements: [
          refinement({ statement: { name: 'two' }, block: '31', contributions: [contribution('9', '12')] }),
        ],
      },
    ])
    const { simulated, receipt: given, records } = await read()
    expect(paths).toEqual(['/jobs/5/lineage?from=1', '/jobs/5/lineage?from=3'])
    expect([simulated, given]).toEqual([true, receipt])
    const known = { blob: digest('1'), commitment: digest('2') }
    expect(records.contributions).toEqual({
      [lower]: [
        { contribution: '9', ...known, at: at(12) },
        { contribution: '10', ...known, at: at(10) },
        { contribution: '11', ...known, at: at(10) },
      ],
      [other]: [
        { contribution: '8', ...known, at: at(9) },
        { contribution: '12', ...known, at: at(11) },
      ],
    })
    expect(records.verdicts[lower]).toEqual([
      { verdict: digest('3'), at: at(12) },
      { verdict: digest('3'), at: at(20) },
      { verdict: digest('3'), at: at(10) },
    ])
    expect(records.refinements).toEqual([
      { statement: { name: 'one' }, contributions: ['10', '11'], at: at(30) },
      // Not on the chain yet: not before the last of its contributions.
      { statement: { name: 'other' }, contributions: ['8', '12'], at: at(11) },
      { statement: { name: 'two' }, contributions: ['9'], at: at(31) },
    ])
    expect(records.parents).toEqual([])
    expect(blocks.toSorted()).toEqual([...new Set(blocks)].toSorted())
  })

  it('leaves out a refinement whose statement is not told, or that holds nothing, and keeps its contributions', async () => {
    const { read } = world([
      { refinements: [refinement({ statement: null }), refinement({ block: null, contributions: [] })] },
    ])
    const { records } = await read()
    expect(records.refinements).toEqual([])
    expect(records.contributions[lower]).toHaveLength(1)
  })

  it.each<[string, unknown, readonly object[], readonly object[]]>([
    ['the node that ran it', { work: { name: 'w' }, works: [] }, [], [{ name: 'w' }]],
    [
      'nodes that ran parts of it',
      { work: null, works: [{ name: 'a' }, { name: 'b' }] },
      [],
      [{ name: 'a' }, { name: 'b' }],
    ],
    ['other homes', undefined, [{ name: 's' }], [{ name: 's' }]],
  ])('has the word of %s', async (_, work, shares, parents) => {
    expect((await world([{}], work, shares).read()).records.parents).toEqual(parents)
  })
})

describe('an answer that is none', () => {
  it.each<[string, readonly Partial<LineagePage>[]]>([
    ['about another job', [{ job: '6' }]],
    ['whose next page is the same', [{ next: '1' }]],
    ['whose next page came before', [{ next: '3' }, { next: '2' }]],
    [
      'of more contributions than any job reads',
      [{ refinements: [refinement({ contributions: Array(1_000_001).fill(contribution('7', '1')) })] }],
    ],
    [
      'of more refinements than any job reads',
      [{ refinements: Array(100_001).fill(refinement({ contributions: [] })) }],
    ],
  ])('%s is refused', async (_, pages) => {
    await expect(world(pages).read()).rejects.toMatchObject({
      code: 'NODE_ANSWER_INVALID',
      place: 'GET /jobs/lineage',
    })
  })

  it('of the node, or of the chain, comes through as it is', async () => {
    const refused = () =>
      Promise.reject(new ClientError('NODE_REFUSED', 'x', 'x', { nodeCode: 'LINEAGE_UNKNOWN' }))
    const node = {
      jobReceipt: async () => bundle,
      jobShares: async () => [],
      ask: refused,
    } as unknown as NodeApi
    await expect(world([]).read({ node })).rejects.toMatchObject({ nodeCode: 'LINEAGE_UNKNOWN' })
    const chain = createClient({
      transport: custom(
        { request: () => Promise.reject(new Error('https://rpc.example/key')) },
        { retryCount: 0 },
      ),
    })
    const failed = await world([{ refinements: [refinement()] }])
      .read({ chain })
      .catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'CHAIN_READ_FAILED', place: 'block' })
    expect(String(failed)).not.toContain('rpc.example')
  })

  it('is not waited for once it is called off', async () => {
    const { read, paths } = world([{}])
    await expect(read({ signal: AbortSignal.abort(new Error('called off')) })).rejects.toThrow('called off')
    expect(paths).toEqual([])
  })
})
