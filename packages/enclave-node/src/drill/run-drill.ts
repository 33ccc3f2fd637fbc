/**
 * A drill: an incident of each kind on a devnet of its own, by the very code that `sealpool-node incident` runs, and whether the end
 * state is what was promised. SIMULATED.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Hex } from '@sealpool/crypto'
import { getTransactionCount, sendTransaction, waitForTransactionReceipt } from 'viem/actions'
import { verifyAudit } from '../audit/audit-chain.js'
import { type IncidentAsk, runIncident } from '../cli/incident.js'
import { auditPath } from '../config/data-folders.js'
import { type DevnetNode, startDevnetNode } from '../devnet/start-devnet-node.js'
import { NodeError } from '../errors.js'
import type { IncidentKind } from '../incident/incident-record.js'
import type { StepOutcome } from '../incident/incident-steps.js'
import { drillKey } from './drill-key.js'
import { drillVulnerable } from './drill-vulnerable.js'
import { drillWorkload } from './drill-workload.js'

/** One thing that was looked at. */
export interface DrillCheck {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** What a drill works with. */
export interface DrillStage {
  readonly devnet: DevnetNode
  /** Runs the ladder as the operator. */
  incident(ask: IncidentAsk, act: boolean): Promise<readonly StepOutcome[]>
  /** Sends what the ladder printed for others, to the byte, as who may. @returns how many transactions */
  sendForOthers(outcomes: readonly StepOutcome[]): Promise<number>
  /** Notes something that was looked at. @param look answers whether it is so; what it throws is a no */
  check(name: string, look: () => Promise<boolean | string> | boolean | string): Promise<void>
  /** Transactions that operator and founder have sent. */
  sent(): Promise<number>
  /** What `/v1/ready` says. */
  readiness(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>
}

/**
 * Runs a drill.
 * @param kind of incident
 * @param say told what goes on
 * @param stopped resolves when it shall end at once: the devnet is removed, and the drill has failed
 * @returns what was looked at
 * @throws ContractsError `ANVIL_NOT_FOUND`, naming the remedy; what a devnet cannot start for
 */
export async function runDrill(
  kind: IncidentKind,
  say: (line: string) => void,
  stopped: Promise<unknown> = new Promise(() => undefined),
): Promise<readonly DrillCheck[]> {
  say(`SIMULATED: drill ${kind} on a devnet of its own`)
  const devnet = await startDevnetNode({ port: 0 })
  const checks: DrillCheck[] = []
  try {
    const stage = stageOf(devnet, checks, say)
    const drills = { vulnerable: drillVulnerable, workload: drillWorkload, key: drillKey }
    const ended = stopped.then(() => {
      throw new NodeError('INTERRUPTED', 'drill', 'it was stopped before its end; run it again')
    })
    await Promise.race([drills[kind](stage), ended])
    await stage.check('the audit log verifies, and names the incident', () => {
      const verdict = verifyAudit(readFileSync(auditPath(devnet.config), 'utf8'))
      if (!verdict.ok) return `line ${verdict.line}: ${verdict.why}`
      return verdict.entries.some(({ event, facts }) => event === 'incident' && facts['kind'] === kind)
    })
  } catch (error) {
    // What could not be drilled is a failure like any other.
    checks.push({ name: 'the drill ran to its end', ok: false, detail: wordsOf(error) })
  } finally {
    await devnet.stop()
  }
  return checks
}

function stageOf(devnet: DevnetNode, checks: DrillCheck[], say: (line: string) => void): DrillStage {
  const { chain, config, secrets } = devnet
  const founder = chain.walletOf(chain.founder)
  return {
    devnet,
    incident: (ask, act) => runIncident({ ask, config, secrets, act }),
    async sendForOthers(outcomes) {
      const calls = outcomes.flatMap(({ call }) => call ?? [])
      for (const { from, to, data } of calls) {
        if (from !== chain.founder.address) throw new RangeError('a call is for nobody of the devnet')
        const hash: Hex = await sendTransaction(founder, { to, data })
        await waitForTransactionReceipt(founder, { hash })
      }
      return calls.length
    },
    async check(name, look) {
      let found: boolean | string
      try {
        found = await look()
      } catch (error) {
        found = wordsOf(error)
      }
      const ok = found === true
      checks.push({ name, ok, detail: typeof found === 'string' ? found : ok ? '' : 'it is not so' })
      say(`${ok ? 'pass' : 'FAIL'} ${name}`)
    },
    async sent() {
      const counts = await Promise.all(
        [chain.operator, chain.founder].map(({ address }) => getTransactionCount(founder, { address })),
      )
      return counts.reduce((sum, count) => sum + count, 0)
    },
    async readiness() {
      const response = await fetch(`${devnet.node().url}/v1/ready`, { signal: AbortSignal.timeout(10_000) })
      return (await response.json()) as { readonly ready: boolean; readonly reasons: readonly string[] }
    },
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? error.message : `failed (${String(error)})`
}
