/**
 * Two nodes for one pool: a second program on the same data folder, and a copy of the whole disk, with the same keys and the
 * same history, that races for the same job.
 * @module
 */
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultReport } from '../fault-report.js'
import { startNodeProcess } from '../node-process.js'
import type { Scene } from '../scene.js'

/** Which account of the development chain pays for the copy's transactions. */
const copysAccount = 5

/** Injects both. @param races how many jobs are raced for */
export async function nodesFault(
  scene: Scene,
  options: { readonly races: number; readonly say: (line: string) => void },
): Promise<FaultReport> {
  const breaches: string[] = []
  const notes: string[] = []
  const { world, workload } = scene
  const logFile = join(scene.folders.logs, 'second.log')
  const clockFile = join(world.folder, 'clock')

  const second = startNodeProcess({ config: world.config, secrets: scene.secrets, logFile, clockFile })
  const ended = await Promise.race([second.ended, sleep(60_000).then(() => 'still runs' as const)])
  const log = await readFile(logFile, 'utf8').catch(() => '')
  const refused = ended === 1 && log.includes('has it open')
  if (!refused) breaches.push(`a second program on the data folder was not refused: ${ended}`)
  if (second.isRunning()) await second.kill()
  notes.push('a second program on the same data folder was refused')

  const before = await scene.workLeftAfter(90_000)
  if (before !== undefined) breaches.push(`the work before was not done in 90 s: ${before}`)
  await scene.stop()
  const copyData = join(world.folder, 'copy')
  await cp(world.data, copyData, { recursive: true })
  await rm(join(copyData, 'node.lock'), { force: true })
  const settings = JSON.parse(await readFile(world.config, 'utf8')) as Record<string, unknown>
  const config = join(world.folder, 'copy.json')
  await writeFile(config, JSON.stringify({ ...settings, dataDirectory: 'copy' }))
  const account = world.devnet.accounts[copysAccount]
  if (account === undefined) throw new Error('the devnet has too few accounts')
  const copy = startNodeProcess({
    config,
    secrets: { ...scene.secrets, SEALPOOL_TRANSACTION_KEY: account.privateKey },
    logFile,
    clockFile,
  })
  let moved = 0
  copy.onLine(({ msg }) => {
    if (msg === 'job moved') moved += 1
  })
  scene.launch()
  await Promise.all([scene.ready(), copy.url])
  for (let race = 0; race < options.races; race++) {
    await workload.job()
    const left = await scene.workLeftAfter(90_000)
    if (left !== undefined) breaches.push(`race ${race + 1} did not end in 90 s: ${left}`)
  }
  notes.push(
    `${options.races} jobs raced for by a node and a copy of its disk with the same keys; the copy moved jobs ${moved} times`,
  )
  if (moved === 0) breaches.push('the copy never touched a job: no race was shown')
  scene.orphans.push(...(await copy.kill()))
  options.say(`two nodes: ${options.races + 1} races`)
  return { fault: 'two nodes', injected: options.races + 1, notes, breaches }
}
