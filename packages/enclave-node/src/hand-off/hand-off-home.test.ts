import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { NodeError } from '../errors.js'
import { setMeta } from '../state/meta-table.js'
import { handOffFixture, handOffManifest, runnerKeys, runnerUrl } from '../testing/hand-off-fixture.js'
import { putOff, refusal, visitsOf } from '../testing/hand-off-visits.js'
import { handedOffJobs, readHandOff, readWorkOf } from './kept-hand-off.js'

const here = await handOffFixture()
afterAll(() => here.close())
beforeEach(() => here.reset())
const { ownAnswer, paths } = visitsOf(here)

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
    }
  })
})

describe('time', () => {
  it('ends a hand-off that nobody has answered: the job fails, or runs at home where the manifest allows it', async () => {
    for (const fallback of ['none', 'home'] as const) {
      await here.reset()
      const asked = await here.visit(handOffManifest({ fallback, expiresAt: 1_700_000_100 }))
      const home = here.home()
      await expect(home.visit(asked)).rejects.toMatchObject({ name: 'JobPutOff' })
      here.chain.time = 1_700_000_100
      const over = home.visit(asked)
      if (fallback === 'home') expect(await over).toBe('home')
      else await expect(over).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
      expect(paths().at(-1)).toBe('end')
      expect(await readHandOff(here.store, '1')).toBeUndefined()
    }
  })

  it.each([
    'NODE_UNREACHABLE',
    // What a proxy says while the node behind it is started anew.
    'PEER_ANSWER_INVALID',
  ] as const)(
    'a node that is silent (%s) keeps its transfer for so long, and then the next one has its turn',
    async (code) => {
      const asked = await here.visit()
      let silent = false
      here.before = async (call) => {
        if (silent) throw new NodeError(code, runnerUrl, 'no answer')
        return call
      }
      const home = here.home({ nodes: [runnerUrl, 'https://second.example'] })
      here.after = async ({ path }, body) =>
        path.endsWith('status') ? { simulated: true, state: 'running' } : body
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
      silent = true
      here.clock.seconds += 600
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
      expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 0, transfer: { url: runnerUrl } })
      here.clock.seconds += 1
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
      expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, transfer: null })
    },
  )

  it('is given to the chain as signs of life while another node works', async () => {
    let beats = 0
    const beat = async (): Promise<void> => {
      beats += 1
    }
    const asked = { ...(await here.visit()), beat }
    here.after = async ({ path }, body) =>
      path.endsWith('status') ? { simulated: true, state: 'running' } : body
    const home = here.home({ heartbeatSeconds: 100 })
    for (const seconds of [0, 99, 1, 100, 50]) {
      here.clock.seconds += seconds
      await home.visit(asked).catch(() => undefined)
    }
    expect(beats).toBe(2)
  })

  it.each(['open', 'status', 'announce', 'chunk', 'answer'])(
    'is taken from a node that asks for patience at %s, without giving it up',
    async (name) => {
      let calls = 0
      here.before = async (call) =>
        call.path.endsWith(name) && calls++ === 0
          ? { status: 429, body: { error: { code: 'RATE_LIMITED', message: 'x' } } }
          : call
      const asked = await here.visit()
      const home = here.home()
      expect(await here.finish(home, asked)).toMatchObject({ answer: await ownAnswer(asked) })
      expect(calls).toBeGreaterThan(1)
      expect(paths().filter((path) => path === 'open')).toHaveLength(1)
      expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 0 })
    },
  )
})

