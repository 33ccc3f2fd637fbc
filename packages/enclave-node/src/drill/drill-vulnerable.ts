/**
 * The code has a flaw: no node that runs it may go on, and nobody may send it anything.
 * @module
 */

import { checkLadder } from './check-ladder.js'
import { contribute, grantedQuestion, refined } from './drill-people.js'
import type { DrillStage } from './run-drill.js'
import { checkSilenced } from './silenced-node.js'

const contributors = [0, 1, 2]

/** Runs the drill. @param stage what it works with */
export async function drillVulnerable(stage: DrillStage): Promise<void> {
  const { devnet } = stage
  for (const index of contributors) await contribute(devnet, index)
  await refined(devnet, contributors.length)
  const { jobId, analyst } = await grantedQuestion(devnet, contributors)
  await checkLadder(stage, 'vulnerable', {
    forOthers: 2,
    // Paid while the node has stopped and the chain has not heard of it yet.
    between: () => analyst.fund(jobId),
    left: [],
  })
  await checkSilenced(stage, jobId)
  await stage.check(
    'the notice can be taken down, and the pool’s vote is given what it must propose',
    async () => {
      const [ended, resume] = await stage.incident('end', true)
      const { reasons } = await stage.readiness()
      return (
        ended?.outcome === 'did' &&
        resume?.outcome === 'others' &&
        resume.call?.from === devnet.pool.timelock.toLowerCase() &&
        !reasons.some((reason) => reason.startsWith('incident'))
      )
    },
  )
}
