/**
 * Two nodes for one pool: a second program on the same data folder, and a copy of the whole disk, with the same keys and the
 * same history, that races for the same job.
 * @module
 */
import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultReport } from '../fault-report.js'
import { type LogLine, startNodeProcess } from '../node-process.js'
import type { Scene } from '../scene.js'

/** Which account of the development chain pays for the copy's transactions. */
const copysAccount = 5
/** How long a job that is raced for may take. */
const raceMs = 90_000

/** Whether a node says that its disk is older than the chain. */
function isRolledBack({ err }: LogLine): boolean {
  return JSON.stringify(err ?? null).includes('STATE_ROLLED_BACK')
}

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
  // A program that ended before it said anything has left no file: it is not refused then, and that is told.
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
  let nodeIsBehind = false
  let copyIsBehind = false
  copy.onLine((line) => {
    if (line.msg === 'job moved') moved += 1
    copyIsBehind ||= isRolledBack(line)
  })
  const node = scene.launch()
  node.onLine((line) => {
    nodeIsBehind ||= isRolledBack(line)
  })
  await Promise.all([scene.ready(), copy.url])
  let raced = 0
  // Whoever is second finds a charge on the chain that its own disk has not, and is out for good: there is no race after that.
  while (raced < options.races && !nodeIsBehind && !copyIsBehind) {
    const id = BigInt(await workload.job())
    raced += 1
    const end = performance.now() + raceMs
    while ((await world.jobState(id)) !== 'Settled' && performance.now() < end) await sleep(100)
    const state = await world.jobState(id)
    if (state !== 'Settled')
      breaches.push(`race ${raced} did not end in ${raceMs / 1000} s: job ${id} is ${state}`)
  }
  scene.orphans.push(...(await copy.kill()))
  notes.push(
    `${raced} jobs raced for by a node and a copy of its disk with the same keys; the copy moved jobs ${moved} times`,
  )
  if (nodeIsBehind && copyIsBehind) breaches.push('both disks were refused as older than the chain')
  else if (nodeIsBehind) {
    // What an operator would do: the newest disk is the copy's.
    await scene.stop()
    await rename(world.data, join(world.folder, 'behind'))
    await rename(copyData, world.data)
    await rm(join(world.data, 'node.lock'), { force: true })
    scene.launch()
    await scene.ready()
    notes.push(
      'the copy was first: the node refused its own disk as older than the chain, and went on with the copy’s',
    )
  } else if (copyIsBehind) notes.push('the node was first: the copy refused its disk as older than the chain')
  if (moved === 0) breaches.push('the copy never touched a job: no race was shown')
  options.say(`two nodes: ${raced + 1} races`)
  return { fault: 'two nodes', injected: raced + 1, notes, breaches }
}
