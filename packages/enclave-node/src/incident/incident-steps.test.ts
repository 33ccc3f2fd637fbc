import type { Address } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { incidentExitCode, incidentText } from '../cli/incident.js'
import { NodeError } from '../errors.js'
import type { ContractCall, IncidentChain } from './incident-chain.js'
import type { IncidentOrder, IncidentStanding } from './incident-order.js'
import { endSteps, type IncidentPorts, type IncidentStep, incidentSteps, runSteps } from './incident-steps.js'

/* The ladder against a chain and a node of plain data. On real ones: ../drill/run-drill.test.ts. */

const address = (byte: string): Address => `0x${byte.repeat(20)}`
const [node, pool, operator, founder] = ['a1', 'b2', 'c3', 'd4'].map(address) as [
  Address,
  Address,
  Address,
  Address,
]
const measurement = `0x${'55'.repeat(32)}` as const
/** A pause that has just begun. */
const pausedAt = (now: number) => ({ now, until: now + 604_800, nextFrom: now + 1_209_600 })

/** A chain that does what it is told by who may. */
function world(options: { readonly owner?: Address; readonly guardian?: Address | null } = {}) {
  const { owner = founder, guardian = founder } = options
  const chain = {
    listed: true,
    revoked: false,
    pause: { now: 1_800_000_000, until: 0, nextFrom: 0 },
    epoch: 1,
    sent: [] as string[],
  }
  let standing: IncidentStanding = {
    node,
    incident: null,
    underWay: 0,
    pools: [{ pool, epoch: 1, toRewrap: 0 }],
  }
  let alive = true
  const call = (from: Address, says: string): ContractCall => ({ from, to: pool, data: '0x01', says })
  const port: IncidentChain = {
    operator,
    node: async () => ({ measurement, revoked: chain.revoked, active: chain.listed && !chain.revoked }),
    measurementListed: async () => chain.listed,
    keyEpoch: async () => ({ epoch: chain.epoch, node }),
    pauseOf: async () => chain.pause,
    withdrawMeasurement: async () => call(owner, 'withdraw'),
    revokeNode: async () => call(owner, 'revoke'),
    pause: async () => (guardian === null ? null : call(guardian, 'pause')),
    resume: async () => call(address('ee'), 'resume'),
    async send({ from, says }) {
      if (from !== operator) throw new Error('the chain does not let him')
      chain.sent.push(says)
      if (says === 'withdraw') chain.listed = false
      if (says === 'revoke') chain.revoked = true
      if (says === 'pause') chain.pause = pausedAt(chain.pause.now)
    },
  }
  const ports: IncidentPorts = {
    chain: port,
    pools: [pool],
    node: undefined,
    async order(order: IncidentOrder) {
      if (!alive) throw new NodeError('NODE_UNREACHABLE', 'operator.sock', 'the node does not answer')
      const { incident } = standing
      const open = incident ?? { kinds: [], openedAt: 1, stopped: false, epochs: {} }
      if (order.order === 'notice')
        standing = { ...standing, incident: { ...open, kinds: [...open.kinds, order.kind] } }
      if (order.order === 'stop-work') standing = { ...standing, incident: { ...open, stopped: true } }
      if (order.order === 'end') standing = { ...standing, incident: null }
      if (order.order === 'rotate') {
        standing = {
          ...standing,
          incident: { ...open, epochs: { [order.pool]: order.from + 1 } },
          pools: [{ pool, epoch: 1, toRewrap: 3 }],
        }
      }
      return standing
    },
  }
  return {
    chain,
    ports,
    port,
    die: () => {
      alive = false
    },
    /** One moment: what goes on by itself goes on. */
    tick: () => {
      const first = standing.incident?.epochs[pool]
      if (first !== undefined && chain.epoch < first) chain.epoch = first
      const toRewrap = Math.max(0, (standing.pools[0]?.toRewrap ?? 0) - 1)
      standing = { ...standing, pools: [{ pool, epoch: chain.epoch, toRewrap }] }
    },
  }
}
const never = async () => false
const outcomes = (all: readonly { readonly outcome: string }[]) => all.map(({ outcome }) => outcome)

