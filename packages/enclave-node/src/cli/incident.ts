/**
 * `sealpool-node incident`: the ladder as a command.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, parseAddress } from '@sealpool/crypto'
import type { NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import { NodeError } from '../errors.js'
import { incidentChain } from '../incident/incident-chain.js'
import { type IncidentKind, incidentKinds } from '../incident/incident-record.js'
import {
  endSteps,
  type IncidentPorts,
  incidentSteps,
  runSteps,
  type StepOutcome,
} from '../incident/incident-steps.js'
import { operatorSocket, sendOrder } from '../incident/operator-socket.js'

/** What is asked for: a kind of incident, or its end. */
export type IncidentAsk = IncidentKind | 'end'

/** Milliseconds after which a step that goes on by itself is left to the next run. */
const patienceMs = 60_000
const lookAgainMs = 200

/** @returns what a word on the command line asks for; undefined when it is none of them */
export function incidentAsk(word: string | undefined): IncidentAsk | undefined {
  return [...incidentKinds, 'end' as const].find((one) => one === word)
}

/**
 * Runs the ladder.
 * @param options settings and secrets of the node; `act`: false only looks; `node`: its statement key, where it cannot be asked
 * @returns what became of each step
 * @throws NodeError `CONFIG_INVALID` for a node that is no address, or a data folder whose name is too long
 */
export async function runIncident(options: {
  readonly ask: IncidentAsk
  readonly config: NodeConfig
  readonly secrets: NodeSecrets
  readonly act: boolean
  readonly node?: string | undefined
  /** Of kind `key`: the epoch in force now is given up too, though the incident has rotated before. */
  readonly again?: boolean | undefined
}): Promise<readonly StepOutcome[]> {
  const { ask, config, secrets, act } = options
  const path = operatorSocket(config.dataDirectory)
  if (path === undefined) {
    throw new NodeError('CONFIG_INVALID', 'dataDirectory', 'its name is too long for a socket; move it')
  }
  const ports: IncidentPorts = {
    chain: incidentChain(config, secrets.transactionKey),
    order: (order) => sendOrder(path, order),
    pools: config.pools.map(({ address }) => address),
    node: options.node === undefined ? undefined : addressOf(options.node),
    again: options.again === true,
  }
  const end = performance.now() + patienceMs
  return runSteps(ask === 'end' ? endSteps(ports) : incidentSteps(ask, ports), act, async () => {
    await sleep(lookAgainMs)
    return performance.now() < end
  })
}

function addressOf(text: string): Address {
  try {
    return parseAddress(text.toLowerCase())
  } catch (cause) {
    throw new NodeError('CONFIG_INVALID', '--node', 'expected 0x and 40 hexadecimal digits', { cause })
  }
}

const marks: Readonly<Record<StepOutcome['outcome'], string>> = {
  done: 'done before',
  did: 'done',
  due: 'to do',
  others: 'FOR OTHERS',
  waiting: 'waits',
  failed: 'FAILED',
}

/**
 * @param outcomes of {@link runIncident}
 * @param act whether anything was to be done
 * @returns the same for people
 */
export function incidentText(outcomes: readonly StepOutcome[], act: boolean): string {
  const lines = outcomes.flatMap(({ name, outcome, detail, call }) => [
    `${marks[outcome].padEnd(11)}  ${name}: ${detail}`,
    ...(call === undefined
      ? []
      : [
          `             ${call.says}`,
          `             from ${call.from}`,
          `             to   ${call.to}`,
          `             data ${call.data}`,
        ]),
  ])
  return [...(act ? [] : ['Nothing was done; --yes does what is to do.']), ...lines].join('\n')
}

/**
 * @param outcomes of {@link runIncident}
 * @param act whether anything was to be done
 * @returns 0 when nothing failed and, having acted, nothing is left to anybody; else 1
 */
export function incidentExitCode(outcomes: readonly StepOutcome[], act: boolean): 0 | 1 {
  const fine: readonly string[] = act ? ['done', 'did'] : ['done', 'due', 'others', 'waiting']
  return outcomes.every(({ outcome }) => fine.includes(outcome)) ? 0 : 1
}
