import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { NodeError } from '../errors.js'
import { handOffFixture, handOffManifest, runnerUrl } from '../testing/hand-off-fixture.js'
import { putOff, refusal, visitsOf } from '../testing/hand-off-visits.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { readHandOff } from './kept-hand-off.js'

const here = await handOffFixture()
afterAll(() => here.close())
beforeEach(() => here.reset())
const { ownAnswer, paths } = visitsOf(here)

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

  it('that is over is not begun again by a node that has other keys by now', async () => {
    const asked = await here.visit()
    running()
    const home = here.home({ nodes: two })
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HANDED_OFF'))
    here.clock.seconds += 21_601
    here.peer = { ...here.peer, keySetDigest: digestOfDigit('1') }
    const before = paths().length
    await expect(home.visit(asked)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(paths().slice(before)).toEqual([])
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, transfer: null })
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
      secrets.add(kept?.key ?? '')
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
      secrets.add(kept?.key ?? '')
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
