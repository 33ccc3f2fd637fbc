import type { JsonValue } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import type { PeerLine } from '../peer/call-peer.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { transferLine } from './transfer-line.js'

const url = 'https://runner.example'
const id = 'ab'.repeat(16)

/** A line to a node that answers so, and what it was asked. */
function answering(body: JsonValue, status = 200) {
  const asked: Parameters<PeerLine>[0][] = []
  const line = transferLine(url, async (call) => {
    asked.push(call)
    return { status, body }
  })
  return { line, asked }
}
const wrong = (call: string) =>
  expect.objectContaining({
    code: 'HAND_OFF_REFUSED',
    message: expect.stringContaining(`${url} ${call}`) as string,
  }) as unknown
type Line = ReturnType<typeof transferLine>
const calls: readonly [string, (line: Line) => Promise<unknown>][] = [
  ['open', (line) => line.open({ job: '1', manifest: digestOfDigit('1') })],
  ['announce', (line) => line.announce(id, [{ bytes: 1, digest: digestOfDigit('1') }])],
  [
    'chunk',
    (line) =>
      line.chunk({
        transfer: id,
        file: 0,
        index: 0,
        digest: digestOfDigit('1'),
        bytes: Uint8Array.of(251, 255),
      }),
  ],
  ['status', (line) => line.status(id)],
  ['answer', (line) => line.answer(id)],
]

describe.each(calls)('the call %s', (name, call) => {
  it('goes to its own path and hands on the code of a refusal', async () => {
    const { line, asked } = answering({ error: { code: 'HAND_OFF_FULL', message: 'x' } }, 503)
    expect(await call(line)).toEqual({ refused: 'HAND_OFF_FULL' })
    expect(asked).toMatchObject([{ method: 'POST', path: `/v1/hand-off/${name}` }])
  })

  it.each<[string, JsonValue, number]>([
    ['a refusal without a code', { error: {} }, 503],
    ['a code that is too long', { error: { code: 'x'.repeat(101) } }, 400],
    ['what would be an answer under a status of failure', { state: 'running' }, 500],
    ['a refusal under a status of success', { error: { code: 'BUSY' } }, 200],
    ['nothing', null, 200],
  ])('takes %s for no answer', async (_, body, status) => {
    await expect(call(answering(body, status).line)).rejects.toEqual(wrong(name))
  })
})

describe('the state of a transfer', () => {
  it.each<[JsonValue, object]>([
    [
      { state: 'receiving', missing: [[0, 3]] },
      { state: 'receiving', missing: [[0, 3]] },
    ],
    [{ state: 'receiving' }, { state: 'receiving', missing: [] }],
    [{ state: 'running', missing: [[0, 0]] }, { state: 'running' }],
    [{ state: 'answered', code: 'X', more: 1 }, { state: 'answered' }],
    [
      { state: 'refused', code: 'LEASH_EXPIRED' },
      { state: 'refused', code: 'LEASH_EXPIRED' },
    ],
    [{ state: 'refused' }, { state: 'refused', code: 'RUN_FAILED' }],
  ])('%j has what it says and no more', async (body, state) => {
    expect(await answering(body).line.status(id)).toEqual(state)
  })

  it.each<JsonValue>([
    { state: 'waiting' },
    { state: 'receiving', missing: [[-1, 0]] },
    { state: 'receiving', missing: [[0, 0.5]] },
    { state: 'receiving', missing: [[0]] },
    { state: 'receiving', missing: Array(1_001).fill([0, 0]) },
    { state: 'refused', code: 'x'.repeat(101) },
  ])('is none: %j', async (body) => {
    await expect(answering(body).line.status(id)).rejects.toEqual(wrong('status'))
  })
})

describe('a transfer', () => {
  it('that was opened has a number of its form and what was signed, unread', async () => {
    const key = { signed: 'x' }
    const opened = await answering({ transfer: id, key }).line.open({
      job: '1',
      manifest: digestOfDigit('1'),
    })
    expect(opened).toEqual({ transfer: id, key })
    for (const transfer of ['', id.toUpperCase(), `${id}0`, '../'])
      await expect(
        answering({ transfer, key }).line.open({ job: '1', manifest: digestOfDigit('1') }),
      ).rejects.toEqual(wrong('open'))
  })

  it('sends bytes as base64url', async () => {
    const { line, asked } = answering({ state: 'running' })
    await line.chunk({
      transfer: id,
      file: 2,
      index: 1,
      digest: digestOfDigit('1'),
      bytes: Uint8Array.of(251, 255),
    })
    expect(asked[0]?.body).toEqual({
      transfer: id,
      file: 2,
      index: 1,
      digest: digestOfDigit('1'),
      bytes: '-_8',
    })
  })

  it('gives its answer as bytes; text that is none is no answer', async () => {
    expect(await answering({ sealed: '-_8', work: { a: 1 } }).line.answer(id)).toEqual({
      sealed: Uint8Array.of(251, 255),
      work: { a: 1 },
    })
    await expect(answering({ sealed: '!', work: {} }).line.answer(id)).rejects.toEqual(wrong('answer'))
  })

  it('is ended whatever is said to that, unless nothing comes through', async () => {
    await answering(null).line.end(id)
    await answering({ error: { code: 'HAND_OFF_UNKNOWN' } }, 404).line.end(id)
    const away = new NodeError('NODE_UNREACHABLE', url, 'no answer')
    const line = transferLine(url, () => Promise.reject(away))
    await expect(line.end(id)).rejects.toBe(away)
    await expect(line.status(id)).rejects.toBe(away)
  })
})
