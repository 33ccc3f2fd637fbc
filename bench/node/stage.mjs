import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { register } from 'tsx/esm/api'

// The chain, the pools and the people are those of the node's own tests; the program and the workload those of chaos.
register()
const { poolWorld } = await import('../../packages/enclave-node/src/testing/pool-world.ts')
const { descendants } = await import('../../packages/enclave-node/src/testing/processes.ts')
const { startNodeProcess } = await import('../../chaos/node-process.ts')
const { killAll, residentBytes } = await import('../../chaos/process-list.ts')
const { seededRandom } = await import('../../chaos/seeded-random.ts')
const { makeWorkload, workerCount } = await import('../../chaos/workload.ts')

process.on('exit', killAll)

/**
 * A chain with pools, the real program on it as a process of its own, and a workload.
 *
 * @param options.settings changes the node's settings before its first start
 * @param options.secrets more of what the program finds in its environment
 * @returns the stage; call `close` at the end
 */
export async function openStage({ settings = (given) => given, secrets = {} } = {}) {
  const scratch = mkdtempSync(join(tmpdir(), 'sealpool-bench-node-'))
  const world = await poolWorld({ workers: workerCount })
  await writeFile(world.config, JSON.stringify(settings(JSON.parse(await readFile(world.config, 'utf8')))))
  const start = (config = world.config) =>
    startNodeProcess({
      config,
      secrets: { SEALPOOL_TRANSACTION_KEY: world.transactionKey, ...secrets },
      logFile: join(scratch, 'node.log'),
      clockFile: join(scratch, 'clock'),
    })
  let node = start()
  const firstListens = await listensAfter(node)
  let address = await node.url
  await world.register(address)
  const stage = {
    world,
    firstListens,
    workload: makeWorkload({ world, served: () => address, marker: 'BENCH', random: seededRandom(1) }),
    node: () => node,
    /** Starts the program again, as it was set up or on other settings. */
    launch(config) {
      node = start(config)
      return node
    },
    start,
    async ask(path, body) {
      const response = await fetch(
        `${await node.url}${path}`,
        body === undefined
          ? {}
          : {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify(body),
            },
      )
      // What ends a connection before the API saw the call (408, for one) has no body.
      const text = await response.text()
      if (text === '') throw new Error(`${path} was answered with ${response.status} and nothing else`)
      return JSON.parse(text)
    },
    /** Waits until the node that runs now says that it is ready. @returns seconds since its start */
    async ready() {
      address = await node.url
      for (;;) {
        if ((await stage.ask('/v1/ready')).ready) return (performance.now() - node.startedAt) / 1000
        await sleep(10)
      }
    },
    /** Waits until so many contributions are in the tables. */
    async refined(count) {
      for (;;) {
        const { states } = await stage.ask('/v1/contributions')
        if ((states.refused ?? 0) > 0) throw new Error(`the node refused ${states.refused} contributions`)
        if ((states.refined ?? 0) >= count) return
        await sleep(100)
      }
    },
    async close() {
      await node.stop()
      await world.close()
      rmSync(scratch, { recursive: true, force: true })
    },
  }
  await stage.ready()
  return stage
}

/** @returns seconds from the start of a program until it listens */
export async function listensAfter(node) {
  await node.url
  return (performance.now() - node.startedAt) / 1000
}

/** @returns resident memory of a node, its children left out, in MB */
export const residentMegabytes = async (node) => (await residentBytes(node.pid)) / 1e6

/** @returns processor seconds that a node and everything that it started have taken so far */
export async function processorSeconds(node) {
  let ticks = 0
  for (const pid of [node.pid, ...(await descendants(node.pid))]) {
    // One that has ended since is in the figures of its parent.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    for (const field of fields.slice(11, 15)) ticks += Number(field)
  }
  // Linux counts for programs in hundredths of a second, whatever the kernel does inside.
  return ticks / 100
}
