/**
 * Somebody was inside the node: its key never counts again, its code counts no more, and another node with another root secret takes over.
 * @module
 */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { getPool } from '@sealpool/contracts'
import { runIncident } from '../cli/incident.js'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { nodeLogger } from '../runtime/logger.js'
import { startNode } from '../runtime/start-node.js'
import { checkLadder } from './check-ladder.js'
import { clientOf, contribute, grantedQuestion, refined, saysNo, waitFor } from './drill-people.js'
import type { DrillStage } from './run-drill.js'
import { checkSilenced } from './silenced-node.js'

const contributors = [0, 1, 2]

/** Runs the drill. @param stage what it works with */
export async function drillWorkload(stage: DrillStage): Promise<void> {
  const { devnet } = stage
  const pool = devnet.pool.pool.toLowerCase()
  const replacement = `another node for pool ${pool}`
  for (const index of contributors) await contribute(devnet, index)
  await refined(devnet, contributors.length)
  const { jobId, analyst } = await grantedQuestion(devnet, contributors)
  await checkLadder(stage, 'workload', {
    forOthers: 3,
    between: () => analyst.fund(jobId),
    left: [replacement],
  })
  await checkSilenced(stage, jobId)
  await stage.check('its key is revoked for ever: fresh evidence does not bring it back', async () => {
    try {
      await devnet.register()
      return 'it was registered again'
    } catch (error) {
      const name = (error as { readonly revert?: { readonly name: string } }).revert?.name
      return name === 'NodeKeyRevoked' || `it was refused for ${name ?? 'another reason'}`
    }
  })
  await takeOver(stage)
  await stage.check('the ladder sees that another node has taken over', async () => {
    const step = (await stage.incident('workload', false)).find(({ name }) => name === replacement)
    return step?.outcome === 'done' || (step?.detail ?? 'there is no such step')
  })
}

/** A node on the same machine, so with the same simulator, and with a root secret of its own. */
async function takeOver(stage: DrillStage): Promise<void> {
  const { devnet } = stage
  const dataDirectory = join(devnet.folder, 'other')
  await mkdir(dataDirectory)
  await copyFile(join(devnet.config.dataDirectory, simulatorFile), join(dataDirectory, simulatorFile))
  const config = { ...devnet.config, dataDirectory, api: { ...devnet.config.api, port: 0 } }
  const other = await startNode(config, devnet.secrets, {
    log: nodeLogger({ level: 'silent', simulated: true }),
  })
  try {
    await stage.check('another node takes over the pool, with a key of its own', async () => {
      await devnet.register(other)
      const outcomes = await runIncident({ ask: 'key', config, secrets: devnet.secrets, act: true })
      const failed = outcomes.find(({ outcome }) => outcome !== 'did' && outcome !== 'done')
      if (failed !== undefined) return `${failed.name}: ${failed.detail}`
      const { keyEpoch } = await getPool(devnet.chain.walletOf(devnet.chain.consumer), {
        pool: devnet.pool.pool,
        deployment: devnet.chain.deployment,
      })
      return keyEpoch?.epoch === 2 && keyEpoch.node.toLowerCase() === other.keySet.statement.address
    })
    await stage.check('clients send to the other node, and not to the first', async () => {
      const client = clientOf(devnet, devnet.chain.consumer, other.url)
      await waitFor('the other node is ready', async () => (await client.ready()).ok)
      return saysNo(devnet)
    })
  } finally {
    await other.stop()
  }
}
