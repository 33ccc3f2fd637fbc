/**
 * The ladder: what is done in each kind of incident, step by step. A step looks before it acts, so that the ladder may be run again at
 * any time and from anywhere; what others must do is given as the exact transaction.
 * @module
 */
import type { Address, Hex } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import type { ContractCall, IncidentChain } from './incident-chain.js'
import type { IncidentOrder, IncidentStanding } from './incident-order.js'
import type { IncidentKind } from './incident-record.js'

/** What a step finds. */
export type StepState =
  | { readonly state: 'done'; readonly detail: string }
  /** The operator can do it. */
  | { readonly state: 'due'; readonly detail: string; readonly act: () => Promise<unknown> }
  /** Somebody else must; `call` is what, exactly, where it is a transaction. */
  | { readonly state: 'others'; readonly detail: string; readonly call?: ContractCall }
  /** It goes on by itself. */
  | { readonly state: 'waiting'; readonly detail: string }

/** One rung. */
export interface IncidentStep {
  readonly name: string
  look(): Promise<StepState>
}

/** What the steps work with. */
export interface IncidentPorts {
  readonly chain: IncidentChain
  /** Orders something of the running node. @throws NodeError `NODE_UNREACHABLE` */
  readonly order: (order: IncidentOrder) => Promise<IncidentStanding>
  readonly pools: readonly Address[]
  /** The node's statement key; undefined: the running node is asked, else the pools' key epochs. */
  readonly node: Address | undefined
  /** A key epoch was stolen again: the one in force now is given up too, though the incident has rotated before. */
  readonly again?: boolean
}

/**
 * @param kind what has happened
 * @param ports what the steps work with
 * @returns the steps, in order. What ends danger for others comes before what only concerns this node's keys.
 */
export function incidentSteps(kind: IncidentKind, ports: IncidentPorts): readonly IncidentStep[] {
  const { chain, order, pools } = ports
  const look = () => order({ order: 'look' })
  const node = () => nodeOf(ports)

  const notice: IncidentStep = {
    name: 'publish notice',
    async look() {
      const { incident } = await look()
      if (incident?.kinds.includes(kind) === true) return done('/v1/ready and the audit log say it')
      return due('say it in /v1/ready and in the audit log', () => order({ order: 'notice', kind }))
    },
  }
  const stopWork: IncidentStep = {
    name: 'stop work',
    async look() {
      const { incident, underWay } = await look()
      if (incident?.stopped === true && underWay > 0)
        return waiting(`${underWay} rounds or jobs under way end; nothing of the jobs is released`)
      if (incident?.stopped === true)
        return done('the node judges, runs and releases nothing, serves no hand-off and gives no part')
      return due('have the node judge, run and release nothing', () => order({ order: 'stop-work' }))
    },
  }
  const measurement: IncidentStep = {
    name: 'withdraw measurement',
    async look() {
      const { measurement: number } = await chain.node(await node())
      if (/^0x0+$/.test(number)) return done('the node was never registered')
      if (!(await chain.measurementListed(number))) return done(`${number} is not listed`)
      return byCall(chain, await chain.withdrawMeasurement(number), 'silence every node that runs it')
    },
  }
  const revoke: IncidentStep = {
    name: 'revoke node',
    async look() {
      const key = await node()
      const { revoked, measurement: number } = await chain.node(key)
      if (revoked) return done(`${key} is revoked for ever`)
      if (/^0x0+$/.test(number)) return done('the node was never registered')
      return byCall(chain, await chain.revokeNode(key), 'end the node’s statement key for ever')
    },
  }
  const pause = pools.map(
    (pool): IncidentStep => ({
      name: `pause pool ${pool}`,
      async look() {
        const { now, until, nextFrom } = await chain.pauseOf(pool)
        const next = `its guardian can pause it again from ${timeOf(nextFrom)}`
        if (until > now) return done(`nothing starts in it until ${timeOf(until)}; ${next}`)
        if (nextFrom > now) return others(`a pause has ended, and ${next}; until then only its vote stops it`)
        const call = await chain.pause(pool)
        // Such a pool has decided that nobody may stop it.
        if (call === null) return done('it has no guardian: nobody can pause it')
        return byCall(chain, call, 'stop contributions, payments and starts of jobs for a week')
      },
    }),
  )
  const rotate = pools.map((pool): IncidentStep => {
    /** The epoch in force when the ladder began: what `again` means. */
    let from: number | undefined
    return {
      name: `rotate key of pool ${pool}`,
      async look() {
        const { incident, node: own } = await look()
        const current = await chain.keyEpoch(pool)
        if (current === null) return done('it has no key yet')
        const first = incident?.epochs[pool]
        from ??= current.epoch
        const given = first !== undefined && incident?.kinds.includes('key') === true
        if (!given || (ports.again === true && first <= from)) {
          // Of a node that was silenced, this one takes over; one that works is asked itself.
          if (current.node !== own && (await chain.node(current.node)).active)
            return others(`epoch ${current.epoch} is of node ${current.node}, which is active`)
          return due(`give up epoch ${current.epoch}`, () =>
            order({ order: 'rotate', pool, from: current.epoch }),
          )
        }
        if (current.epoch >= first)
          return done(`epoch ${current.epoch} is in force; if it is in other hands as well: --again`)
        return waiting(`the node publishes epoch ${current.epoch + 1}`)
      },
    }
  })
  const rewrap = pools.map(
    (pool): IncidentStep => ({
      name: `re-wrap headers of pool ${pool}`,
      async look() {
        const { incident, pools: served } = await look()
        const first = incident?.epochs[pool]
        if (first === undefined) return waiting('after the key was rotated')
        const standing = served.find((one) => one.pool === pool)
        if (standing?.epoch === undefined || standing.epoch === null || standing.epoch < first)
          return waiting('after the key was rotated')
        if (standing.toRewrap === 0) return done(`all are readable with the key of epoch ${standing.epoch}`)
        return waiting(`the node moves ${standing.toRewrap} contributions to epoch ${standing.epoch}`)
      },
    }),
  )
  const replace = pools.map(
    (pool): IncidentStep => ({
      name: `another node for pool ${pool}`,
      async look() {
        const current = await chain.keyEpoch(pool)
        if (current !== null && current.node !== (await node()))
          return done(`epoch ${current.epoch} is of node ${current.node}`)
        return others(
          'a node with another root secret must be registered, and give up this epoch: sealpool-node incident key --yes with its settings',
        )
      },
    }),
  )
  switch (kind) {
    case 'vulnerable':
      return [notice, stopWork, measurement, ...pause]
    case 'workload':
      return [notice, stopWork, revoke, measurement, ...pause, ...replace]
    case 'key':
      return [notice, ...rotate, ...rewrap]
  }
}

