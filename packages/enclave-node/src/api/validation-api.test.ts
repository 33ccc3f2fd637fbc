import type { Address } from '@sealpool/crypto'
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import type { AgreementRecord, DisputeRow } from '../state/verdict-agreement-table.js'
import { apiWorld, wallets } from '../testing/api-world.js'
import type { ValidationAnswer } from '../validation/serve-validation.js'
import { type ApiEnv, answersOf } from './api-context.js'
import { validationRoutes } from './validation-routes.js'

const digest = `sha256:${'0'.repeat(64)}` as const
const address: Address = `0x${'a'.repeat(40)}`
const wish = {
  pool: address,
  poc: digest,
  key: `0x${'1'.repeat(64)}`,
  items: [
    {
      id: '7',
      block: '3',
      header: 'AQI',
      told: {
        opening: null,
        clock: false,
        duplicateOf: null,
        isHeld: false,
        novelty: 0.5,
        account: null,
        scaling: null,
      },
    },
  ],
}
const path = '/v1/validation/verdicts'

it('a validator is asked under the statement key that has signed in, in the form of the node', async () => {
  const asked: unknown[] = []
  const given: ValidationAnswer = {
    state: 'judged',
    answers: [{ id: '7', statement: null, reason: 'BLOB_AWAY' }],
  }
  const server = {
    judge: async (...call: unknown[]) => {
      asked.push(call)
      return given
    },
    signed: () => 0,
  }
  const world = apiWorld(
    {},
    { service: { validation: { server, wordOn: async () => undefined, disputes: async () => [] } } },
  )
  const token = await world.session(wallets.peer, ['peer'])
  const call = async (body: object) => (await world.call('POST', path, { token, body })).body
  expect(await call(wish)).toMatchObject(given)
  expect(asked).toEqual([
    [
      wallets.peer.address.toLowerCase(),
      {
        ...wish,
        key: new Uint8Array(32).fill(0x11),
        items: [{ ...wish.items[0], header: new Uint8Array([1, 2]) }],
      },
    ],
  ])
  for (const wrong of [{}, { ...wish, items: [] }, { ...wish, home: address }])
    expect(await call(wrong)).toMatchObject({ error: { code: 'VALIDATION_BODY' } })
  expect(asked).toHaveLength(1)
})

it('a validator is asked by nobody who has not signed in, whatever the role matrix says', async () => {
  const app = new Hono<ApiEnv>()
  app.use(async (context, next) => {
    context.set('capability', null)
    await next()
  })
  const judge = () => Promise.reject(new Error('it was asked'))
  const node = { validation: { server: { judge } } } as unknown as Parameters<typeof validationRoutes>[1]
  validationRoutes(app, node, answersOf(false))
  const response = await app.request(path, { method: 'POST', body: JSON.stringify(wish) })
  expect(await response.json()).toMatchObject({ error: { code: 'SIGN_IN_REQUIRED' } })
})

it('a node that judges for nobody says so, and one whose pools have no validators has no words of them', async () => {
  const world = apiWorld({ open: true })
  const token = await world.session(wallets.peer, ['peer'])
  expect((await world.call('POST', path, { token, body: wish })).body).toMatchObject({
    error: { code: 'VALIDATION_NOT_SERVED' },
  })
  expect((await world.call('GET', '/v1/contributions/7/verdicts', {})).body).toMatchObject({
    error: { code: 'VERDICTS_UNKNOWN' },
  })
  expect((await world.call('GET', '/v1/contributions/x/verdicts', {})).body).toMatchObject({
    error: { code: 'ID_INVALID' },
  })
  expect((await world.call('GET', '/v1/disputes', {})).body).toMatchObject({ disputes: [] })
})

it('disputes are listed by digests for everybody; their evidence stands with the contribution', async () => {
  const agreement: AgreementRecord = {
    poc: digest,
    commitment: digest,
    inputs: digest,
    threshold: 2,
    validators: [address],
    statements: [],
  }
  const statement = { statement: {}, context: {}, signature: '0x', signer: address } as never
  const dispute: DisputeRow = {
    number: '1',
    contribution: '7',
    pool: address,
    shown: {
      kind: 'mismatch',
      signers: [address, address],
      digests: [digest, digest],
      fields: ['score'],
      poc: digest,
    },
    evidence: { statements: [statement, statement], expected: agreement },
  }
  const from: number[] = []
  const world = apiWorld(
    { open: true },
    {
      service: {
        validation: {
          server: undefined,
          wordOn: async () => ({
            agreement,
            rescored: [{ ...agreement, threshold: 3 }],
            disputes: [dispute],
          }),
          disputes: async (number) => {
            from.push(number)
            return [dispute]
          },
        },
      },
    },
  )
  const listed = (await world.call('GET', '/v1/disputes?from=5', {})).body
  expect(listed).toMatchObject({
    disputes: [{ number: '1', contribution: '7', fields: ['score'], poc: digest }],
  })
  expect(JSON.stringify(listed)).not.toContain('statements')
  expect(from).toEqual([5])
  expect((await world.call('GET', '/v1/disputes?from=x', {})).body).toMatchObject({
    error: { code: 'ID_INVALID' },
  })
  expect((await world.call('GET', '/v1/contributions/7/verdicts', {})).body).toMatchObject({
    id: '7',
    agreement,
    rescored: [{ threshold: 3 }],
    disputes: [{ number: '1', evidence: { statements: [{}, {}] } }],
  })
})
