import { keySetDigest } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { createPoolClient } from '../index.js'
import { recordingStore } from '../testing/contribution.js'
import { memoryChain } from '../testing/memory-chain.js'
import { memoryNode } from '../testing/memory-node.js'
import { at, deployment, policy, pool } from '../testing/simulated-pool.js'
import type { NodeAccess } from './node-access.js'
import { credentialAudience, type PresentationChallenge } from './present-credential.js'

const nonce = `${'ab'.repeat(37)}.0x${'cd'.repeat(20)}`
const condition = `sha256:${'0'.repeat(64)}`
const conditions = [
  { condition, until: 1_790_000_000, reason: null },
  { condition, until: null, reason: 'EXPIRED' },
]

/** As if calls were sealed: what is in them is looked at here. */
const access: NodeAccess = ({ fetch = globalThis.fetch }) => fetch

function world(answer: object, own: { readonly access?: NodeAccess } = { access }) {
  const served = memoryNode()
  // Both calls have the same path; each reads of the answer what it asks for.
  served.routes['/v1/presentation'] = () => ({ simulated: true, nonce, pool, conditions, ...answer })
  const { store } = recordingStore()
  const client = createPoolClient({
    chain: memoryChain().client,
    deployment,
    pool,
    policy,
    nodeUrl: 'http://node.example',
    blobStore: store,
    now: () => at,
    fetch: served.fetch,
    ...own,
  })
  return { client, served, sent: () => served.seen.filter(({ path }) => path === '/v1/presentation') }
}

describe('presenting a credential', () => {
  test('has the holder sign for the verified node, once, and sends what he shows', async () => {
    const { client, sent } = world({})
    const asked: PresentationChallenge[] = []
    const keySet = (await client.ready()).pool?.keySet
    if (keySet === undefined) throw new Error('the node is verified')
    const outcome = await client.presentCredential({
      present: (challenge) => {
        asked.push(challenge)
        return { presentation: 'a~b', statusList: 'list' }
      },
    })
    expect(outcome).toEqual(conditions)
    expect(asked).toEqual([{ nonce, audience: credentialAudience(keySetDigest(keySet)) }])
    expect(sent().map(({ method, body }) => [method, body === '' ? null : JSON.parse(body)])).toEqual([
      ['GET', null],
      ['POST', { pool, nonce, presentation: 'a~b', statusList: 'list' }],
    ])
    await client.presentCredential({ present: async () => ({ presentation: 'a~c' }) })
    expect(JSON.parse(sent().at(-1)?.body ?? '')).toMatchObject({ presentation: 'a~c', statusList: null })
  })

  test('asks for nothing, has nothing signed and sends nothing where calls are plain', async () => {
    const { client, sent } = world({}, {})
    const asked: PresentationChallenge[] = []
    const present = (challenge: PresentationChallenge) => {
      asked.push(challenge)
      return { presentation: 'a~b' }
    }
    await expect(client.presentCredential({ present })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      place: 'access',
    })
    expect([asked, sent()]).toEqual([[], []])
  })

  test('sends nothing when the holder does not sign', async () => {
    const { client, sent } = world({})
    const present = () => Promise.reject(new Error('no'))
    await expect(client.presentCredential({ present })).rejects.toThrow('no')
    expect(sent().map(({ method }) => method)).toEqual(['GET'])
  })

  test.each<[string, object]>([
    ['a nonce that is none', { nonce: 'short' }],
    ['words that are none', { conditions: [{ condition, until: null, reason: 'see <b>here</b>' }] }],
    ['an end before all', { conditions: [{ condition, until: 0, reason: null }] }],
    ['no conditions', { conditions: null }],
  ])('takes no answer with %s', async (_, answer) => {
    const { client } = world(answer)
    await expect(client.presentCredential({ present: () => ({ presentation: 'a' }) })).rejects.toMatchObject({
      code: 'NODE_ANSWER_INVALID',
    })
  })
})
