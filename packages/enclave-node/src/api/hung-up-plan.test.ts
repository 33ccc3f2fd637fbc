import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { apiManifest, apiWorld, wallets } from '../testing/api-world.js'
import { until } from '../testing/ask.js'
import { nodeApi } from './node-api.js'
import type { NodeService } from './node-service.js'
import { type ServedApi, serveApi } from './serve-api.js'

/** Plans that wait for the chain until nobody wants them any more; only what is not titled so is answered. */
const waits = 'waits'
const signals: AbortSignal[] = []
const errors: unknown[] = []
const plan: NodeService['plan'] = async ({ title }, signal) => {
  if (title !== waits) throw new Error('planned')
  if (signal === undefined) throw new Error('nobody could be told that the caller has hung up')
  signals.push(signal)
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
}
const service = { simulated: true, plan, notReady: () => [] } as unknown as NodeService
const app = nodeApi(service, (error) => errors.push(error))
let served: ServedApi
beforeAll(async () => {
  served = await serveApi({ app, host: '127.0.0.1', port: 0 })
})
afterAll(() => served.close())

const body = (title: string): string => JSON.stringify({ manifest: { ...apiManifest, title } })
const headers = { 'content-type': 'application/json' }
/** Asks for a plan on a connection of its own. */
const asking = (title: string) => {
  const call = request(`${served.url}/v1/plan`, { method: 'POST', headers, agent: false })
  call.on('error', () => undefined)
  call.end(body(title))
  return call
}

it('gives its turn back when whoever asked has hung up, whether it was begun or waits', async () => {
  const all = Array.from({ length: 20 }, () => asking(waits))
  await until('eight plans are under way', async () => signals.length === 8)
  // Those that wait are never begun, those that are under way end: else nobody would have a turn again.
  for (const call of all.toReversed()) call.destroy()
  await until('they are told', async () => signals.every(({ aborted }) => aborted))
  const call = asking('now')
  const [response] = (await once(call, 'response')) as [{ statusCode: number }]
  expect(response.statusCode).toBe(500)
  call.destroy()
  // What was given up is no failure of the node; what failed is told still.
  expect(errors).toEqual([new Error('planned')])
})

it('inside a sealed call is told as well', async () => {
  let told: AbortSignal | undefined
  const world = apiWorld(
    {},
    {
      service: {
        plan: async (_, signal) => {
          told = signal
          return { ok: true, explanation: {}, plan: {}, planDigest: `sha256:${'0'.repeat(64)}`, live: [] }
        },
      },
    },
  )
  const token = await world.session(wallets.consumer, ['consumer'])
  const control = new AbortController()
  world.hangUp(control.signal)
  expect(await world.call('POST', '/v1/plan', { token, body: { manifest: apiManifest } })).toMatchObject({
    status: 200,
  })
  expect(told?.aborted).toBe(false)
  control.abort()
  expect(told?.aborted).toBe(true)
})
