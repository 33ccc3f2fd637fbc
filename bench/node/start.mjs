import { setTimeout as sleep } from 'node:timers/promises'
import { processorSeconds } from './stage.mjs'

/**
 * Starts the program again and again: after an end in good order, and after kill -9 under work.
 *
 * @param stage a stage with work done
 * @param times how often each
 * @returns seconds until ready, and processor seconds of them, for each start
 */
export async function starts(stage, times) {
  const ordered = []
  const killed = []
  const launched = async (into) => {
    const node = stage.launch()
    const seconds = await stage.ready()
    into.push({ seconds, processor: await processorSeconds(node) })
  }
  for (let turn = 0; turn < times; turn++) {
    const { code } = await stage.node().stop()
    if (code !== 0) throw new Error(`the node did not stop in good order: ${code}`)
    await launched(ordered)
  }
  for (let turn = 0; turn < times; turn++) {
    await stage.workload.contribute(20)
    await stage.workload.job()
    // Somewhere in the work.
    await sleep(100 + (turn * 700) / times)
    await stage.node().kill()
    await launched(killed)
  }
  return { ordered, killed }
}
