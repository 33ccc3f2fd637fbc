import { type Address, encodeBase64Url, type JsonValue } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import type { HandOffServer } from '../hand-off/serve-hand-off.js'
import { apiWorld, wallets } from '../testing/api-world.js'

const digest = `sha256:${'0'.repeat(64)}`
const transfer = 'ab'.repeat(16)
const peer = wallets.peer.address.toLowerCase() as Address
const valid: Readonly<Record<string, JsonValue>> = {
  open: { job: '7', manifest: digest },
  announce: { transfer, files: [{ bytes: 1, digest }] },
  chunk: { transfer, file: 0, index: 0, digest, bytes: encodeBase64Url(new Uint8Array(131_072)) },
  status: { transfer },
  answer: { transfer },
  end: { transfer },
}

/** Notes who asked for what. */
function serverOf(asked: unknown[]): HandOffServer {
  const state = { state: 'running' } as const
  return {
    open: async (...given) => {
      asked.push(given)
      return 'HAND_OFF_FULL'
    },
    announce: (...given) => {
      asked.push(given)
      return state
    },
    chunk: async (...given) => {
      asked.push(given)
      return state
    },
    status: (...given) => {
      asked.push(given)
      return state
    },
    answer: (...given) => {
      asked.push(given)
      return {
        sealed: new Uint8Array([1, 2]),
        work: { statement: {}, context: {}, signature: '0x' } as never,
      }
    },
    end: async (...given) => {
      asked.push(given)
      return { ended: true }
    },
    sweep: async () => undefined,
    figures: () => ({}),
    close: async () => undefined,
  }
}

describe('the calls of a hand-off', () => {
  it('reach the node under the statement key that has signed in, and no other name', async () => {
    const asked: (readonly [Address, ...unknown[]])[] = []
    const world = apiWorld({}, { service: { handOff: serverOf(asked) } })
    const token = await world.session(wallets.peer, ['peer'])
    const answers = []
    for (const [name, body] of Object.entries(valid)) {
      answers.push(await world.call('POST', `/v1/hand-off/${name}`, { token, body }))
    }
    expect(answers.map(({ status }) => status)).toEqual([503, 200, 200, 200, 200, 200])
    expect(asked.map(([home]) => home)).toEqual(Array.from({ length: 6 }, () => peer))
    expect(answers[4]?.body).toMatchObject({ simulated: true, sealed: 'AQI' })
  })

  it('say that nobody is served where the settings do not say so', async () => {
    const world = apiWorld()
    const token = await world.session(wallets.peer, ['peer'])
    for (const [name, body] of Object.entries(valid)) {
      const answer = await world.call('POST', `/v1/hand-off/${name}`, { token, body })
      expect(answer.body).toMatchObject({ error: { code: 'HAND_OFF_NOT_SERVED' } })
    }
  })

  it.each<[string, JsonValue]>([
    ['open', { job: 'seven', manifest: digest }],
    ['open', { job: '7', manifest: 'x' }],
    ['open', { job: '7', manifest: digest, home: peer }],
    ['announce', { transfer, files: [] }],
    ['announce', { transfer, files: [{ bytes: 0, digest }] }],
    ['announce', { transfer, files: [{ bytes: 1.5, digest }] }],
    ['announce', { transfer, files: Array.from({ length: 2_001 }, () => ({ bytes: 1, digest })) }],
    ['announce', { transfer: '../x', files: [{ bytes: 1, digest }] }],
    ['chunk', { transfer, file: -1, index: 0, digest, bytes: 'AA' }],
    ['chunk', { transfer, file: 0, index: 0.5, digest, bytes: 'AA' }],
    ['chunk', { transfer, file: 0, index: 0, digest, bytes: '!' }],
    ['chunk', { transfer, file: 0, index: 0, digest, bytes: 'A' }],
    ['chunk', { transfer, file: 0, index: 0, digest, bytes: encodeBase64Url(new Uint8Array(131_075)) }],
    ['status', {}],
    ['answer', null],
    ['end', { transfer: 'AB'.repeat(16) }],
  ])('%s refuses %j before it reaches the node', async (name, body) => {
    const asked: unknown[] = []
    const world = apiWorld({}, { service: { handOff: serverOf(asked) } })
    const token = await world.session(wallets.peer, ['peer'])
    const answer = await world.call('POST', `/v1/hand-off/${name}`, { token, body: body as object })
    expect(answer.body).toMatchObject({ error: { code: 'HAND_OFF_BODY' } })
    expect(asked).toEqual([])
  })
})
