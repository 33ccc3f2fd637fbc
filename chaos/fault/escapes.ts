/** Hostile proofs of contribution, run by the node as it runs every pool's own code. */
import { readdir } from 'node:fs/promises'
import type { FaultReport } from '../fault-report.js'
import { attempts, harmlessRefusal } from '../hostile-pool.js'
import type { Scene } from '../scene.js'

/** Codes under which an attempt that fails may end: the run, not the host, came to an end. */
const failed = [
  'PROOF_FAILED',
  'POC_THREW',
  'POC_TIMEOUT',
  'POC_OUT_OF_MEMORY',
  'POC_STACK_OVERFLOW',
  'POC_OUT_OF_STEPS',
  'POC_OUTPUT_TOO_LARGE',
  'POC_OUTPUT_NOT_JSON',
]

/**
 * Makes one contribution for each attempt.
 * @param count how many attempts, chosen by the seed; all when there are fewer
 */
export async function escapesFault(
  scene: Scene,
  options: { readonly count: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const chosen = scene.random.shuffled(attempts).slice(0, options.count)
  const breaches: string[] = []
  const exports = chosen.map(({ name }, index) => ({
    pool: scene.hostile,
    worker: index % scene.world.workers.length,
    bytes: new TextEncoder().encode(
      JSON.stringify({ attempt: name, canary: `${scene.marker}-escape-${index}` }),
    ),
  }))
  const ids: string[] = []
  for (let at = 0; at < exports.length; at += 20) {
    ids.push(...(await scene.workload.contributeTo(exports.slice(at, at + 20), [...failed, harmlessRefusal])))
  }
  const left = await scene.workLeftAfter(180_000)
  if (left !== undefined) breaches.push(`the attempts were not all judged in 180 s: ${left}`)
  const outcomes = new Map<string, number>()
  for (const [index, id] of ids.entries()) {
    const { state, reason } = (await scene.ask(`/v1/contributions/${id}`)) as {
      state: string
      reason: string
    }
    const outcome = `${state} ${reason}`
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    const attempt = chosen[index]
    const expected = attempt?.harmless === 'fails' ? failed : [harmlessRefusal]
    if (state !== 'refused' || !expected.includes(reason)) {
      breaches.push(`${attempt?.name}: ended as ${outcome}`)
    }
  }
  const written = (await readdir('/tmp')).filter((name) => name === 'escaped')
  if (written.length > 0) breaches.push('an attempt has written /tmp/escaped')
  options.say(`sandbox escapes: ${chosen.length} attempts through the node`)
  return {
    fault: 'sandbox escapes',
    injected: chosen.length,
    notes: [...outcomes].map(([outcome, count]) => `${outcome}: ${count}`),
    breaches,
  }
}
