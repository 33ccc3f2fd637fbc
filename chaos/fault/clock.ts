/**
 * The node's clock, as JavaScript sees it, set back and forward: while it runs, and while it is down. The kernel's clock and
 * timers stay as they are.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultReport } from '../fault-report.js'
import type { Scene } from '../scene.js'

const shifts = [3_600, -3_600, 400 * 86_400, -400 * 86_400] as const

/** Injects shifts, every second one with a restart under it. @param count how many, chosen by the seed */
export async function clockFault(
  scene: Scene,
  options: { readonly count: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const notes: string[] = []
  const chosen = scene.random.shuffled(shifts).slice(0, options.count)
  for (const [index, seconds] of chosen.entries()) {
    await scene.setClock(seconds)
    await sleep(250)
    await scene.workload.contribute(2)
    await scene.workload.job()
    const restart = index % 2 === 1
    if (restart) {
      await scene.kill()
      scene.launch()
      await scene
        .ready()
        .catch((error: Error) => breaches.push(`with the clock at ${seconds} s: ${error.message}`))
    }
    await sleep(500)
    notes.push(`${seconds > 0 ? '+' : ''}${seconds} s${restart ? ', started under it' : ''}`)
    if (!scene.node().isRunning()) {
      breaches.push(`the node ended when its clock was set by ${seconds} s`)
      await scene.setClock(0)
      scene.launch()
      await scene.ready()
    }
    await scene.setClock(0)
    await sleep(250)
  }
  options.say(`clock: ${chosen.length} faults`)
  return { fault: 'clock', injected: chosen.length, notes, breaches }
}
