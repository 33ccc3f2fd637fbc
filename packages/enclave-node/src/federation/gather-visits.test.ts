import type { Address, JsonValue } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import type { ServedPool } from '../ingest/served-pool.js'
import type { JobRow } from '../state/job-table.js'
import { keys } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { otherPeer, otherPool, ownPool, signOther } from '../testing/share-fixture.js'
import type { SharedJob } from './federation.js'
import { type GatherOptions, openFederation } from './gather-shares.js'

/* What one visit to the other homes of a job comes to, by what each of them answers; without a state, a chain or keys. */

const charge = { epsilon: 1, delta: 0 }
const poolAt = (digit: string): ServedPool => ({ ...otherPool, address: addressOfDigit(digit), name: digit })
const patienceSeconds = 100
const later = (reason: string) => ({ status: 200, body: { state: 'later', reason } })
const willing = { status: 200, body: { state: 'willing' } }
type Answer = { readonly status: number; readonly body: JsonValue }

/**
 * Two other homes, `b` with two pools and `c` with one.
 * @param answers what a home answers, or how reaching it fails
 */
function homes(answers: (home: string) => Answer | Promise<Answer>, shown: Record<string, object> = {}) {
  const asked: string[] = []
  const errors: unknown[] = []
  const clock = { seconds: 1_000 }
  const pools = ['b', 'c', 'd'].map(poolAt)
  const nodeOf = (pool: Address): Address => (pool === addressOfDigit('d') ? addressOfDigit('b') : pool)
  const chain = {
    chainId: 31_337,
    pool: async (pool: Address) => ({ keyEpoch: { epoch: 1, node: nodeOf(pool) }, ...shown[pool] }),
  }
  const federation = openFederation({
    store: {} as GatherOptions['store'],
    chain: chain as unknown as GatherOptions['chain'],
    keys,
    sign: signOther,
    now: () => clock.seconds,
    pools: new Map(pools.map((pool) => [pool.address, pool])),
    patienceSeconds,
    heartbeatSeconds: 900,
    attest: async (node) => ({ ...otherPeer, url: node, statementAddress: node }),
    call: (peer) => async (call) => {
      const home = peer.url[2] ?? ''
      asked.push(`${String((call.body as { step: string }).step)} ${home}`)
      return answers(home)
    },
    onError: (error) => errors.push(error),
  })
  const shared = {
    job: { id: '1', pools: [ownPool.address], manifestDigest: digestOfDigit('1') } as unknown as JobRow,
    planned: {
      planDigest: digestOfDigit('2'),
      charges: [ownPool, ...pools].map((pool) => ({ pool, charge, leaves: [] })),
    } as unknown as SharedJob['planned'],
  }
  return { asked, errors, clock, federation, shared }
}
const putOff = (code: string) => ({ name: 'JobPutOff', code })
const refused = (code: string) => ({ name: 'JobRefusal', code })
const unreachable = () => Promise.reject(new NodeError('NODE_UNREACHABLE', 'x', 'no answer'))

