/**
 * Endpoints of the chain that stall, break, lie and stand still. Both endpoints are ours; the node is told that they belong to
 * two parties, and the second one is always honest where the first one lies.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultReport } from '../fault-report.js'
import type { RpcMode } from '../rpc-proxy.js'
import type { Scene } from '../scene.js'

/** Set for both endpoints or for the first one alone. */
const plans: readonly (readonly [string, RpcMode, 'first' | 'second' | 'both'])[] = [
  ['stalls', 'stall', 'both'],
  ['breaks off in an answer', 'half', 'first'],
  ['is out of order', 'error', 'both'],
  ['answers no JSON', 'garbage', 'first'],
  ['closes connections', 'cut', 'both'],
  ['lies about the head', 'lie-head', 'first'],
  ['lies about events', 'lie-logs', 'first'],
  ['lies about state', 'lie-state', 'first'],
  ['stands still, the other goes on', 'frozen', 'first'],
  ['the other one stands still', 'frozen', 'second'],
]

/** How long the node may take to ask again. */
const patienceMs = 40_000

/** Injects each of them under work. @param seconds how long each */
export async function rpcFault(
  scene: Scene,
  options: { readonly seconds: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const notes: string[] = []
  let noticed = 0
  const off = scene.node().onLine(({ err }) => {
    const { code, message } = (err ?? {}) as { code?: string; message?: string }
    // Two reads at once may be answered in the other order: that is no deception (a known fault, see known.ts).
    if (message?.includes('the chain went back') === true) return
    if (code === 'CHAIN_DISAGREES' || code === 'CHAIN_STALE') noticed += 1
  })
  for (const [what, mode, which] of plans) {
    await scene.workload.contribute(2)
    if (scene.random.integer(0, 1) === 0) await scene.workload.job()
    const [first, second] = scene.chain
    const count = () => first.counts.altered + second.counts.altered
    const before = { altered: count(), noticed }
    if (which !== 'second') first.set(mode)
    if (which !== 'first') second.set(mode)
    await sleep(options.seconds * 1000)
    // A node that has failed several times waits longer and longer before it asks again.
    const deceives = mode.startsWith('lie') || mode === 'frozen'
    for (let waited = 0; waited < patienceMs; waited += 50) {
      if (count() > before.altered && (!deceives || noticed > before.noticed)) break
      await sleep(50)
    }
    first.set('pass')
    second.set('pass')
    const altered = count() - before.altered
    notes.push(`${what}: ${altered} answers`)
    if (altered === 0) breaches.push(`an endpoint that ${what} was never asked: nothing was shown`)
    else if (deceives && noticed === before.noticed) {
      breaches.push(`an endpoint ${what}, and the node did not say that the two disagree`)
    }
    if (!scene.node().isRunning()) {
      breaches.push(`the node ended when an endpoint ${what}`)
      scene.launch()
      await scene.ready()
    }
  }
  off()
  notes.push(`the node said ${noticed} times that endpoints disagree or stand still`)
  options.say(`endpoints: ${plans.length} faults`)
  return { fault: 'chain endpoints', injected: plans.length, notes, breaches }
}
