import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { transferFolder } from '../runtime/transfer-folder.js'
import { handOffFixture, runnerKeys, runnerUrl } from '../testing/hand-off-fixture.js'
import { putOff, refusal, visitsOf } from '../testing/hand-off-visits.js'
import { readHandOff, readWorkOf } from './kept-hand-off.js'

const here = await handOffFixture()
afterAll(() => here.close())
beforeEach(() => here.reset())
const { ownAnswer, paths } = visitsOf(here)

describe('before a job is charged', () => {
  const away = new NodeError('NODE_UNREACHABLE', runnerUrl, 'no answer')
  it('one node that its manifest names is attested; nothing is sent', async () => {
    const asked = await here.visit()
    const nodes = ['https://first.example', runnerUrl]
    here.attest = async (url) => {
      if (url !== runnerUrl) throw away
      return here.peer
    }
    await here.home({ nodes }).requireRunner(asked)
    expect([here.attested, here.calls]).toEqual([nodes, []])
    expect(await readHandOff(here.store, '1')).toBeUndefined()
  })

  it('no silent node holds up one that answers, and none is waited for longer than is enough', async () => {
    const asked = await here.visit()
    const silent = ['https://first.example', 'https://second.example']
    here.attest = (url) => (url === runnerUrl ? Promise.resolve(here.peer) : new Promise(() => undefined))
    await here.home({ nodes: [...silent, runnerUrl] }).requireRunner(asked)
    here.attested.length = 0
    const home = here.home({ nodes: silent, enough: async () => undefined })
    const waits = () => expect(home.requireRunner(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    await waits()
    expect(here.attested).toEqual(silent)
    // Nor is it looked for again at once, for whatever job.
    here.clock.seconds += 59
    await waits()
    expect(here.attested).toEqual(silent)
    here.clock.seconds += 1
    await waits()
    expect(here.attested).toEqual([...silent, ...silent])
  })

  it('it waits when none can be, or none runs what it names', async () => {
    const asked = await here.visit()
    here.attest = async () => {
      throw away
    }
    await expect(here.home().requireRunner(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    here.attest = async () => ({ ...here.peer, measurement: `0x${'77'.repeat(32)}` })
    await expect(here.home().requireRunner(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    here.attest = async () => {
      throw new Error('no fault of a node')
    }
    await expect(here.home().requireRunner(asked)).rejects.toThrow('no fault of a node')
  })
})

describe('a job is handed off', () => {
  it('and its answer is the one that the home node gives itself, signed by the node that ran it', async () => {
    const asked = await here.visit()
    const done = await here.finish(here.home(), asked)
    expect(done).toMatchObject({
      answer: await ownAnswer(asked),
      handOff: {
        node: runnerKeys.statementAddress,
        keySet: runnerKeys.keySetDigest,
        isolation: 'SQL engine: process',
      },
    })
    expect(await readWorkOf(here.store, '1')).toEqual(done === 'home' ? undefined : done.handOff?.work)
    // The runner had the table under another key than the home node's own.
    const [given, own] = here.loaded
    expect(given).toMatchObject({ name: 'pay.workers' })
    const keyOf = (table: typeof given) =>
      table !== undefined && 'parquet' in table ? table.parquet.key : undefined
    expect(keyOf(given)).toBeDefined()
    expect(keyOf(given)).not.toEqual(keyOf(own))
  })

  it('and ended, so that nothing of it is left anywhere', async () => {
    const home = here.home()
    await here.finish(home, await here.visit())
    await home.end('1')
    expect(paths().at(-1)).toBe('end')
    expect(await readHandOff(here.store, '1')).toBeUndefined()
    expect(await readdir(join(here.folder, 'home'))).toEqual([])
    expect(await readdir(join(here.folder, 'served'))).toEqual([])
    expect(here.runner.figures()).toMatchObject({ hand_offs_open: 0, hand_offs_answered: 1 })
  })

  it('and a home node that is killed at any call goes on where it was, with the same answer', async () => {
    const asked = await here.visit()
    const answer = await ownAnswer(asked)
    let at = 0
    for (let killed = true; killed; at += 1) {
      await here.reset()
      const again = await here.visit()
      let count = 0
      here.before = async (call) => {
        if (count++ === at) throw new Error('killed')
        return call
      }
      // What is thrown here is no fault that the home side knows: it leaves the visit as a kill would.
      killed = await here.finish(here.home(), again).then(
        () => false,
        (error: Error) => error.message === 'killed',
      )
      if (killed)
        expect(await here.finish(here.home(), again), `killed at call ${at}`).toMatchObject({ answer })
    }
    // open, status, announce, two chunks, status, answer
    expect(at).toBeGreaterThanOrEqual(7)
  })

  it('sends only what is missing when it goes on', async () => {
    const asked = await here.visit()
    let chunks = 0
    let taken: () => void = () => undefined
    const first = new Promise<void>((done) => {
      taken = done
    })
    here.before = async (call) => {
      if (call.path.endsWith('chunk') && chunks++ === 1) throw new Error('killed')
      return call
    }
    here.after = async ({ path }, body) => {
      if (path.endsWith('chunk')) taken()
      return body
    }
    await expect(here.finish(here.home(), asked)).rejects.toThrow('killed')
    // It is under way when the second one fails.
    await first
    const sent = here.calls.filter(({ path }) => path.endsWith('chunk')).map(({ body }) => `${body['file']}`)
    await here.finish(here.home(), asked)
    const all = here.calls.filter(({ path }) => path.endsWith('chunk')).map(({ body }) => `${body['file']}`)
    expect(sent.length).toBeGreaterThan(0)
    expect(all.sort()).toEqual(['0', '1'])
    expect(paths().filter((path) => path === 'open')).toHaveLength(1)
  })

  it('and begins anew when the other node was started anew, with another key', async () => {
    const asked = await here.visit()
    let killed = false
    here.before = async (call) => {
      if (call.path.endsWith('chunk') && !killed) {
        killed = true
        await here.runner.close()
        here.runner = await here.startRunner()
      }
      return call
    }
    expect(await here.finish(here.home(), asked)).toMatchObject({ answer: await ownAnswer(asked) })
    const transfers = new Set(here.calls.map(({ body }) => body['transfer']).filter((id) => id !== undefined))
    expect(transfers.size).toBe(2)
  })

  it('and begins anew when its own files were lost, cut or changed', async () => {
    const change = async (file: string): Promise<void> => {
      const bytes = await readFile(file)
      bytes[100] = (bytes[100] ?? 0) ^ 1
      await writeFile(file, bytes)
    }
    for (const spoil of [(file: string) => rm(file), (file: string) => truncate(file, 10), change]) {
      await here.reset()
      const asked = await here.visit()
      let spoilt = false
      here.before = async (call) => {
        if (call.path.endsWith('announce') && !spoilt) {
          spoilt = true
          await spoil(join(here.folder, 'home', '1', '1.parquet'))
        }
        return call
      }
      expect(await here.finish(here.home(), asked)).toMatchObject({ answer: await ownAnswer(asked) })
      // What is gone here is nobody else's fault; what was changed, the other node found.
      expect(here.errors).toHaveLength(spoil === change ? 1 : 0)
    }
  })
})

describe('a runner that refuses', () => {
  it.each(['HAND_OFF_FULL', 'HAND_OFF_NOT_SERVED', 'HAND_OFF_JOB'])(
    '%s: the next one is asked',
    async (code) => {
      here.before = async () => ({ status: 503, body: { error: { code, message: 'x' } } })
      await expect(here.home().visit(await here.visit())).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
      expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, transfer: null, parts: [{}] })
    },
  )

  it('ends as a failed job when the job failed there', async () => {
    const asked = await here.visit()
    const failing = await here.startRunner({
      openEngine: () => ({
        dialect: 'duckdb',
        load: async () => undefined,
        query: async () => {
          throw new Error('a private value')
        },
        close: async () => undefined,
      }),
    })
    here.runner = failing
    await expect(here.finish(here.home(), asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    expect(JSON.stringify(here.calls)).not.toContain('a private value')
  })
})

describe('a visit', () => {
  it('is the home node’s own to run where the manifest allows no hand-off', async () => {
    const asked = await here.visit()
    const { handOff: _, ...manifest } = asked.manifest
    expect(await here.home().visit({ ...asked, manifest })).toBe('home')
    expect([here.attested, here.calls]).toEqual([[], []])
  })

  it('throws what is no fault of the other node, and gives nobody up for it', async () => {
    const asked = await here.visit()
    for (const error of [
      new NodeError('STATE_UNREADABLE', 'x', 'why'),
      Object.assign(new Error('x'), { code: 'NODE_UNREACHABLE' }),
    ]) {
      here.attest = () => Promise.reject(error)
      await expect(here.home().visit(asked)).rejects.toBe(error)
      expect(await readHandOff(here.store, '1')).toBeUndefined()
    }
  })

  it('goes on sending at once when its time was not enough, and asks for no answer meanwhile', async () => {
    const home = here.home({ sendSeconds: 0 })
    await expect(home.visit(await here.visit())).rejects.toMatchObject({
      ...putOff('HANDED_OFF'),
      retryAfter: 0,
    })
    expect(paths()).toEqual(['open', 'status', 'announce'])
  })

  it('passes on at once from a node that has refused the job, and says why', async () => {
    here.after = async ({ path }, body) =>
      path.endsWith('status') ? { simulated: true, state: 'refused', code: 'LEASH_EXPIRED' } : body
    await expect(here.home().visit(await here.visit())).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(paths()).toEqual(['open', 'status', 'end'])
    expect(here.errors).toMatchObject([{ message: `${runnerUrl} refused job 1: LEASH_EXPIRED` }])
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, transfer: null })
  })

  it('leaves its turn to a node that stands alone, however long that asks for patience', async () => {
    here.before = async () => ({ status: 503, body: { error: { code: 'BUSY', message: 'x' } } })
    const home = here.home()
    const asked = await here.visit()
    for (const seconds of [0, 601, 21_601]) {
      here.clock.seconds += seconds
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    }
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 0, transfer: null })
  })
})

describe('the end of a hand-off', () => {
  it('touches nothing for a job that was never handed off', async () => {
    const files = transferFolder(join(here.folder, 'home'))
    const remove = () => Promise.reject(new Error('asked to remove'))
    await here.home({ files: { ...files, remove } }).end('9')
  })

  it.each<[string, Error]>([
    ['the state cannot be read', new Error('disk full')],
    ['that has the code of a damaged note', Object.assign(new Error('x'), { code: 'STATE_UNREADABLE' })],
    ['the node itself says something else', new NodeError('NODE_UNREACHABLE', 'x', 'why')],
  ])('keeps its note when %s, and is tried again', async (_, broken) => {
    await here
      .home()
      .visit(await here.visit())
      .catch(() => undefined)
    let reads = 0
    const query: typeof here.store.query = (sql, values) =>
      sql.startsWith('select value from meta') && reads++ > 0
        ? Promise.reject(broken)
        : here.store.query(sql, values)
    await expect(here.home({ store: { ...here.store, query } }).end('1')).rejects.toBe(broken)
    expect(await readHandOff(here.store, '1')).toBeDefined()
    expect(here.errors).toEqual([])
    await here.home().end('1')
    expect(await readHandOff(here.store, '1')).toBeUndefined()
  })
})

describe('a home node', () => {
  it('gives a sign of life at its first visit after a restart, whatever it remembers of the last one', async () => {
    let beats = 0
    const asked = {
      ...(await here.visit()),
      beat: async () => {
        beats += 1
      },
    }
    await here
      .home()
      .visit(asked)
      .catch(() => undefined)
    expect(beats).toBe(0)
    for (const restarts of [1, 2]) {
      await here
        .home()
        .visit(asked)
        .catch(() => undefined)
      expect(beats).toBe(restarts)
    }
  })

  it('ends a hand-off at the other node after a restart, attesting it anew', async () => {
    await here
      .home()
      .visit(await here.visit())
      .catch(() => undefined)
    here.calls.length = 0
    await here.home().end('1')
    expect(paths()).toEqual(['end'])
  })

  it('asks nobody any more whom its settings have ceased to name', async () => {
    await here
      .home()
      .visit(await here.visit())
      .catch(() => undefined)
    here.calls.length = 0
    here.attested.length = 0
    await here.home({ nodes: ['https://second.example'] }).end('1')
    expect([here.attested, paths()]).toEqual([[], []])
    expect(await readHandOff(here.store, '1')).toBeUndefined()
  })

  it('refuses a job whose own part cannot be read, as when it runs it itself', async () => {
    const asked = await here.visit()
    const tables = asked.material.tables.map((table) => ({
      ...table,
      paths: table.paths.map((path) => `${path}.gone`),
    }))
    await expect(
      here.home().visit({ ...asked, material: { ...asked.material, tables } }),
    ).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
  })
})
