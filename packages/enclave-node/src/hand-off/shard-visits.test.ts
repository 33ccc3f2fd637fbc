import { join } from 'node:path'
import { type JsonValue, verifyStatement } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import type { ExecutedJob } from '../job/execute-job.js'
import { noiseStream } from '../job/job-noise.js'
import { runOnEngine, tableLoad } from '../job/run-on-engine.js'
import { jobKeys } from '../key/job-keys.js'
import { transferFolder } from '../runtime/transfer-folder.js'
import { setMeta } from '../state/meta-table.js'
import type { Sql } from '../state/state-store.js'
import { putOff, refusal } from '../testing/hand-off-visits.js'
import { shardWorld, workers } from '../testing/shard-world.js'
import type { HandOffVisit } from './hand-off-visit.js'
import {
  dealtShards,
  forgetHandOff,
  handedOffJobs,
  isHandOffKept,
  keptSlots,
  readWorksOf,
} from './kept-hand-off.js'

const world = await shardWorld(4)
const { here } = world
afterAll(() => world.close())
beforeEach(() => world.reset())

const query = (sql?: string) => ({ ...world.manifest(), ...(sql === undefined ? {} : { query: { sql } }) })
const ownAnswer = ({ planned, material }: HandOffVisit) =>
  runOnEngine({
    openEngine: world.engines,
    planned,
    tables: material.tables.map((table) => tableLoad(table, { paths: table.paths, key: table.key })),
    pseudonymKey: material.pseudonyms,
    noise: noiseStream(material.noise),
  })
const finish = async (home: ReturnType<typeof world.home>, asked: HandOffVisit): Promise<ExecutedJob> => {
  const done = await here.finish(home, asked)
  if (done === 'home') throw new Error('it never runs at home')
  return done
}
/** Visits until something holds. */
const until = async (home: ReturnType<typeof world.home>, asked: HandOffVisit, holds: () => boolean) => {
  for (let round = 0; round < 2_000 && !holds(); round += 1) {
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    await new Promise((done) => setTimeout(done, 5))
  }
}
const sizes = () => world.runners.map(({ given }) => given.size)
const everybody = Array.from({ length: workers }, (_, index) => index + 1)