describe('a turn', () => {
  const two = [runnerUrl, 'https://second.example']
  const running = () => {
    here.after = async ({ path }, body) =>
      path.endsWith('status') ? { simulated: true, state: 'running' } : body
  }

  it('is over after so long, however often the node says that it runs, and the node is told', async () => {
    const asked = await here.visit()
    running()
    const home = here.home({ nodes: two })
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    here.clock.seconds += 21_600
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    here.clock.seconds += 1
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(paths().at(-1)).toBe('end')
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, transfer: null })
    expect(here.runner.figures()).toMatchObject({ hand_offs_open: 0 })
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    expect(here.attested.at(-1)).toBe(two[1])
  })

  it('that is over takes no answer away that is there', async () => {
    const asked = await here.visit()
    const home = here.home({ nodes: two })
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    await vi.waitFor(() => expect(here.runner.figures()).toMatchObject({ hand_offs_answered: 1 }), {
      timeout: 60_000,
    })
    here.clock.seconds += 21_601
    expect(await home.visit(asked)).toMatchObject({ answer: await ownAnswer(asked) })
    expect(here.attested).not.toContain(two[1])
  })

  it.each(['status running', 'status that asks for patience'])(
    'goes on (%s) while no other node may have the next, and the others are looked for now and then',
    async (how) => {
      const asked = await here.visit()
      running()
      const unlike = { ...here.peer, measurement: `0x${'77'.repeat(32)}` } as const
      here.attest = async (url) => (url === runnerUrl ? here.peer : unlike)
      const home = here.home({ nodes: two })
      const visit = () => expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
      const looked = () => here.attested.filter((url) => url === two[1]).length
      await visit()
      const first = (await readHandOff(here.store, '1'))?.transfer
      here.before = async (call) =>
        how === 'status running' || !call.path.endsWith('status')
          ? call
          : { status: 429, body: { error: { code: 'RATE_LIMITED', message: 'x' } } }
      here.clock.seconds += 21_601
      await visit()
      expect(looked()).toBe(1)
      here.clock.seconds += 600
      await visit()
      expect(looked()).toBe(1)
      here.clock.seconds += 1
      await visit()
      expect(looked()).toBe(2)
      expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 0, transfer: first })
      expect(paths()).not.toContain('end')
      here.attest = async () => here.peer
      here.clock.seconds += 601
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
      expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, transfer: null })
      expect(paths().at(-1)).toBe('end')
    },
  )

  it('goes to the next node that may have it, past one that may not', async () => {
    const asked = await here.visit()
    running()
    const nodes = [...two, 'https://third.example']
    here.attest = async (url) => {
      if (url === two[1]) throw new NodeError('NODE_UNREACHABLE', url, 'no answer')
      return here.peer
    }
    const home = here.home({ nodes })
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    here.clock.seconds += 21_601
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 2, transfer: null })
  })

  it('is kept by the only node that there is', async () => {
    const asked = await here.visit()
    running()
    const home = here.home()
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    here.clock.seconds += 1_000_000
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 0 })
  })

  it.each(['RATE_LIMITED', 'BUSY', 'HAND_OFF_NOT_READY'])(
    'is not kept by a node that takes nothing for now (%s) for longer than one that is silent',
    async (code) => {
      const asked = await here.visit()
      here.before = async () => ({ status: 503, body: { error: { code, message: 'x' } } })
      const home = here.home({ nodes: two })
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
      here.clock.seconds += 600
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
      here.clock.seconds += 1
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
      expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, parts: [{}] })
    },
  )

  it('is not begun anew by a node that forgets what it was given, again and again', async () => {
    const asked = await here.visit()
    const home = here.home({ nodes: two })
    here.before = async (call) =>
      call.path.endsWith('status')
        ? { status: 404, body: { error: { code: 'HAND_OFF_UNKNOWN', message: 'x' } } }
        : call
    for (const seconds of [0, 599, 2]) {
      here.clock.seconds += seconds
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    }
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1 })
  })

  it('of another node has other keys, and who had one is told of the end, also after a restart', async () => {
    const asked = await here.visit()
    running()
    const secrets = new Set<string>()
    let home = here.home({ nodes: two })
    const digests = new Set<string>()
    for (let turn = 0; turn < 3; turn += 1) {
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
      const kept = await readHandOff(here.store, '1')
      secrets.add(kept?.secret ?? '')
      digests.add(kept?.parts?.[0]?.digest ?? '')
      here.attest = async () => {
        throw new NodeError('NODE_UNREACHABLE', runnerUrl, 'no answer')
      }
      home = here.home({ nodes: two })
      here.clock.seconds += 601
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
      here.attest = async () => here.peer
    }
    expect([secrets.size, digests.size]).toEqual([3, 3])
    const given = [...new Set(here.calls.flatMap(({ body }) => body['transfer'] ?? []))]
    here.calls.length = 0
    await here.home({ nodes: two }).end('1')
    expect(here.calls.map(({ path, body }) => [path, body['transfer']])).toEqual(
      given.map((transfer) => ['/v1/hand-off/end', transfer]),
    )
    expect(given).toHaveLength(3)
  })
})

