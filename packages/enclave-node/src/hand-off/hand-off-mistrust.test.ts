import type { JsonObject, JsonValue } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { nodeSigner } from '../key/node-signer.js'
import {
  handOffFixture,
  handOffManifest,
  handOffPool,
  runnerKeys,
  runnerUrl,
} from '../testing/hand-off-fixture.js'
import { putOff, visitsOf } from '../testing/hand-off-visits.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { signTransferKey, type TransferKey } from './hand-off-statements.js'
import { readHandOff } from './kept-hand-off.js'

const here = await handOffFixture()
afterAll(() => here.close())
beforeEach(() => here.reset())
const { ownAnswer, paths } = visitsOf(here)

const signRunner = () =>
  nodeSigner({
    statementKey: runnerKeys.statementKey,
    chainId: here.chain.chainId,
    registry: here.chain.registry,
  })

describe('nothing leaves', () => {
  it.each([
    ['another measurement than the manifest names', `0x${'cd'.repeat(32)}`],
    ['no measurement at all', '0x'],
  ])('for a node with %s', async (_, other) => {
    here.peer = { ...here.peer, measurement: other as `0x${string}` }
    await expect(here.home().visit(await here.visit())).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(here.calls).toEqual([])
  })

  it('for a node that is not attested, and the next one is asked instead', async () => {
    const second = 'https://second.example'
    here.attest = async (url) => {
      if (url !== second) throw new NodeError('PEER_NOT_ATTESTED', url, 'its registration is not active')
      return { ...here.peer, url }
    }
    const asked = await here.visit()
    expect(await here.finish(here.home({ nodes: [runnerUrl, second] }), asked)).toMatchObject({
      answer: await ownAnswer(asked),
    })
    expect(here.attested.slice(0, 2)).toEqual([runnerUrl, second])
  })

  it('for a node whose word on the key of the transfer is not its own', async () => {
    const changes: readonly [string, (body: JsonObject) => JsonValue][] = [
      ['another transfer', (body) => ({ ...body, transfer: '0'.repeat(32) })],
      ['a key that nobody signed', (body) => changedKey(body, { publicKey: 'A'.repeat(43) })],
      ['no statement', (body) => ({ ...body, key: {} })],
    ]
    for (const [name, change] of changes) {
      await here.reset()
      here.after = async ({ path }, body) => (path.endsWith('open') ? change(body as JsonObject) : body)
      await expect(here.home().visit(await here.visit()), name).rejects.toMatchObject(
        putOff('HAND_OFF_WAITS'),
      )
      expect(paths(), name).toEqual(['open'])
    }
  })

  it.each(['transfer', 'job', 'home', 'manifest', 'keySet'] as const)(
    'for a key that the node itself has signed with another %s',
    async (name) => {
      const other = {
        transfer: '0'.repeat(32),
        job: '2',
        home: addressOfDigit('1'),
        manifest: digestOfDigit('1'),
        keySet: digestOfDigit('1'),
      }
      here.after = async ({ path }, body) => {
        if (!path.endsWith('open')) return body
        const { key } = body as unknown as { key: { statement: { body: TransferKey } } }
        const place = { pool: handOffPool.address, job: '1' }
        const signed = signTransferKey(signRunner(), place, { ...key.statement.body, [name]: other[name] })
        return { ...(body as JsonObject), key: signed as unknown as JsonValue }
      }
      await expect(here.home().visit(await here.visit())).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
      expect(paths()).toEqual(['open'])
    },
  )

  it.each([
    ['that is of low order', 'A'.repeat(43)],
    ['that is no 32 bytes', `${'A'.repeat(42)}B`],
  ])('for a key %s, though the node itself has signed it', async (_, publicKey) => {
    here.after = async ({ path }, body) => {
      if (!path.endsWith('open')) return body
      const { key } = body as unknown as { key: { statement: { body: TransferKey } } }
      const signed = signTransferKey(
        signRunner(),
        { pool: handOffPool.address, job: '1' },
        {
          ...key.statement.body,
          publicKey,
        },
      )
      return { ...(body as JsonObject), key: signed as unknown as JsonValue }
    }
    await expect(here.home().visit(await here.visit())).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(paths()).toEqual(['open'])
  })

  it('for a key that was signed for another job', async () => {
    const first = await here.visit(handOffManifest(), '1')
    const second = await here.visit(handOffManifest({}, { salt: 'another-salt-of-16' }), '2')
    let kept: JsonValue | undefined
    here.after = async ({ path }, body) => {
      if (!path.endsWith('open')) return body
      kept ??= body
      return kept
    }
    const home = here.home()
    await home.visit(first).catch(() => undefined)
    here.calls.length = 0
    await expect(home.visit(second)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(paths()).toEqual(['open'])
  })

  it('before the node was attested anew, however lately that was for another job', async () => {
    const first = await here.visit(handOffManifest(), '1')
    const second = await here.visit(handOffManifest({}, { salt: 'another-salt-of-16' }), '2')
    const home = here.home()
    await here.finish(home, first)
    const attested = here.attested.length
    here.calls.length = 0
    here.attest = async (url) => {
      throw new NodeError('PEER_NOT_ATTESTED', url, 'the chain does not allow its measurement')
    }
    await expect(home.visit(second)).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(here.attested.length).toBe(attested + 1)
    expect(here.calls).toEqual([])
  })

  it('when a node asks for chunks of files that it was not promised', async () => {
    here.after = async ({ path }, body) =>
      path.endsWith('announce') ? { simulated: true, state: 'receiving', missing: [[7, 0]] } : body
    await expect(here.home().visit(await here.visit())).rejects.toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(paths()).toEqual(['open', 'status', 'announce', 'end'])
  })

  it('to a node that the settings do not name any more', async () => {
    const asked = await here.visit()
    here.before = async (call) => {
      if (call.path.endsWith('announce')) throw new Error('killed')
      return call
    }
    await here
      .home()
      .visit(asked)
      .catch(() => undefined)
    here.attested.length = 0
    await expect(here.home({ nodes: ['https://second.example'] }).visit(asked)).rejects.toMatchObject(
      putOff('HAND_OFF_WAITS'),
    )
    expect(here.attested).toEqual([])
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, transfer: null })
  })
})