describe('a job that is dealt to three nodes', { timeout: 60_000 }, () => {
  it('has the answer that the home node gives itself, and each node had another third of the people', async () => {
    const asked = await here.visit(query())
    const done = await finish(world.home(), asked)
    expect(done.answer).toEqual(await ownAnswer(asked))
    expect(done.handOff).toBeNull()
    const given = world.runners.map((one) => [...one.given])
    expect(given.map(({ length }) => length)).toEqual([10, 10, 10, 0])
    expect(given.flat().sort((one, other) => one - other)).toEqual(everybody)
    const { shards = [] } = done
    expect(shards.map(({ node }) => node)).toEqual(
      world.runners.slice(0, 3).map(({ peer }) => peer.statementAddress),
    )
    for (const [index, { node, work, keySet }] of shards.entries()) {
      expect(verifyStatement(work, { signer: node })).toBe(true)
      expect(work.statement.body).toMatchObject({ job: '1', keySet, shard: `${index + 1}/3` })
    }
    expect(await readWorksOf(here.store, '1')).toEqual(shards.map(({ work }) => work))
  })

  it.each([
    'SELECT sector, count(*) AS n, avg(wage) AS mean, median(wage) AS middle FROM pay.workers GROUP BY sector',
    'SELECT count(DISTINCT contributor) AS n, sum(wage) AS s FROM pay.workers',
  ])('has that answer of a real engine: %s', async (sql) => {
    world.real = true
    const asked = await here.visit(query(sql))
    const done = await finish(world.home(), asked)
    expect(done.answer).toEqual(await ownAnswer(asked))
    expect(sizes()).toEqual([10, 10, 10, 0])
  })

  it('and when it is over nothing of it is left, here or there', async () => {
    const home = world.home()
    await finish(home, await here.visit(query()))
    expect(await handedOffJobs(here.store)).toEqual(['1'])
    expect(await keptSlots(here.store, '1')).toEqual(['1-0', '1-1', '1-2'])
    await home.end('1')
    expect(await isHandOffKept(here.store, '1')).toBe(false)
    for (const runner of world.runners.slice(0, 3)) {
      expect(runner.calls.at(-1)).toBe('end')
      expect(runner.server.figures()).toMatchObject({ hand_offs_open: 0, hand_offs_answered: 1 })
    }
  })

  it('and a home node that is started anew deals it alike, to the same nodes', async () => {
    const asked = await here.visit(query())
    const [first] = world.runners
    if (first === undefined) throw new Error('there are nodes')
    let killed = true
    first.after = async (call, body) => {
      if (call === 'answer' && killed) throw new Error('killed')
      return body
    }
    await expect(here.finish(world.home(), asked)).rejects.toThrow('killed')
    const before = world.runners.map(({ given }) => [...given])
    expect(before[0]).toHaveLength(10)
    for (const { given } of world.runners) given.clear()
    killed = false
    // What was in memory is gone: keys, shares, the deal.
    const done = await finish(world.home({ jobKeys: jobKeys(here.context.random) }), asked)
    expect(done.answer).toEqual(await ownAnswer(asked))
    for (const [index, those] of before.entries()) {
      const { given } = world.runner(index)
      expect(given.size).toBe(index < 3 ? 10 : 0)
      expect(those.filter((one) => !given.has(one))).toEqual([])
    }
  })

  it('waits, and gives nothing to anybody, while fewer than three nodes are what the manifest names', async () => {
    const asked = await here.visit(query())
    for (const index of [0, 1]) {
      const runner = world.runner(index)
      runner.peer = { ...runner.peer, measurement: `0x${'77'.repeat(32)}` }
    }
    const home = world.home()
    await expect(home.requireRunner(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(world.runners.flatMap(({ calls }) => calls)).toEqual([])
    expect(await isHandOffKept(here.store, '1')).toBe(false)
  })

  it('gives a node with another measurement nothing at all', async () => {
    const asked = await here.visit(query())
    const wrong = world.runner(1)
    wrong.peer = { ...wrong.peer, measurement: `0x${'77'.repeat(32)}` }
    const home = world.home()
    await home.requireRunner(asked)
    const done = await finish(home, asked)
    expect(done.answer).toEqual(await ownAnswer(asked))
    expect([wrong.calls, sizes()]).toEqual([[], [10, 0, 10, 10]])
  })

  it('is visited again as soon as one of them may have got on', async () => {
    const asked = await here.visit(query())
    const silent = world.runner(0)
    silent.after = async (call, body) => {
      if (call === 'open') throw new NodeError('NODE_UNREACHABLE', silent.url, 'no answer')
      return body
    }
    await expect(world.home().visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
  })

  it('takes a node with two addresses for one, and the home node for none', async () => {
    const asked = await here.visit(query())
    const [one, two] = [world.runner(2), world.runner(3)]
    two.peer = { ...one.peer, url: two.url }
    await world.home().requireRunner(asked)
    one.peer = { ...one.peer, statementAddress: here.context.keys.statementAddress }
    two.peer = { ...one.peer, url: two.url }
    await expect(world.home().requireRunner(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
  })
})

describe('a deal', { timeout: 60_000 }, () => {
  it('is noted whole or not at all: of one that was noted in part nobody has anything, and it is made anew', async () => {
    const asked = await here.visit(query())
    const failing = (sql: Sql): Sql => ({
      ...sql,
      async query(text, values) {
        if (text.startsWith('insert') && values?.[0] === 'hand-off 1-2') throw new Error('the disk is full')
        return sql.query(text, values)
      },
    })
    const { store } = here
    const transaction: typeof store.transaction = (work) => store.transaction((tx) => work(failing(tx)))
    const home = world.home({ store: { ...store, ...failing(store), transaction } })
    await expect(home.visit(asked)).rejects.toThrow('the disk is full')
    expect(await keptSlots(store, '1')).toEqual([])
    expect(world.runners.flatMap(({ calls }) => calls)).toEqual([])
    expect((await finish(world.home(), asked)).answer).toEqual(await ownAnswer(asked))
  })
})

describe('a node that is lost', { timeout: 60_000 }, () => {
  it('is named, no other one gets its shard, and the job has no answer', async () => {
    let beats = 0
    const beat = async () => {
      beats += 1
    }
    const asked = { ...(await here.visit(query())), beat }
    const lost = world.runner(1)
    lost.after = async (call, body) => {
      if (call === 'chunk') lost.away = true
      return body
    }
    const home = world.home()
    const gave = async () => (await dealtShards(here.store, '1')).map(({ work }) => work !== null)
    for (let round = 0; round < 2_000; round += 1) {
      await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
      if ((await gave()).join() === 'true,false,true') break
      await new Promise((done) => setTimeout(done, 5))
    }
    expect(beats).toBe(0)
    // However long it is away, the chain is told that this node lives.
    here.clock.seconds += 1_000_000
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect([world.runner(3).calls, beats]).toEqual([[], 1])
    here.chain.time = 1_800_000_000
    await expect(home.visit(asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    const shards = await dealtShards(here.store, '1')
    expect(shards.map(({ node, work }) => [node, work === null])).toEqual(
      [0, 1, 2].map((index) => [world.runner(index).peer.statementAddress, index === 1]),
    )
    // The two others are told.
    await home.end('1')
    expect([0, 2].map((index) => world.runner(index).calls.at(-1))).toEqual(['end', 'end'])
  })

  it('and comes back, has its shard given anew, and nobody else is asked again', async () => {
    const asked = await here.visit(query())
    const home = world.home()
    const lost = world.runner(1)
    lost.after = async (call, body) => {
      if (call === 'status') lost.away = true
      return body
    }
    await until(
      home,
      asked,
      () => lost.away && [0, 2].every((one) => world.runner(one).calls.includes('answer')),
    )
    const calls = [0, 2].map((index) => world.runner(index).calls.length)
    // As after a start: what it was given opens no more.
    await lost.server.close()
    lost.after = async (_, body) => body
    lost.away = false
    expect((await finish(home, asked)).answer).toEqual(await ownAnswer(asked))
    expect([0, 2].map((index) => world.runner(index).calls.length)).toEqual(calls)
    expect(lost.calls.filter((call) => call === 'open')).toHaveLength(2)
  })

  it('by its own word fails the job, without why', async () => {
    const asked = await here.visit(query())
    world.runner(2).fails = true
    await expect(here.finish(world.home(), asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    expect((await dealtShards(here.store, '1'))[2]?.work).toBeNull()
  })
})

describe('a home node that is killed between the deal and the answer', { timeout: 60_000 }, () => {
  /** A process that has all shares but that of the second node, and ends. */
  const killed = async () => {
    const asked = await here.visit(query())
    const waits = world.runner(1)
    waits.after = async (call, body) => {
      if (call === 'answer') throw new NodeError('NODE_UNREACHABLE', waits.url, 'it is away for a while')
      return body
    }
    const given = async () => (await readWorksOf(here.store, '1')).length
    const home = world.home()
    for (let round = 0; round < 2_000 && (await given()) < 2; round += 1) {
      await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
      await new Promise((done) => setTimeout(done, 5))
    }
    return { asked, waits, works: await readWorksOf(here.store, '1') }
  }
  const anew = () => world.home({ jobKeys: jobKeys(here.context.random) })

  it('has every share made anew by the node that has it, and adds each up once', async () => {
    const { asked, waits, works } = await killed()
    waits.after = async (_, body) => body
    const done = await finish(anew(), asked)
    expect(done.answer).toEqual(await ownAnswer(asked))
    expect(sizes()).toEqual([10, 10, 10, 0])
    expect(world.runners.map(({ calls }) => calls.filter((call) => call === 'open').length)).toEqual([
      2, 2, 2, 0,
    ])
    // The word of the share that was added up, and not that of the one that went with the process.
    const { shards = [] } = done
    const last = await readWorksOf(here.store, '1')
    expect(last).toEqual(shards.map(({ work }) => work))
    for (const work of works) expect(last).not.toContainEqual(work)
  })

  it('names one as lost that gave a share then and gives none now, and keeps no word of it', async () => {
    const { asked } = await killed()
    const lost = world.runner(0)
    const home = anew()
    lost.after = async (call, body) => {
      if (call === 'chunk') lost.away = true
      return body
    }
    await until(home, asked, () => lost.away)
    here.chain.time = 1_800_000_000
    await expect(home.visit(asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    const shards = await dealtShards(here.store, '1')
    expect(shards[0]?.work).toBeNull()
    expect(await readWorksOf(here.store, '1')).toEqual(shards.flatMap(({ work }) => work ?? []))
  })
})

describe('a node that gives what is not its own share', { timeout: 60_000 }, () => {
  it('is not believed: the word of another shard', async () => {
    const asked = await here.visit(query())
    const home = world.home()
    let first: JsonValue | undefined
    let lied = 0
    world.runner(0).after = async (call, body) => {
      if (call === 'answer') first = body
      return body
    }
    const liar = world.runner(1)
    liar.after = async (call, body) => {
      if (call !== 'answer') return body
      if (first === undefined) throw new NodeError('NODE_UNREACHABLE', liar.url, 'it waits for the other one')
      lied += 1
      return first
    }
    await until(home, asked, () => lied > 0)
    expect((await dealtShards(here.store, '1')).map(({ work }) => work !== null).slice(0, 2)).toEqual([
      true,
      false,
    ])
    expect(here.errors).toContainEqual(expect.objectContaining({ code: 'HAND_OFF_REFUSED' }))
    // Nothing of it is left: its own share is taken.
    liar.after = async (_, body) => body
    expect((await finish(home, asked)).answer).toEqual(await ownAnswer(asked))
  })

  it('or comes with other keys than the node to which it was dealt', async () => {
    const asked = await here.visit(query())
    const home = world.home()
    const dealt = world.runner(1)
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    const calls = dealt.calls.length
    const stranger = world.runner(3)
    dealt.peer = { ...stranger.peer, url: dealt.url }
    here.clock.seconds += 61
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    expect(dealt.calls.length).toBe(calls)
    expect(here.errors).toContainEqual(expect.objectContaining({ code: 'PEER_NOT_ATTESTED' }))
  })
})

describe('files of which a shard is made', () => {
  it('end the job when they have rows of somebody to whom nothing was dealt', async () => {
    const asked = await here.visit(query())
    const files = transferFolder(join(here.folder, 'home'))
    const contributors = async (source: Parameters<typeof files.contributors>[0]) =>
      new Set([...(await files.contributors(source))].slice(1))
    const home = world.home({ files: { ...files, contributors } })
    await expect(here.finish(home, asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    expect(sizes()).toEqual([0, 0, 0, 0])
  })

  it('are read again when the disk has failed once', async () => {
    const asked = await here.visit(query())
    const files = transferFolder(join(here.folder, 'home'))
    let failed = false
    const contributors = async (source: Parameters<typeof files.contributors>[0]) => {
      if (!failed) {
        failed = true
        throw new Error('the disk fails')
      }
      return files.contributors(source)
    }
    const home = world.home({ files: { ...files, contributors } })
    await expect(home.visit(asked)).rejects.toThrow('the disk fails')
    expect((await finish(home, asked)).answer).toEqual(await ownAnswer(asked))
  })
})

describe('a note on a shard that is damaged', () => {
  it('fails the job, and its receipt names nobody', async () => {
    const asked = await here.visit(query())
    const home = world.home()
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    expect(await dealtShards(here.store, '1')).toHaveLength(3)
    await setMeta(here.store, 'hand-off 1-1', '{}')
    await expect(home.visit(asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    expect(await dealtShards(here.store, '1')).toEqual([])
    await home.end('1')
    expect(await keptSlots(here.store, '1')).toEqual([])
  })

  it.each([0, 1])('or gone fails it too, and nobody is given that shard again: %i', async (index) => {
    const asked = await here.visit(query())
    const home = world.home()
    await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
    await forgetHandOff(here.store, `1-${index}`)
    const opened = () => world.runners.map(({ calls }) => calls.filter((call) => call === 'open').length)
    const before = opened()
    await expect(home.visit(asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    expect(opened()).toEqual(before)
  })
})