describe('a transfer that was begun and given up in one visit', () => {
  it('is told of its end all the same, and its keys are no other one’s; the last twenty are remembered', async () => {
    const asked = await here.visit()
    here.before = async (call) => {
      if (call.path.endsWith('announce')) throw new NodeError('HAND_OFF_REFUSED', runnerUrl, 'a fault')
      return call
    }
    const home = here.home()
    const secrets = new Set<string>()
    for (let turn = 1; turn <= 21; turn += 1) {
      await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
      const kept = await readHandOff(here.store, '1')
      expect(kept).toMatchObject({ attempt: turn, transfer: null })
      expect(kept?.left).toHaveLength(Math.min(turn, 20))
      secrets.add(kept?.secret ?? '')
    }
    expect(secrets.size).toBe(21)
    const last = here.calls.findLast(({ path }) => path.endsWith('status'))?.body['transfer']
    here.calls.length = 0
    await home.end('1')
    expect(here.calls.map(({ path }) => path)).toEqual(Array(20).fill('/v1/hand-off/end'))
    expect(here.calls.map(({ body }) => body['transfer'])).toContain(last)
  })

  it('is gone on with after silence, as one that was begun before', async () => {
    const asked = await here.visit()
    let silent = true
    here.before = async (call) => {
      if (silent && call.path.endsWith('announce'))
        throw new NodeError('NODE_UNREACHABLE', runnerUrl, 'no answer')
      return call
    }
    const home = here.home()
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 0, transfer: { url: runnerUrl } })
    silent = false
    expect(await here.finish(home, asked)).toMatchObject({ answer: await ownAnswer(asked) })
    expect(paths().filter((path) => path === 'open')).toHaveLength(1)
  })
})

describe('a note', () => {
  const file = { bytes: 7, digest: `sha256:${'1'.repeat(64)}` }
  /** As it was written before transfers had keys of their own. */
  const older = (transfer: object | null) =>
    setMeta(
      here.store,
      'hand-off 1',
      JSON.stringify({ attempt: 0, reachedAt: here.clock.seconds, parts: [file], transfer }),
    )
  const transfer = {
    id: 'ab'.repeat(16),
    url: runnerUrl,
    node: runnerKeys.statementAddress,
    keySet: runnerKeys.keySetDigest,
    files: [file, file],
  }

  it.each([transfer, null])(
    'of an older release begins anew, and its transfer is told of its end',
    async (given) => {
      const asked = await here.visit()
      await older(given)
      const home = here.home()
      expect(await here.finish(home, asked)).toMatchObject({ answer: await ownAnswer(asked) })
      here.calls.length = 0
      await home.end('1')
      const ended = here.calls.map(({ body }) => body['transfer'])
      expect(ended).toHaveLength(given === null ? 1 : 2)
      if (given !== null) expect(ended).toContain(transfer.id)
      expect(await readHandOff(here.store, '1')).toBeUndefined()
    },
  )

  it('of an older release is over at its manifest’s end as any other', async () => {
    const asked = await here.visit(handOffManifest({ fallback: 'home' }))
    await older(transfer)
    here.chain.time = 1_800_000_000
    expect(await here.home().visit(asked)).toBe('home')
    expect(paths()).toEqual(['end'])
  })

  it.each([
    '{',
    'null',
    '{"attempt":0}',
    JSON.stringify({
      attempt: 0,
      turnAt: 1,
      reachedAt: 1,
      secret: 'x',
      parts: null,
      transfer: null,
      left: [],
    }),
    JSON.stringify({ attempt: 0, reachedAt: 1, parts: null, transfer: null, more: 1 }),
  ])('that is damaged (%s) ends that job, and leaves nothing', async (text) => {
    const asked = await here.visit()
    await setMeta(here.store, 'hand-off 1', text)
    await expect(readHandOff(here.store, '1')).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
    const home = here.home()
    await expect(home.visit(asked)).rejects.toMatchObject(refusal('EXECUTION_FAILED'))
    await home.end('1')
    expect(await handedOffJobs(here.store)).toEqual([])
    expect(here.calls).toEqual([])
  })
})

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