describe('an answer is refused by name', () => {
  const lies: readonly [string, (answer: JsonObject) => JsonValue, RegExp][] = [
    [
      'other sealed bytes',
      (answer) => ({ ...answer, sealed: `${String(answer['sealed']).slice(0, -4)}AAAA` }),
      /of other sealed bytes/,
    ],
    ['no signed work', (answer) => ({ ...answer, work: {} }), /not signed by the node that was attested/],
    [
      'work under another answer digest',
      (answer) => changedWork(answer, { answer: digestOfDigit('1') }),
      /not signed/,
    ],
    ['no answer at all', () => ({ simulated: true }), /another shape/],
    ['sealed text that is none', (answer) => ({ ...answer, sealed: '!' }), /another shape/],
  ]
  it.each(lies)('%s', async (_, change, why) => {
    here.after = async ({ path }, body) => (path.endsWith('answer') ? change(body as JsonObject) : body)
    const asked = await here.visit()
    const home = here.home()
    let error: unknown
    for (let round = 0; round < 2_000 && here.errors.length === 0; round += 1) {
      error = await home.visit(asked).catch((thrown: unknown) => thrown)
      await new Promise((done) => setTimeout(done, 5))
    }
    expect(error).toMatchObject(putOff('HAND_OFF_WAITS'))
    expect(here.errors[0]).toMatchObject({
      code: 'HAND_OFF_REFUSED',
      message: expect.stringMatching(why) as string,
    })
    // The node is given up, and the next one asked.
    expect(await readHandOff(here.store, '1')).toMatchObject({ attempt: 1, transfer: null })
  })

  it('the answer of another job, sealed and signed as it should be', async () => {
    const first = await here.visit(handOffManifest(), '1')
    const second = await here.visit(handOffManifest({}, { salt: 'another-salt-of-16' }), '2')
    let kept: JsonValue | undefined
    here.after = async ({ path }, body) => {
      if (path.endsWith('answer')) kept ??= body
      return path.endsWith('answer') ? (kept ?? body) : body
    }
    const home = here.home()
    await here.finish(home, first)
    expect(here.errors).toEqual([])
    for (let round = 0; round < 2_000 && here.errors.length === 0; round += 1) {
      await home.visit(second).catch(() => undefined)
      await new Promise((done) => setTimeout(done, 5))
    }
    expect(here.errors[0]).toMatchObject({
      code: 'HAND_OFF_REFUSED',
      message: expect.stringMatching(/not signed by the node that was attested, for this job/) as string,
    })
  })

  it('an answer of another plan’s form', async () => {
    const asked = await here.visit()
    const plan = { ...(asked.planned.plan as JsonObject), columns: [{ name: 'other', kind: 'key' }] }
    const other = { ...asked, planned: { ...asked.planned, plan } }
    const home = here.home()
    for (let round = 0; round < 2_000 && here.errors.length === 0; round += 1) {
      await home.visit(other).catch(() => undefined)
      await new Promise((done) => setTimeout(done, 5))
    }
    expect(here.errors[0]).toMatchObject({
      code: 'HAND_OFF_REFUSED',
      message: expect.stringMatching(/not of the form that the plan declares/) as string,
    })
  })
})

function changedKey(body: JsonObject, change: JsonObject): JsonValue {
  return { ...body, key: changedStatement(body['key'], change) }
}

function changedWork(body: JsonObject, change: JsonObject): JsonValue {
  return { ...body, work: changedStatement(body['work'], change) }
}

function changedStatement(signed: unknown, change: JsonObject): JsonValue {
  const { statement, ...rest } = signed as { statement: { body: JsonObject } }
  return {
    ...rest,
    statement: { ...statement, body: { ...statement.body, ...change } },
  } as unknown as JsonValue
}