describe('a look at the other homes', () => {
  it('asks each of them once, however many pools it has, and none for this node’s own', async () => {
    const { asked, errors, federation, shared } = homes(() => willing)
    await federation.look(shared)
    expect([asked, errors]).toEqual([['look b', 'look c'], []])
  })

  it('ends the job where a pool has no key on the chain; that is no error of this node', async () => {
    const { asked, errors, federation, shared } = homes(() => willing, {
      [addressOfDigit('c')]: { keyEpoch: null },
    })
    await expect(federation.look(shared)).rejects.toMatchObject(refused('POOL_NOT_SERVED'))
    expect([asked, errors]).toEqual([[], []])
  })

  it.each<[string, Answer]>([
    ['under a status of failure', { ...willing, status: 503 }],
    ['of another shape', { status: 200, body: { state: 'perhaps' } }],
    ['that is none', { status: 200, body: null }],
  ])('believes no word %s', async (_, answer) => {
    const { federation, shared } = homes(() => answer)
    await expect(federation.look(shared)).rejects.toMatchObject(putOff('HOME_SILENT'))
  })

  it.each<[string, Error]>([
    ['a state that cannot be read', new NodeError('STATE_UNREADABLE', 'x', 'why')],
    ['an error of its own', new TypeError('a bug')],
    [
      'an error of elsewhere that has such a code',
      Object.assign(new Error('x'), { code: 'NODE_UNREACHABLE' }),
    ],
    ['another one of such a code', Object.assign(new Error('x'), { code: 'SHARE_DIFFERS' })],
    ['a third one of such a code', Object.assign(new Error('x'), { code: 'SHARE_REFUSED' })],
    ['a fourth one of such a code', Object.assign(new Error('x'), { code: 'PEER_NOT_ATTESTED' })],
    ['a fifth one of such a code', Object.assign(new Error('x'), { code: 'HOME_WAITS' })],
  ])('takes %s for nobody’s silence', async (_, error) => {
    const { clock, federation, shared } = homes(() => Promise.reject(error))
    for (let turn = 0; turn < 3; turn++) {
      await expect(federation.look(shared)).rejects.toBe(error)
      clock.seconds += patienceSeconds
    }
  })

  it('counts silence from its beginning, not from a wait before it', async () => {
    let answer: Answer = later('BUSY')
    const { clock, federation, shared } = homes(() => answer)
    const look = () => expect(federation.look(shared)).rejects
    await look().toMatchObject(putOff('HOME_WAITS'))
    answer = later('X')
    clock.seconds += 90
    await look().toMatchObject(putOff('HOME_SILENT'))
    clock.seconds += patienceSeconds
    await look().toMatchObject(putOff('HOME_SILENT'))
    clock.seconds += 1
    await look().toMatchObject(refused('HOME_SILENT'))
    // That was the end of this silence: another job's visit, or the same job's after a reorganisation, has the whole patience.
    await look().toMatchObject(putOff('HOME_SILENT'))
  })

  it('forgets a silence when all have answered', async () => {
    let answer: Answer = later('X')
    const { clock, federation, shared } = homes(() => answer)
    await expect(federation.look(shared)).rejects.toMatchObject(putOff('HOME_SILENT'))
    clock.seconds += 90
    answer = willing
    await federation.look(shared)
    answer = later('X')
    clock.seconds += 90
    await expect(federation.look(shared)).rejects.toMatchObject(putOff('HOME_SILENT'))
  })
})

describe('gathering shares', () => {
  const gather = ({ federation, shared }: ReturnType<typeof homes>, beat = async () => undefined) =>
    federation.gather(shared, beat)

  it('has no further home charge its pools when one cannot be reached', async () => {
    const visit = homes((home) => (home === 'b' ? unreachable() : later('BUSY')))
    await expect(gather(visit)).rejects.toMatchObject(putOff('HOME_SILENT'))
    expect(visit.asked).toEqual(['charge b'])
  })

  it('asks all before it waits for the first that asked for that', async () => {
    const visit = homes((home) => later(home === 'b' ? 'POOL_PAUSED' : 'X'))
    await expect(gather(visit)).rejects.toMatchObject({
      ...putOff('HOME_WAITS'),
      message: expect.stringContaining('POOL_PAUSED') as string,
    })
    expect(visit.asked).toEqual(['charge b', 'charge c'])
  })

  it('ends a job whose home says that it would, when it is to give', async () => {
    const visit = homes(() => willing)
    await expect(gather(visit)).rejects.toMatchObject(refused('EXECUTION_FAILED'))
    expect(visit.errors).toMatchObject([
      { code: 'SHARE_REFUSED', message: expect.stringContaining('gave no share') as string },
    ])
  })

  it('gives a sign of life when one is due, and goes on when that fails', async () => {
    const visit = homes(() => later('BUSY'))
    let beats = 0
    const beat = async () => {
      beats += 1
      throw new Error('the chain is away')
    }
    const turn = () => expect(gather(visit, beat)).rejects.toMatchObject(putOff('HOME_WAITS'))
    await turn()
    visit.clock.seconds += 899
    await turn()
    expect(beats).toBe(0)
    visit.clock.seconds += 1
    await turn()
    await turn()
    expect(beats).toBe(1)
    expect(visit.errors).toContainEqual(new Error('the chain is away'))
  })
})