describe('the ladder', () => {
  it('does nothing in a dry run, whoever may do it', async () => {
    const { ports, chain } = world({ owner: operator, guardian: operator })
    const shown = await runSteps(incidentSteps('workload', ports), false, never)
    expect(outcomes(shown)).toEqual(['due', 'due', 'due', 'due', 'due', 'others'])
    expect(chain.sent).toEqual([])
    expect((await ports.order({ order: 'look' })).incident).toBeNull()
    expect(incidentExitCode(shown, false)).toBe(0)
    expect(incidentText(shown, false)).toMatch(/^Nothing was done/)
  })

  it('is done once where the operator owns and guards, and sends nothing again', async () => {
    const { ports, chain } = world({ owner: operator, guardian: operator })
    const first = await runSteps(incidentSteps('vulnerable', ports), true, never)
    expect(outcomes(first)).toEqual(['did', 'did', 'did', 'did'])
    expect(chain.sent).toEqual(['withdraw', 'pause'])
    const again = await runSteps(incidentSteps('vulnerable', ports), true, never)
    expect(outcomes(again)).toEqual(['done', 'done', 'done', 'done'])
    expect(chain.sent).toEqual(['withdraw', 'pause'])
    expect(incidentExitCode(again, true)).toBe(0)
  })

  it('gives what others must do as who, where and what, and is not done before they did it', async () => {
    const { ports, chain } = world()
    const acted = await runSteps(incidentSteps('vulnerable', ports), true, never)
    expect(outcomes(acted)).toEqual(['did', 'did', 'others', 'others'])
    expect(acted.map(({ call }) => call?.from)).toEqual([undefined, undefined, founder, founder])
    expect(chain.sent).toEqual([])
    expect(incidentExitCode(acted, true)).toBe(1)
    const text = incidentText(acted, true)
    for (const part of [`from ${founder}`, `to   ${pool}`, 'data 0x01']) expect(text).toContain(part)
    Object.assign(chain, { listed: false, pause: pausedAt(chain.pause.now) })
    expect(outcomes(await runSteps(incidentSteps('vulnerable', ports), true, never))).toEqual(
      Array(4).fill('done'),
    )
  })

  it('silences a node that does not answer: what the chain can do is done all the same', async () => {
    const { ports, chain, die } = world({ owner: operator, guardian: operator })
    die()
    const acted = await runSteps(incidentSteps('vulnerable', ports), true, never)
    expect(outcomes(acted)).toEqual(['failed', 'failed', 'did', 'did'])
    expect(acted[0]?.detail).toContain('NODE_UNREACHABLE')
    expect(chain.sent).toEqual(['withdraw', 'pause'])
    expect(incidentExitCode(acted, true)).toBe(1)
  })

  it('asks which node is meant when neither the node nor its pools can say', async () => {
    const { ports, port, die } = world()
    die()
    const unknown = { ...ports, chain: { ...port, keyEpoch: async () => null } }
    const [, , found] = await runSteps(incidentSteps('vulnerable', unknown), true, never)
    expect(found).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('--node') })
    const named = await runSteps(incidentSteps('vulnerable', { ...unknown, node }), true, never)
    expect(named[2]?.outcome).toBe('others')
  })

  it('does not take a transaction’s word for what it should have done', async () => {
    const { ports, port } = world({ owner: operator, guardian: operator })
    const deaf = { ...ports, chain: { ...port, send: async () => undefined } }
    const acted = await runSteps(incidentSteps('vulnerable', deaf), true, never)
    expect(outcomes(acted)).toEqual(['did', 'did', 'failed', 'failed'])
  })

  it('rotates, and waits until all is readable with the new key; a run that was cut off is taken up', async () => {
    const { ports, tick } = world()
    const cut = await runSteps(incidentSteps('key', ports), true, never)
    expect(outcomes(cut)).toEqual(['did', 'waiting', 'waiting'])
    expect(incidentExitCode(cut, true)).toBe(1)
    let ticks = 0
    const after = await runSteps(incidentSteps('key', ports), true, async () => {
      tick()
      ticks += 1
      return true
    })
    expect(outcomes(after)).toEqual(['done', 'did', 'did'])
    expect(ticks).toBeGreaterThan(1)
    // Another run gives up no other key.
    expect(outcomes(await runSteps(incidentSteps('key', ports), true, never))).toEqual([
      'done',
      'done',
      'done',
    ])
  })

  it('gives up the next epoch too when that was stolen as well, once for each --again', async () => {
    const { ports, chain, tick } = world()
    const wait = async () => {
      tick()
      return true
    }
    await runSteps(incidentSteps('key', ports), true, wait)
    expect(chain.epoch).toBe(2)
    const [, kept] = await runSteps(incidentSteps('key', ports), true, wait)
    expect(kept).toMatchObject({ outcome: 'done', detail: expect.stringContaining('--again') })
    const again = { ...ports, again: true }
    const [, shown] = await runSteps(incidentSteps('key', again), false, never)
    expect(shown).toMatchObject({ outcome: 'due', detail: 'give up epoch 2' })
    const [, cut] = await runSteps(incidentSteps('key', again), true, never)
    expect(cut?.outcome).toBe('waiting')
    // What was cut off is taken up: it gives up no other one.
    const [, after] = await runSteps(incidentSteps('key', again), true, wait)
    expect([after?.outcome, chain.epoch]).toEqual(['did', 3])
  })

  it('says until when a pause holds, and asks nobody for one that the contract does not take yet', async () => {
    const { ports, chain } = world({ owner: operator, guardian: operator })
    const pauseStep = async () => (await runSteps(incidentSteps('vulnerable', ports), true, never))[3]
    chain.pause = { now: 1_800_000_000, until: 1_800_000_060, nextFrom: 1_800_604_860 }
    expect(await pauseStep()).toMatchObject({
      outcome: 'done',
      detail: expect.stringMatching(/until 2027-01-15T08:01:00.*again from 2027-01-22T08:01:00/),
    })
    chain.pause = { ...chain.pause, now: 1_800_000_060 }
    const early = await pauseStep()
    expect(early).toMatchObject({ outcome: 'others', detail: expect.stringContaining('2027-01-22T08:01:00') })
    expect(early?.call).toBeUndefined()
    expect(chain.sent).toEqual(['withdraw'])
    chain.pause = { ...chain.pause, now: 1_800_604_860 }
    expect((await pauseStep())?.outcome).toBe('did')
  })

  it('takes a pool over from a silenced node only', async () => {
    const { ports, port, chain } = world()
    const other = address('ff')
    const foreign = { ...ports, chain: { ...port, keyEpoch: async () => ({ epoch: 1, node: other }) } }
    const [, kept] = await runSteps(incidentSteps('key', foreign), true, never)
    expect(kept).toMatchObject({ outcome: 'others', detail: expect.stringContaining('active') })
    chain.revoked = true
    const [, taken] = await runSteps(incidentSteps('key', foreign), false, never)
    expect(taken?.outcome).toBe('due')
  })

  it('a pool without a guardian cannot be paused, and nobody is asked to', async () => {
    const { ports } = world({ guardian: null })
    const acted = await runSteps(incidentSteps('vulnerable', ports), true, never)
    expect(acted[3]).toMatchObject({ outcome: 'done', detail: expect.stringContaining('no guardian') })
  })

  it('ends: the node works again, the pool’s vote is given its proposal', async () => {
    const { ports, chain } = world()
    await runSteps(incidentSteps('vulnerable', ports), true, never)
    chain.pause = pausedAt(chain.pause.now)
    const ended = await runSteps(endSteps(ports), true, never)
    expect(ended).toMatchObject([{ outcome: 'did' }, { outcome: 'others', call: { says: 'resume' } }])
    expect((await ports.order({ order: 'look' })).incident).toBeNull()
  })

  it('tells no text of an error that nobody foresaw', async () => {
    const step: IncidentStep = {
      name: 'one',
      look: () => Promise.reject(new Error('https://key:CANARY@rpc.example')),
    }
    expect(JSON.stringify(await runSteps([step], true, never))).not.toContain('CANARY')
  })
})

