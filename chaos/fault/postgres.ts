/** The state on a PostgreSQL server: the server is restarted under work, and the leader of a group is killed in a job. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { simulatorFile } from '../../packages/enclave-node/src/evidence/simulator-quote-provider.js'
import { developmentKeyFile } from '../../packages/enclave-node/src/key/development-key-release.js'
import type { PostgresServer } from '../../packages/enclave-node/src/testing/postgresql-server.js'
import type { FaultReport } from '../fault-report.js'
import type { Scene } from '../scene.js'

/** What starts a node again when it has ended does so after this time; systemd's default is 100 ms. */
const restartAfterMs = 100

/** Restarts the server under work; the node loses its lead, ends, and is started again. */
export async function postgresFault(
  scene: Scene,
  server: PostgresServer,
  options: { readonly restarts: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const counts = { ended: 0, lived: 0 }
  for (let restart = 0; restart < options.restarts; restart++) {
    await scene.workload.contribute(3)
    await scene.workload.job()
    await sleep(scene.random.integer(0, 1_500))
    await server.restart(restart % 2 === 0 ? 'fast' : 'immediate')
    const node = scene.node()
    const ended = await Promise.race([node.ended.then(() => true), sleep(10_000).then(() => false)])
    counts[ended ? 'ended' : 'lived'] += 1
    if (!ended) continue
    await sleep(restartAfterMs)
    scene.launch()
    try {
      scene.recoveries.push(await scene.ready())
    } catch (error) {
      breaches.push(`after restart ${restart + 1}: ${error instanceof Error ? error.message : error}`)
    }
  }
  options.say(`PostgreSQL restarted ${options.restarts} times`)
  return {
    fault: 'PostgreSQL restarted',
    injected: options.restarts,
    notes: [
      `fast and immediate in turn; the node ended ${counts.ended} times and was started again, lived on ${counts.lived} times`,
    ],
    breaches,
  }
}

/** Kills the leader of a group in a job while another node stands by. */
export async function leaderFault(
  scene: Scene,
  options: { readonly kills: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const { world } = scene
  const settings = JSON.parse(await readFile(world.config, 'utf8')) as Record<string, unknown>
  await mkdir(join(world.folder, 'heir'))
  for (const file of [simulatorFile, developmentKeyFile]) {
    await cp(join(world.data, file), join(world.folder, 'heir', file))
  }
  const heirConfig = join(world.folder, 'heir.json')
  await writeFile(heirConfig, JSON.stringify({ ...settings, dataDirectory: 'heir' }))
  const settled: number[] = []
  for (let kill = 0; kill < options.kills; kill++) {
    const leader = scene.node()
    const heir = scene.launch(kill % 2 === 0 ? heirConfig : world.config)
    // It stands by as soon as it says so, or within the time that a start takes.
    await new Promise<void>((resolve) => {
      heir.onLine(({ msg }) => msg.startsWith('another node leads') && resolve())
      void sleep(20_000).then(resolve)
    })
    await scene.workload.job()
    await new Promise<void>((resolve) => {
      leader.onLine(({ msg }) => msg === 'job moved' && resolve())
      void sleep(5_000).then(resolve)
    })
    scene.orphans.push(...(await leader.kill()))
    const began = performance.now()
    await scene.ready().catch((error: Error) => breaches.push(`the heir does not lead: ${error.message}`))
    const left = await scene.workLeftAfter(90_000)
    if (left !== undefined) breaches.push(`the job was not settled in 90 s: ${left}`)
    settled.push(Math.round(performance.now() - began))
  }
  options.say(`leader killed ${options.kills} times`)
  return {
    fault: 'leader of a group killed',
    injected: options.kills,
    notes: [`everything settled ${settled.join(', ')} ms after the kill`],
    breaches,
  }
}
