import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks for plans, all at once and once more as often.
 *
 * @param stage a stage with rows
 * @param manifest what is asked
 * @param options.atOnce calls under way at the same time
 * @param options.rounds how often
 * @returns milliseconds of each answer
 */
export async function plans(stage, manifest, { atOnce, rounds }) {
  const times = []
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        const began = performance.now()
        const answer = await stage.ask('/v1/plan', { manifest })
        if (answer.ok !== true) throw new Error(`the node would not plan it: ${JSON.stringify(answer.error)}`)
        times.push(performance.now() - began)
      }),
    )
  }
  return times
}

/**
 * Has jobs wait at a node that was stopped, and starts it.
 *
 * @param stage a stage on which jobs were opened
 * @param count how many
 * @returns seconds from the moment that the node is ready until each was settled
 */
export async function jobs(stage, count) {
  const { states: before } = await stage.ask('/v1/jobs')
  await stage.node().stop()
  for (let index = 0; index < count; index++) await stage.workload.job()
  stage.launch()
  await stage.ready()
  const began = performance.now()
  const times = []
  while (times.length < count) {
    const { states } = await stage.ask('/v1/jobs')
    if ((states.refused ?? 0) + (states.closed ?? 0) > 0) throw new Error('the node refused a job')
    const settled = (states.settled ?? 0) - (before.settled ?? 0)
    while (times.length < settled) times.push((performance.now() - began) / 1000)
    await sleep(50)
  }
  return times
}
