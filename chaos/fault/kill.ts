/**
 * kill -9 at moments that are spread over the whole pipeline: by time, while the program starts, and at what is seen in its
 * log, on its way to the chain, and to the blob store.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultReport } from '../fault-report.js'
import type { LogLine } from '../node-process.js'
import type { Scene } from '../scene.js'

/** A kind of moment. */
const moments = [
  'after a time',
  'while it starts',
  'chain read',
  'contributions ingested',
  'a job moves',
  'a transaction is lost',
  'a transaction comes late',
  'a transaction is sent',
  'a blob is asked for',
  'a block after its transaction',
] as const
type Moment = (typeof moments)[number]

const hookTimes = {
  'a transaction is lost': 'lost',
  'a transaction comes late': 'late',
  'a transaction is sent': 'after',
} as const

/** How long a moment is waited for before the node is killed anyway. */
const patienceMs = 5_000

/**
 * Kills the node again and again under work.
 * @param options `minutes`: after so long no kill begins any more, and the report has those that were; null: however long it takes
 */
export async function killFault(
  scene: Scene,
  options: {
    readonly kills: number
    readonly minutes: number | null
    readonly say: (line: string) => void
  },
): Promise<FaultReport> {
  const { random, workload } = scene
  const breaches: string[] = []
  const counts = new Map<string, number>()
  let turn: Moment[] = []
  const end = performance.now() + (options.minutes ?? Number.POSITIVE_INFINITY) * 60_000
  let kills = 0
  while (kills < options.kills && performance.now() < end) {
    const kill = ++kills
    await workload.contribute(random.integer(1, 4))
    if (random.integer(0, 2) > 0) await workload.job()
    // Every kind once before any comes again, in an order that the seed gives.
    if (turn.length === 0) turn = random.shuffled(moments)
    const moment = turn.pop() ?? 'after a time'
    if (moment === 'while it starts') await scene.kill()
    const reached = await waitFor(scene, moment)
    await sleep(random.integer(0, 30))
    await scene.kill()
    const name = reached ? moment : `${moment}: not reached in ${patienceMs / 1000} s, killed then`
    counts.set(name, (counts.get(name) ?? 0) + 1)
    scene.launch()
    try {
      scene.recoveries.push(await scene.ready())
    } catch (error) {
      breaches.push(`after kill ${kill} (${moment}): ${error instanceof Error ? error.message : error}`)
      if (!scene.node().isRunning()) scene.launch()
    }
    if (kill % 10 === 0 || kill === options.kills) options.say(`killed ${kill} of ${options.kills} times`)
  }
  return {
    fault: 'kill -9',
    injected: kills,
    notes: [
      ...(kills < options.kills
        ? [`ended after ${options.minutes} minutes, of ${options.kills} that were asked for`]
        : []),
      ...[...counts].map(([name, count]) => `${name}: ${count}`),
    ],
    breaches,
  }
}

async function waitFor(scene: Scene, moment: Moment): Promise<boolean> {
  const { random } = scene
  switch (moment) {
    case 'after a time':
      await sleep(random.integer(0, 2_500))
      return true
    case 'while it starts':
      scene.launch()
      await sleep(random.integer(50, 1_500))
      return true
    case 'a transaction is lost':
    case 'a transaction comes late':
    case 'a transaction is sent':
      return within((reached) =>
        scene.chain[0].onTransaction(hookTimes[moment], async () => {
          reached()
          // The kill falls meanwhile; what comes late finds the next start of the node under way.
          await sleep(moment === 'a transaction comes late' ? random.integer(300, 3_000) : 100)
        }),
      )
    case 'a blob is asked for':
      return within((reached) => scene.blobs.onRequest(async () => reached()))
    case 'a block after its transaction': {
      const seen = await within((reached) => scene.chain[0].onTransaction('watch', async () => reached()))
      await sleep(random.integer(0, 300))
      return seen
    }
    case 'chain read':
      return line(scene, ({ msg }) => msg === 'read the chain')
    case 'contributions ingested':
      return line(scene, ({ msg }) => msg === 'ingested')
    case 'a job moves':
      return line(scene, ({ msg }) => msg === 'job moved')
  }
}

async function line(scene: Scene, wanted: (line: LogLine) => boolean): Promise<boolean> {
  let off: () => void = () => undefined
  const reached = await within((resolve) => {
    off = scene.node().onLine((one) => {
      if (wanted(one)) resolve()
    })
  })
  off()
  return reached
}

async function within(begin: (reached: () => void) => void): Promise<boolean> {
  const reached = new Promise<boolean>((resolve) => begin(() => resolve(true)))
  return Promise.race([reached, sleep(patienceMs).then(() => false)])
}
