import type { Check } from '@sealpool/attest'
import type { Deployment } from '@sealpool/contracts'
import type { Address, JsonObject } from '@sealpool/crypto'
import type { Client } from 'viem'
import { readChainFacts } from '../verify/chain-facts.js'
import type { MeasurementLog } from '../verify/measurement-log.js'
import type { SummaryLine } from '../verify/readiness-summary.js'
import { type Readiness, verifyPool } from '../verify/verified-pool.js'
import { parseKeptBundle, requireKeptFor } from './kept-bundle.js'

/** What verifying kept evidence takes. */
export interface VerifyKeptOptions {
  /** What `keepEvidence` gave. */
  readonly kept: string
  /** The caller's own rule. Absent: no kept evidence is allowed, however young. */
  readonly keptEvidence?: { readonly maximumAgeSeconds: number }
  /** A viem client on the pool's chain, which is asked now. */
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
  /** The pool's policy as the contributor read it. */
  readonly policy: JsonObject
  /** A public log, which is asked now. */
  readonly log?: MeasurementLog
  readonly now?: () => Date
}

/** The answer to "may I send, though no node answers?". It is no fresh one, and says so. */
export interface KeptReadiness extends Readiness {
  readonly state: 'kept'
  /** How old the evidence is, by what was kept; negative where the clock went back. */
  readonly ageSeconds: number
}

/** As `verifyKept` of the entry, over a given clock. */
export async function verifyWith(
  options: VerifyKeptOptions & Required<Pick<VerifyKeptOptions, 'now'>>,
): Promise<KeptReadiness> {
  const { chain, deployment, pool, policy, keptEvidence, now } = options
  const bundle = parseKeptBundle(options.kept)
  requireKeptFor(bundle, options)
  const { at: keptAt, nonce, served, evidence } = bundle
  const facts = await readChainFacts(chain, { deployment, pool })
  const at = now()
  const logged = await options.log?.(facts.node.measurement, at)
  const { chainId, nodeRegistry } = deployment
  const answer = verifyPool({
    ...{ policy, pool, chainId, nodeRegistry, served, evidence, nonce, chain: facts, at },
    ...(logged === undefined ? {} : { logged }),
  })
  const ageSeconds = Math.floor((at.getTime() - Date.parse(keptAt)) / 1_000)
  const age = ageCheck(ageSeconds, keptEvidence?.maximumAgeSeconds)
  const allowed = age.result === 'pass'
  return {
    ...answer,
    state: 'kept',
    ageSeconds,
    ok: answer.ok && allowed,
    pool: allowed ? answer.pool : undefined,
    // The nonce was fresh when it was kept: nothing here may say that it is.
    checks: answer.checks.map((check) => (check.id === 'nonce' ? ofNonce(check, age) : check)),
    summary: answer.summary.map((line) => (line.id === 'fresh' ? ofFreshness(line, age) : line)),
  }
}

function ageCheck(ageSeconds: number, maximum: number | undefined): Check {
  const detail = `kept, ${ageSeconds} seconds old`
  const named = {
    id: 'evidence-kept',
    title: 'The node proved this earlier, and the proof was kept',
  } as const
  const fail = (why: string): Check => ({ ...named, result: 'fail', detail: `${detail}: ${why}` })
  if (maximum === undefined) return fail('no kept evidence is allowed; name keptEvidence.maximumAgeSeconds')
  if (!(ageSeconds >= 0)) return fail('it is from the future; set the clock')
  return ageSeconds <= maximum ? { ...named, result: 'pass', detail } : fail(`at most ${maximum} are allowed`)
}

function ofNonce(nonce: Check, age: Check): Check {
  return nonce.result === 'pass' ? age : { ...age, result: nonce.result, detail: nonce.detail }
}

function ofFreshness(line: SummaryLine, { title, result, detail }: Check): SummaryLine {
  const checks = line.checks.map((id) => (id === 'nonce' ? 'evidence-kept' : id))
  return line.result === 'pass' ? { ...line, title, result, detail, checks } : { ...line, title, checks }
}
