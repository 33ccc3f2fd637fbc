import { digestOf, keySetDigest, platformRandom } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { at, node } from '../testing/simulated-pool.js'
import { nodeAccess } from './node-access.js'
import { openCall, type SealedCall, sealedAnswerType } from './sealed-call.js'

/* Whoever carries sealed calls cannot read them, and may say anything about the time. */

const hpke = { keySet: keySetDigest(node.keySet), privateKey: node.keys.hpke.privateKey }
const nodeUrl = 'http://node.example'

/** A node behind somebody who says that the first calls are stale, and that it is then. */
function behind(dates: readonly string[]) {
  const calls: SealedCall[] = []
  const carrier: typeof globalThis.fetch = async (_url, init) => {
    const sealed = new Uint8Array(init?.body as Uint8Array)
    const { call, sealAnswer } = await openCall({ ...hpke, sealed, random: platformRandom })
    calls.push(call)
    const date = dates[calls.length - 1]
    if (date !== undefined) {
      const error = { code: 'CALL_STALE', message: 'The clock.' }
      return Response.json({ error }, { status: 400, headers: { date } })
    }
    const body = JSON.stringify({ digest: digestOf('answer') })
    const answer = await sealAnswer({ status: 200, contentType: 'application/json', encoding: 'text', body })
    return new Response(answer as Uint8Array<ArrayBuffer>, { headers: { 'content-type': sealedAnswerType } })
  }
  const fetch = nodeAccess({ token: 'an-agents-token' })({
    nodeUrl,
    chainId: 31337,
    fetch: carrier,
    keySet: async () => node.keySet,
    random: platformRandom,
    now: () => at,
  })
  return { calls, ask: () => fetch(`${nodeUrl}/v1/jobs/7`) }
}
const dateAfter = (seconds: number) => new Date(at.getTime() + seconds * 1_000).toUTCString()

describe('a sealed call that is said to be stale', () => {
  test('is made again by the time that the node has', async () => {
    const { calls, ask } = behind([dateAfter(3_600)])
    expect((await ask()).status).toBe(200)
    expect(calls.map((call) => call.at - at.getTime() / 1_000)).toEqual([0, 3_600])
  })

  test.each([
    ['a month ahead', dateAfter(30 * 86_400)],
    ['years ahead', dateAfter(10 * 365 * 86_400)],
    ['a month ago', dateAfter(-30 * 86_400)],
    ['no moment', 'soon'],
  ])('is not dated %s, to be kept and delivered then', async (_, date) => {
    const { calls, ask } = behind([date])
    await expect(ask()).rejects.toMatchObject({ code: 'NODE_REFUSED', nodeCode: 'CALL_STALE' })
    expect(calls).toHaveLength(1)
  })

  test('is made again once', async () => {
    const { calls, ask } = behind([dateAfter(60), dateAfter(120)])
    await expect(ask()).rejects.toMatchObject({ nodeCode: 'CALL_STALE' })
    expect(calls).toHaveLength(2)
  })
})
