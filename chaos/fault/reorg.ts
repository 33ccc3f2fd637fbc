/** A chain that is reorganised, under and past the node's confirmations. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultReport } from '../fault-report.js'
import { rpc } from '../rpc-proxy.js'
import { confirmations, type Scene } from '../scene.js'

/** Milliseconds between the blocks of a chain that is reorganised. */
export const reorganisedBlockMs = 400

/** Takes 1 to 12 blocks off, in an order that the seed gives. @param count how many reorganisations */
export async function reorgFault(
  scene: Scene,
  options: { readonly count: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const notes: string[] = []
  const depths = scene.random.shuffled(Array.from({ length: 12 }, (_, index) => index + 1))
  let lost = { contributions: 0, jobs: 0 }
  let undone = 0
  let mined = 0
  const off = scene.node().onLine(({ msg }) => {
    if (msg.startsWith('the chain was reorganised')) undone += 1
  })
  const url = scene.world.devnet.rpcUrl
  // First the one that every chain brings: a block within the confirmations goes, and what the node has just sent with it.
  await scene.workload.contribute(2)
  await nextTransaction(scene)
  await sleep(reorganisedBlockMs)
  await rpc(url, 'anvil_reorg', [confirmations, []])
  await rpc(url, 'anvil_mine', ['0x3'])
  await scene.workload.forgetLost()
  notes.push(`one of ${confirmations} blocks right after the node has sent something, which is gone`)
  for (let index = 0; index < options.count; index++) {
    const depth = depths[index % depths.length] ?? 1
    await scene.workload.contribute(2)
    await scene.workload.job()
    // Deep ones come right after the node has acted on what is about to vanish, the others at any time.
    if (depth > 2 * confirmations) await nextTransaction(scene)
    await sleep(scene.random.integer(0, 2 * reorganisedBlockMs))
    // On a chain that others use as well, what was in the lost blocks waits for another block; here and there it does not.
    const again = scene.random.integer(0, 2) > 0 ? await transactionsOf(url, depth) : []
    await rpc(url, 'anvil_reorg', [depth, []])
    const code = await rpc(url, 'eth_getCode', [scene.world.deployment.nodeRegistry, 'latest'])
    if (code === '0x') throw new Error('anvil has lost its state; that is no fault of the node')
    for (const raw of again) {
      await rpc(url, 'eth_sendRawTransaction', [raw]).then(
        () => {
          mined += 1
        },
        // It spent what only another lost transaction brought, or its number is taken: it stays lost, and `forgetLost` sees that.
        () => undefined,
      )
    }
    // The other branch is the longer one.
    await rpc(url, 'anvil_mine', ['0x2'])
    const now = await scene.workload.forgetLost()
    lost = { contributions: lost.contributions + now.contributions, jobs: lost.jobs + now.jobs }
    await sleep(300)
    if (!scene.node().isRunning()) {
      breaches.push(`the node ended in a reorganisation of ${depth} blocks`)
      scene.launch()
      await scene.ready()
    }
  }
  notes.push(await takeReservedJob(scene))
  off()
  notes.push(
    `depths ${Array.from({ length: options.count }, (_, index) => depths[index % depths.length]).join(', ')}`,
    `${undone} of them were deep enough for the node to undo something`,
    `${mined} transactions of lost blocks came into another block`,
    `gone with the lost blocks: ${lost.contributions} contributions and ${lost.jobs} paid jobs`,
  )
  options.say(`reorganisations: ${options.count}`)
  return { fault: 'reorganisations', injected: options.count + 2, notes, breaches }
}

/** Most blocks that anvil 1.7.1 takes off a young chain and keeps its state. */
const deepest = 16
const slowBlockMs = 2_000

/**
 * Takes a whole job off the chain once the node has reserved its inputs and charged for it, and nothing brings it back: what the node keeps
 * of it must hold up nobody. @returns what came of it, in words
 */
async function takeReservedJob(scene: Scene): Promise<string> {
  const url = scene.world.devnet.rpcUrl
  const headNow = async () => Number(await rpc(url, 'eth_blockNumber', []))
  // Slow blocks, so that a busy machine gets as far within those that can be taken off.
  scene.mining.every(slowBlockMs)
  const before = await headNow()
  const id = await scene.workload.job()
  for (;;) {
    const depth = (await headNow()) - before
    const { state } = (await scene.ask(`/v1/jobs/${id}`).catch(() => ({}))) as { state?: string }
    const reserved = state === 'running' || state === 'charged'
    if (!reserved && depth < deepest) {
      await sleep(50)
      continue
    }
    await rpc(url, 'anvil_reorg', [depth, []])
    await rpc(url, 'anvil_mine', ['0x2'])
    scene.mining.every(null)
    const lost = await scene.workload.forgetLost()
    return reserved && lost.jobs > 0
      ? `a job that was ${state} vanished with ${depth} blocks and never came again`
      : `no job was reserved within ${deepest} blocks: none vanished so`
  }
}

/** Waits until the node sends a transaction, or for ten seconds. */
async function nextTransaction(scene: Scene): Promise<void> {
  const seen = new Promise<void>((resolve) => {
    scene.chain[0].onTransaction('watch', async () => resolve())
  })
  await Promise.race([seen, sleep(10_000)])
}

/** Transactions of the newest blocks as they were sent, oldest first. */
async function transactionsOf(url: string, depth: number): Promise<string[]> {
  const head = Number(await rpc(url, 'eth_blockNumber', []))
  const found: string[] = []
  for (let number = head - depth + 1; number <= head; number++) {
    const block = (await rpc(url, 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as {
      transactions: readonly string[]
    }
    for (const hash of block.transactions) {
      found.push((await rpc(url, 'eth_getRawTransactionByHash', [hash])) as string)
    }
  }
  return found
}
