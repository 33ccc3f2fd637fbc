/**
 * What holds for every node that was silenced, whatever it was silenced for.
 * @module
 */
import { getJob, isNodeActive, startContext, startJob } from '@sealpool/contracts'
import { type Address, hexToDigest } from '@sealpool/crypto'
import { proofOf } from '../chain/send-once.js'
import { configDigest } from '../config/node-config.js'
import type { DevnetNode } from '../devnet/start-devnet-node.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import { openPlatform } from '../runtime/open-platform.js'
import { clientOf, saysNo } from './drill-people.js'
import type { DrillStage } from './run-drill.js'

/** The keys of the devnet's node, as somebody has them who was inside it. */
export async function keysOf({ config }: DevnetNode) {
  return openKeyRing(await openPlatform(config).keyRelease.release(), configDigest(config))
}

/** Looks at a node that no longer counts. @param job a paid job that it has not begun */
export async function checkSilenced(stage: DrillStage, job: bigint): Promise<void> {
  const { devnet } = stage
  const { deployment } = devnet.chain
  await stage.check('the registry does not count the node any more', async () => {
    const { address } = devnet.node().keySet.statement
    return !(await isNodeActive(devnet.chain.walletOf(devnet.chain.consumer), {
      deployment,
      statementKey: address,
    }))
  })
  await stage.check('a client’s ready() says no', () => saysNo(devnet))
  await stage.check('the chain refuses the node’s jobs, also when it does not obey', async () => {
    const keys = await keysOf(devnet)
    const sign = nodeSigner({
      statementKey: keys.statementKey,
      chainId: devnet.chain.chainId,
      registry: deployment.nodeRegistry.toLowerCase() as Address,
    })
    const { pools, manifestDigest } = await getJob(devnet.chain.walletOf(devnet.chain.operator), {
      deployment,
      jobId: job,
    })
    const statement = sign({
      type: 'sealpool/start',
      body: { job: job.toString(), manifest: hexToDigest(manifestDigest) },
      ...startContext({
        deployment: sign.deployment,
        nonce: 0n,
        jobId: job,
        pools: pools.map(({ pool }) => pool),
        manifestDigest,
      }),
    })
    try {
      await startJob(devnet.chain.walletOf(devnet.chain.operator), {
        deployment,
        jobId: job,
        statement: proofOf(statement),
      })
      return 'the chain took it'
    } catch (error) {
      const name = (error as { readonly revert?: { readonly name: string } }).revert?.name
      return name === 'StatementSignerNotActive' || `it was refused for ${name ?? 'another reason'}`
    }
  })
  await stage.check('the job was not begun', async () => {
    const { state } = await clientOf(devnet, devnet.chain.consumer).node.job(job.toString())
    return state === 'seen' || state === 'waiting' || `it is ${state}`
  })
  await stage.check('the notice and the stop survive a restart', async () => {
    await devnet.restart()
    const { ready, reasons } = await stage.readiness()
    return !ready && reasons.some((reason) => /^incident: .*takes no work$/.test(reason))
  })
}
