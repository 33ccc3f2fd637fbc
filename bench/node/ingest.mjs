import { processorSeconds, residentMegabytes } from './stage.mjs'

/** How many contributions go to the chain in one transaction. */
const atOnce = 50

/**
 * Feeds a node whose tables have rows already, a quarter of the contributions at a time.
 *
 * @param stage a stage with its first contributions
 * @param before how many contributions are in its tables
 * @param total how many more it gets
 * @returns for each quarter: seconds from the first sealing to the last row, processor seconds of the node, its memory at the end
 */
export async function ingest(stage, before, total) {
  const quarter = Math.floor(total / 4)
  const rows = []
  for (let index = 0; index < 4; index++) {
    const began = performance.now()
    const used = await processorSeconds(stage.node())
    for (let sent = 0; sent < quarter; sent += atOnce)
      await stage.workload.contribute(Math.min(atOnce, quarter - sent))
    await stage.refined(before + (index + 1) * quarter)
    rows.push({
      contributions: quarter,
      seconds: (performance.now() - began) / 1000,
      processor: (await processorSeconds(stage.node())) - used,
      megabytes: await residentMegabytes(stage.node()),
    })
  }
  return rows
}
