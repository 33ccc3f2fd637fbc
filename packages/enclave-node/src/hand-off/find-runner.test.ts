import { describe, expect, it } from 'vitest'
import { NodeError, type NodeErrorCode } from '../errors.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { runnerSearch } from './find-runner.js'

const asked = {} as Parameters<ReturnType<typeof runnerSearch>['one']>[1]
const fails = (code: NodeErrorCode) => () => Promise.reject(new NodeError(code, 'x', 'why'))
const answers = () => Promise.resolve()
const never = () => new Promise<never>(() => undefined)

/** @param nodes what reaching each address comes to; tests change it */
function searching(nodes: Record<string, () => Promise<unknown>>, enough: () => Promise<void> = never) {
  const reached: string[] = []
  const errors: unknown[] = []
  const clock = { seconds: 1_000 }
  const search = runnerSearch({
    reach: async (url) => {
      reached.push(url)
      return (await nodes[url]?.()) as never
    },
    enough,
    now: () => clock.seconds,
    onError: (error) => errors.push(error),
  })
  return { reached, errors, clock, find: () => search.one(Object.keys(nodes), asked), search }
}

describe('a search for a runner', () => {
  it('asks all at once and takes the first that answers', async () => {
    const { reached, find } = searching({ a: never, b: answers, c: fails('NODE_UNREACHABLE') })
    expect(await find()).toEqual({ url: 'b' })
    expect(reached).toEqual(['a', 'b', 'c'])
  })

  it.each<NodeErrorCode>([
    'NODE_UNREACHABLE',
    'PEER_ANSWER_INVALID',
    'PEER_NOT_ATTESTED',
    'HAND_OFF_REFUSED',
  ])('finds none where every node fails with %s, says why, and tells of each', async (code) => {
    const { errors, find } = searching({ a: fails(code), b: fails(code) })
    expect(await find()).toMatchObject({ url: undefined, cause: { code } })
    expect(errors).toHaveLength(2)
  })

  it.each<[string, () => Promise<never>, object]>([
    ['another code', fails('STATE_UNREADABLE'), { code: 'STATE_UNREADABLE' }],
    [
      'an error of elsewhere that has such a code',
      () => Promise.reject(Object.assign(new Error('x'), { code: 'NODE_UNREACHABLE' })),
      { message: 'x' },
    ],
    ['an error of its own', () => Promise.reject(new TypeError('a bug')), { name: 'TypeError' }],
  ])('throws what is no fault of a node: %s', async (_, own, thrown) => {
    const { errors, find } = searching({ a: fails('NODE_UNREACHABLE'), b: own })
    await expect(find()).rejects.toMatchObject(thrown)
    expect(errors).toHaveLength(1)
  })

  it('takes the node that answers though something of its own went wrong besides', async () => {
    const { find } = searching({ a: () => Promise.reject(new TypeError('a bug')), b: answers })
    expect(await find()).toEqual({ url: 'b' })
  })

  it('finds none among none', async () => {
    expect(await searching({}).find()).toEqual({ url: undefined, cause: undefined })
  })

  it('leaves out for a minute who was silent, and nobody who is only not good enough', async () => {
    const nodes = {
      a: fails('NODE_UNREACHABLE'),
      b: fails('PEER_ANSWER_INVALID'),
      c: fails('PEER_NOT_ATTESTED'),
      d: fails('HAND_OFF_REFUSED'),
    }
    const { reached, clock, find } = searching(nodes)
    await find()
    reached.length = 0
    clock.seconds += 59
    await find()
    expect(reached).toEqual(['c', 'd'])
    reached.length = 0
    clock.seconds += 1
    await find()
    expect(reached).toEqual(['a', 'b', 'c', 'd'])
  })

  it('takes those for silent who have not answered when it is enough, and no longer once they answer', async () => {
    const nodes: Record<string, () => Promise<unknown>> = { a: never, b: fails('PEER_NOT_ATTESTED') }
    let rounds = 0
    // Those that fail at once have done so by then.
    const enough = () => (rounds++ === 0 ? new Promise<void>((done) => setTimeout(done)) : never())
    const { reached, clock, find } = searching(nodes, enough)
    expect(await find()).toMatchObject({ url: undefined })
    reached.length = 0
    nodes['b'] = answers
    expect(await find()).toEqual({ url: 'b' })
    expect(reached).toEqual(['b'])
    clock.seconds += 60
    nodes['a'] = answers
    nodes['b'] = fails('PEER_NOT_ATTESTED')
    expect(await find()).toEqual({ url: 'a' })
    reached.length = 0
    expect(await find()).toEqual({ url: 'a' })
    expect(reached).toEqual(['a', 'b'])
  })
})

describe('a search for several runners', () => {
  const node = (digit: string) => async () => ({ peer: { statementAddress: addressOfDigit(digit) } })
  const several = async (
    nodes: Record<string, () => Promise<unknown>>,
    wanted: number,
    without: readonly string[] = [],
    enough?: () => Promise<void>,
  ) => {
    const { search } = searching(nodes, enough)
    const { found, cause } = await search.several(
      Object.keys(nodes),
      asked,
      wanted,
      without.map(addressOfDigit),
    )
    return { found: found.map(({ peer }) => peer.statementAddress.at(-1)).join(''), cause }
  }

  it('takes as many as are wanted, in the order of their addresses, and waits for no other', async () => {
    expect(await several({ a: never, b: node('2'), c: node('3'), d: node('1') }, 3)).toEqual({ found: '231' })
    expect(await several({ a: node('1'), b: node('2'), c: node('3') }, 2)).toEqual({ found: '12' })
  })

  it('takes one node with two addresses once, and none that it is to leave out', async () => {
    const nodes = { a: node('1'), b: node('1'), c: node('2'), d: node('3') }
    expect((await several(nodes, 4)).found).toBe('123')
    expect((await several(nodes, 3, ['2'])).found).toBe('13')
  })

  it('says who did not answer when there are too few', async () => {
    const few = { a: node('1'), b: fails('NODE_UNREACHABLE') }
    expect(await several(few, 2)).toMatchObject({ found: '1', cause: { code: 'NODE_UNREACHABLE' } })
    const enough = () => new Promise<void>((done) => setTimeout(done))
    expect((await several({ a: node('1'), b: never }, 2, [], enough)).found).toBe('1')
    await expect(
      several({ a: node('1'), b: () => Promise.reject(new TypeError('a bug')) }, 2),
    ).rejects.toThrow('a bug')
  })
})
