import { join } from 'node:path'
import { sha256Digest } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { transferFolder } from '../runtime/transfer-folder.js'
import { handOffFixture, homeKeys } from '../testing/hand-off-fixture.js'
import { engine } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { chunkOf, fileOf, part, partFile, transferCalls, untilEnded } from '../testing/transfer-calls.js'
import type { HandOffVisit } from './hand-off-visit.js'
import { chunkBytes } from './transfer-files.js'

const here = await handOffFixture()
let asked: HandOffVisit
afterAll(() => here.close())
beforeEach(async () => {
  await here.reset()
  asked = await here.visit()
})
const { begin, sealLeash, give, outcomeOf, served } = transferCalls(here, () => asked)
const home = homeKeys.statementAddress

describe('a transfer', () => {
  it('is begun by the node that the chain shows to have begun the job, and by nobody else', async () => {
    const wish = { job: '1', manifest: asked.job.manifestDigest }
    expect(await here.runner.open(addressOfDigit('1'), wish)).toBe('HAND_OFF_JOB')
    expect(await here.runner.open(home, { ...wish, manifest: digestOfDigit('1') })).toBe('HAND_OFF_JOB')
    for (const state of ['Funded', 'Assigned', 'Released', 'Expired'] as const) {
      here.chain.standing = { ...here.chain.standing, state }
      expect(await here.runner.open(home, wish), state).toBe('HAND_OFF_JOB')
    }
    here.chain.standing = { ...here.chain.standing, state: 'Running' }
    expect(await here.runner.open(home, wish)).toMatchObject({
      transfer: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
  })

  it('is one for each job, and as many as there is room for', async () => {
    for (const id of ['2', '3']) here.chain.terms.set(id, here.chain.terms.get('1') as never)
    const first = await begin()
    const second = await begin()
    expect(here.runner.status(home, first.id)).toBe('HAND_OFF_UNKNOWN')
    const open = (job: string) => here.runner.open(home, { job, manifest: asked.job.manifestDigest })
    expect(await open('2')).toMatchObject({ transfer: expect.any(String) })
    expect(await open('3')).toBe('HAND_OFF_FULL')
    expect(await here.runner.end(home, second.id)).toEqual({ ended: true })
    expect(await open('3')).toMatchObject({ transfer: expect.any(String) })
  })

  it('is nobody else’s', async () => {
    const { id } = await begin()
    const other = addressOfDigit('1')
    here.runner.announce(home, id, [partFile])
    expect(here.runner.status(other, id)).toBe('HAND_OFF_UNKNOWN')
    expect(here.runner.announce(other, id, [partFile])).toBe('HAND_OFF_UNKNOWN')
    expect(await here.runner.chunk(other, chunkOf(id, 0, 0, part))).toBe('HAND_OFF_UNKNOWN')
    expect(here.runner.answer(other, id)).toBe('HAND_OFF_UNKNOWN')
    expect(await here.runner.end(other, id)).toBe('HAND_OFF_UNKNOWN')
    expect(here.runner.status(home, id)).toMatchObject({ state: 'receiving' })
  })

  it('has its files announced once, and none that are too large', async () => {
    const { id } = await begin()
    expect(here.runner.announce(home, id, [{ ...partFile, bytes: 1_000_001 }])).toBe('HAND_OFF_TOO_LARGE')
    expect(
      here.runner.announce(home, id, [
        { ...partFile, bytes: 600_000 },
        { ...partFile, bytes: 400_001 },
      ]),
    ).toBe('HAND_OFF_TOO_LARGE')
    const state = here.runner.announce(home, id, [partFile])
    expect(state).toEqual({
      state: 'receiving',
      missing: [
        [0, 0],
        [0, 1],
        [0, 2],
      ],
    })
    expect(here.runner.announce(home, id, [partFile])).toEqual(state)
    expect(here.runner.announce(home, id, [{ ...partFile, digest: digestOfDigit('1') }])).toBe(
      'HAND_OFF_DIFFERS',
    )
  })

  it('has a leash of bounded size, however large its tables may be', async () => {
    here.runner = await here.startRunner({ maximumBytes: 100_000_000 })
    const { id } = await begin()
    const bytes = 8 * 1024 * 1024
    expect(here.runner.announce(home, id, [{ ...partFile, bytes: bytes + 1 }])).toBe('HAND_OFF_TOO_LARGE')
    expect(
      here.runner.announce(home, id, [
        { ...partFile, bytes },
        { ...partFile, bytes: bytes + 1 },
      ]),
    ).toMatchObject({
      state: 'receiving',
    })
  })

  it('takes one of two chunks that come to one place at a time', async () => {
    const { id } = await begin()
    here.runner.announce(home, id, [partFile])
    const chunk = chunkOf(id, 0, 0, part)
    const other = { ...chunk, ...fromBytes(chunk.bytes.map((byte) => byte ^ 1)) }
    const answers = await Promise.all([chunk, chunk, other].map((one) => here.runner.chunk(home, one)))
    expect(answers.filter((answer) => answer === 'HAND_OFF_DIFFERS').length).toBeGreaterThan(0)
    expect(here.runner.status(home, id)).toMatchObject({
      missing: [
        [0, 1],
        [0, 2],
      ],
    })
  })

  it('asks for so many chunks at a time, however many are missing', async () => {
    here.runner = await here.startRunner({ maximumBytes: 1_000 * chunkBytes })
    const { id } = await begin()
    const files = [
      { ...partFile, bytes: 60 * chunkBytes },
      { ...partFile, bytes: 60 * chunkBytes },
    ]
    const state = here.runner.announce(home, id, files)
    if (typeof state === 'string' || state.state !== 'receiving') throw new Error('it takes them')
    expect(state.missing).toHaveLength(64)
    expect(state.missing.at(-1)).toEqual([1, 3])
  })

  it('stays the first home’s when the chain gives the job to another one that begins it', async () => {
    const { id } = await begin()
    const other = addressOfDigit('1')
    here.chain.standing = { ...here.chain.standing, node: other }
    const wish = { job: '1', manifest: asked.job.manifestDigest }
    expect(await here.runner.open(other, wish)).toMatchObject({ transfer: expect.any(String) })
    // Until its own job is asked about: nobody ends another one's transfer.
    expect(here.runner.status(home, id)).toMatchObject({ state: 'receiving' })
  })

  it('that is ended while a chunk is written leaves nothing of that', async () => {
    const folder = join(here.folder, 'served')
    const files = transferFolder(folder)
    let id = ''
    here.runner = await here.startRunner({
      files: {
        ...files,
        write: async (...chunk) => {
          await here.runner.end(home, id)
          return files.write(...chunk)
        },
      },
    })
    id = (await begin()).id
    here.runner.announce(home, id, [partFile])
    expect(await here.runner.chunk(home, chunkOf(id, 0, 0, part))).toBe('HAND_OFF_UNKNOWN')
    expect(await served()).toEqual([])
  })

  it('whose time was over before its answer was there has none', async () => {
    here.runner = await here.startRunner({
      openEngine: () =>
        engine({
          query: async () => {
            here.chain.time = 1_700_000_050
            return []
          },
        }),
    })
    const transfer = await begin()
    await give(transfer.id, [await sealLeash(transfer, { expiresAt: 1_700_000_050 }), part])
    expect(await outcomeOf(transfer.id)).toEqual({ state: 'refused', code: 'LEASH_EXPIRED' })
    expect(here.runner.answer(home, transfer.id)).toBe('HAND_OFF_NOT_READY')
  })

  it('counts no empty chunk behind the end of a file', async () => {
    const { id } = await begin()
    const whole = new Uint8Array(chunkBytes)
    here.runner.announce(home, id, [fileOf(part), fileOf(whole)])
    expect(await here.runner.chunk(home, chunkOf(id, 1, 1, whole))).toBe('HAND_OFF_CHUNK')
    expect(await here.runner.chunk(home, chunkOf(id, 1, 0, whole))).toMatchObject({ state: 'receiving' })
  })

  it('takes a chunk twice and in any order, and refuses what is none of it', async () => {
    const { id } = await begin()
    expect(await here.runner.chunk(home, chunkOf(id, 0, 0, part))).toBe('HAND_OFF_CHUNK')
    here.runner.announce(home, id, [partFile, partFile])
    const last = chunkOf(id, 0, 2, part)
    expect(await here.runner.chunk(home, last)).toMatchObject({ state: 'receiving' })
    expect(await here.runner.chunk(home, last)).toMatchObject({ state: 'receiving' })
    expect(here.runner.status(home, id)).toEqual({
      state: 'receiving',
      missing: [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
        [1, 2],
      ],
    })
    const bad: readonly (readonly [string, object, string])[] = [
      ['tampered', { bytes: last.bytes.map((byte) => byte ^ 1) }, 'HAND_OFF_CHUNK'],
      ['other digest', { digest: digestOfDigit('1') }, 'HAND_OFF_CHUNK'],
      ['beyond the end', { index: 3 }, 'HAND_OFF_CHUNK'],
      ['in no file', { file: 2 }, 'HAND_OFF_CHUNK'],
      ['too short', fromBytes(last.bytes.slice(1)), 'HAND_OFF_CHUNK'],
      ['too long', fromBytes(new Uint8Array(chunkBytes + 1)), 'HAND_OFF_CHUNK'],
      ['another one in its place', fromBytes(last.bytes.map((byte) => byte ^ 1)), 'HAND_OFF_DIFFERS'],
      ['another transfer', { transfer: '0'.repeat(32) }, 'HAND_OFF_UNKNOWN'],
    ]
    for (const [name, change, code] of bad) {
      expect(await here.runner.chunk(home, { ...last, ...change }), name).toBe(code)
    }
  })

  it('is over when nobody asks, when its time is over, and when the node is started anew', async () => {
    const idle = await begin()
    here.clock.seconds += 900
    await here.runner.sweep()
    expect(here.runner.status(home, idle.id)).toMatchObject({ state: 'receiving' })
    here.clock.seconds += 901
    await here.runner.sweep()
    expect(here.runner.status(home, idle.id)).toBe('HAND_OFF_UNKNOWN')

    const timed = await begin()
    await give(timed.id, [await sealLeash(timed, { expiresAt: 1_700_000_050 }), part])
    expect(await outcomeOf(timed.id)).toEqual({ state: 'answered' })
    expect(here.runner.answer(home, timed.id)).toMatchObject({ work: expect.anything() })
    here.chain.time = 1_700_000_050
    await here.runner.sweep()
    expect(here.runner.answer(home, timed.id)).toBe('HAND_OFF_UNKNOWN')

    here.chain.time = 1_700_000_000
    const killed = await begin()
    here.runner.announce(home, killed.id, [partFile])
    await here.runner.chunk(home, chunkOf(killed.id, 0, 0, part))
    expect(await served()).toEqual([killed.id])
    const again = await here.startRunner()
    expect(again.status(home, killed.id)).toBe('HAND_OFF_UNKNOWN')
    expect(await served()).toEqual([])
    await again.close()
  })

  it('is over when the chain has ended its job or given it to another node, however often it is asked about', async () => {
    for (const change of [{ state: 'Expired' }, { node: addressOfDigit('1') }] as const) {
      await here.reset()
      asked = await here.visit()
      const { id } = await begin()
      here.chain.standing = { ...here.chain.standing, ...change }
      for (const [seconds, state] of [
        [59, { state: 'receiving' }],
        [1, 'HAND_OFF_UNKNOWN'],
      ] as const) {
        here.clock.seconds += seconds
        await here.runner.sweep()
        const found = here.runner.status(home, id)
        if (typeof state === 'string') expect(found).toBe(state)
        else expect(found).toMatchObject(state)
      }
    }
  })

  it('goes on while the chain cannot be asked about its job', async () => {
    const { id } = await begin()
    here.clock.seconds += 60
    const { jobState } = here.chain
    here.chain.jobState = async () => {
      throw new Error('away')
    }
    await here.runner.sweep().finally(() => Object.assign(here.chain, { jobState }))
    expect(here.runner.status(home, id)).toMatchObject({ state: 'receiving' })
    expect(here.errors).toHaveLength(1)
  })

  it('is over when its files do not come in time, though it is asked about', async () => {
    const late = await begin()
    here.clock.seconds += 21_600
    expect(here.runner.status(home, late.id)).toMatchObject({ state: 'receiving' })
    await here.runner.sweep()
    expect(here.runner.status(home, late.id)).toMatchObject({ state: 'receiving' })
    here.clock.seconds += 1
    await here.runner.sweep()
    expect(here.runner.status(home, late.id)).toBe('HAND_OFF_UNKNOWN')

    const whole = await begin()
    await give(whole.id, [await sealLeash(whole), part])
    expect(await outcomeOf(whole.id)).toEqual({ state: 'answered' })
    here.clock.seconds += 21_601
    expect(here.runner.status(home, whole.id)).toEqual({ state: 'answered' })
    await here.runner.sweep()
    expect(here.runner.status(home, whole.id)).toEqual({ state: 'answered' })
  })

  it('that is ended while its job runs ends the engine, and its answer is nobody’s', async () => {
    let started: () => void = () => undefined
    const running = new Promise<void>((resolve) => {
      started = resolve
    })
    let closed = 0
    let fail: (error: Error) => void = () => undefined
    here.runner = await here.startRunner({
      openEngine: () => ({
        dialect: 'duckdb',
        load: async () => undefined,
        query: () =>
          new Promise((_, reject) => {
            fail = reject
            started()
          }),
        close: async () => {
          closed += 1
          fail(new Error('closed'))
        },
      }),
    })
    const transfer = await begin()
    await give(transfer.id, [await sealLeash(transfer), part])
    await running
    expect(here.runner.status(home, transfer.id)).toEqual({ state: 'running' })
    expect(here.runner.answer(home, transfer.id)).toBe('HAND_OFF_NOT_READY')
    // Nobody has to ask for a job that runs.
    here.clock.seconds += 901
    await here.runner.sweep()
    expect(here.runner.status(home, transfer.id)).toEqual({ state: 'running' })
    await here.runner.end(home, transfer.id)
    expect(closed).toBeGreaterThan(0)
    expect(await served()).toEqual([])
  })

  it('has its files removed as soon as its job has ended', async () => {
    const transfer = await begin()
    await give(transfer.id, [await sealLeash(transfer), part])
    expect(await outcomeOf(transfer.id)).toEqual({ state: 'answered' })
    await untilEnded(async () => (await served()).length === 0)
    expect(here.runner.figures()).toEqual({ hand_offs_open: 1, hand_offs_answered: 1, hand_offs_refused: 0 })
  })
})

it('a node without transfers asks the chain nothing', async () => {
  const { head } = here.chain
  let asks = 0
  here.chain.head = async () => {
    asks += 1
    return head()
  }
  await here.runner.sweep().finally(() => Object.assign(here.chain, { head }))
  expect(asks).toBe(0)
})

describe('a node that stopped its work', () => {
  it('takes nothing, gives nothing, and has ended what it had with the next sweep', async () => {
    let stopped = false
    const server = await here.startRunner({ stopped: () => stopped })
    const { id } = await begin(server)
    server.announce(home, id, [partFile])
    stopped = true
    const bytes = part.subarray(0, chunkBytes)
    expect(await server.open(home, { job: '1', manifest: asked.job.manifestDigest })).toBe(
      'HAND_OFF_NOT_SERVED',
    )
    expect([
      server.announce(home, id, [partFile]),
      await server.chunk(home, { transfer: id, file: 0, index: 0, digest: sha256Digest(bytes), bytes }),
      server.status(home, id),
      server.answer(home, id),
    ]).toEqual(Array.from({ length: 4 }, () => 'HAND_OFF_NOT_SERVED'))
    await server.sweep()
    expect(server.figures()).toMatchObject({ hand_offs_open: 0 })
    stopped = false
    expect(server.status(home, id)).toBe('HAND_OFF_UNKNOWN')
  })
})

function fromBytes(bytes: Uint8Array) {
  return { bytes, digest: sha256Digest(bytes) }
}