describe('stop work', () => {
  it('is done only when what was under way has ended', async () => {
    const standing = (underWay: number): IncidentStanding => ({
      node,
      incident: { kinds: ['workload'], openedAt: 1, stopped: true, epochs: {} },
      underWay,
      pools: [],
    })
    let left = 2
    const { chain } = world().ports
    const ports: IncidentPorts = { chain, pools: [], node, order: async () => standing(left) }
    const step = incidentSteps('workload', ports).find(({ name }) => name === 'stop work')
    expect(await step?.look()).toMatchObject({
      state: 'waiting',
      detail: expect.stringContaining('2 rounds'),
    })
    left = 0
    expect(await step?.look()).toMatchObject({ state: 'done' })
  })
})

describe('the end of an incident', () => {
  it('waits while contributions are still moved off a key that was given up', async () => {
    const { port } = world()
    let toRewrap = 3
    const ports: IncidentPorts = {
      chain: port,
      pools: [],
      node,
      order: async () => ({ node, incident: null, underWay: 0, pools: [{ pool, epoch: 2, toRewrap }] }),
    }
    const [end] = endSteps(ports)
    expect(await end?.look()).toMatchObject({
      state: 'waiting',
      detail: expect.stringContaining('3 contributions'),
    })
    toRewrap = 0
    expect(await end?.look()).toMatchObject({ state: 'done' })
  })
})