/**
 * The way back: the notice is taken down and the node works again; pauses that their pools' votes may end before their time are named.
 * @param ports what the steps work with
 * @returns the steps
 */
export function endSteps(ports: IncidentPorts): readonly IncidentStep[] {
  const { chain, order, pools } = ports
  return [
    {
      name: 'end incident',
      async look() {
        const { incident, pools: served } = await order({ order: 'look' })
        const left = served.reduce((sum, { toRewrap }) => sum + toRewrap, 0)
        if (incident === null && left > 0)
          return waiting(
            `the notice is down; ${left} contributions are still moved off a key that was given up`,
          )
        if (incident === null) return done('the node knows of no incident')
        return due('take the notice down and work again', () => order({ order: 'end' }))
      },
    },
    ...pools.map(
      (pool): IncidentStep => ({
        name: `resume pool ${pool}`,
        async look() {
          const { now, until } = await chain.pauseOf(pool)
          if (until <= now) return done('it is not paused')
          const call = await chain.resume(pool)
          const detail = `its vote must propose this call, or the pause ends at ${timeOf(until)}`
          return { state: 'others', detail, call }
        },
      }),
    ),
  ]
}

/** The node that an incident is about. */
async function nodeOf({ chain, order, pools, node }: IncidentPorts): Promise<Address> {
  if (node !== undefined) return node
  try {
    return (await order({ order: 'look' })).node
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'NODE_UNREACHABLE') throw error
  }
  const epochs = await Promise.all(pools.map((pool) => chain.keyEpoch(pool)))
  const nodes = new Set(epochs.flatMap((epoch) => (epoch === null ? [] : [epoch.node])))
  const [only] = nodes
  if (only !== undefined && nodes.size === 1) return only
  throw new NodeError(
    'NODE_UNREACHABLE',
    '--node',
    'the node does not answer and its pools do not name one: give its statement key with --node ADDRESS',
  )
}

/** Done by the operator when the chain lets him, else given to who may. */
function byCall(chain: IncidentChain, call: ContractCall, detail: string): StepState {
  if (call.from === chain.operator) return due(detail, () => chain.send(call))
  return { state: 'others', detail: `${detail}: only ${call.from} may`, call }
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString()
const done = (detail: string): StepState => ({ state: 'done', detail })
const others = (detail: string): StepState => ({ state: 'others', detail })
const waiting = (detail: string): StepState => ({ state: 'waiting', detail })
const due = (detail: string, act: () => Promise<unknown>): StepState => ({ state: 'due', detail, act })

/** What became of a step. */
export interface StepOutcome {
  readonly name: string
  readonly outcome: 'done' | 'did' | 'due' | 'others' | 'waiting' | 'failed'
  readonly detail: string
  readonly call?: { readonly from: Address; readonly to: Address; readonly data: Hex; readonly says: string }
}

/**
 * Goes up the ladder. One step that fails does not hold up the others: what can be done is done.
 * @param steps the steps, in order
 * @param act false: only looks
 * @param wait waits a moment before a step that goes on by itself is looked at again; false when it has waited long enough
 * @returns what became of each
 */
export async function runSteps(
  steps: readonly IncidentStep[],
  act: boolean,
  wait: () => Promise<boolean>,
): Promise<readonly StepOutcome[]> {
  const outcomes: StepOutcome[] = []
  for (const step of steps) outcomes.push({ name: step.name, ...(await runStep(step, act, wait)) })
  return outcomes
}

async function runStep(
  step: IncidentStep,
  act: boolean,
  wait: () => Promise<boolean>,
): Promise<Omit<StepOutcome, 'name'>> {
  try {
    let found = await step.look()
    if (!act) return plain(found)
    const had = found.state === 'due' ? found.detail : undefined
    if (found.state === 'due') {
      await found.act()
      found = await step.look()
    }
    const waited = found.state === 'waiting'
    while (found.state === 'waiting' && (await wait())) found = await step.look()
    // What was done is done only when looking again says so.
    if (found.state === 'done' && (had !== undefined || waited))
      return { outcome: 'did', detail: found.detail }
    if (found.state === 'due')
      return { outcome: 'failed', detail: `it was sent, and is still to do: ${found.detail}` }
    return plain(found)
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'place' in error)
      return { outcome: 'failed', detail: error.message }
    // Errors of libraries may quote what they were given.
    return {
      outcome: 'failed',
      detail: `${error instanceof Error ? error.name : 'error'}; see the chain’s endpoint`,
    }
  }
}

function plain(found: StepState): Omit<StepOutcome, 'name'> {
  const call = found.state === 'others' ? found.call : undefined
  return { outcome: found.state, detail: found.detail, ...(call === undefined ? {} : { call }) }
}
