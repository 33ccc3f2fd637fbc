import type { JsonObject, JsonValue } from '@sealpool/crypto'
import { signVerdict } from '@sealpool/poc'
import { expect, it } from 'vitest'
import { refusedVerdict } from '../ingest/judge-contribution.js'
import type { ServedPool } from '../ingest/served-pool.js'
import type { ContributionRow } from '../state/contribution-table.js'
import { chainContribution, keys } from '../testing/job-fixture.js'
import { addressOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { otherKeys, otherPeer } from '../testing/share-fixture.js'
import { type AskValidatorsOptions, askValidators, type OwnVerdict } from './ask-validators.js'
import { inputsOf } from './told-facts.js'

/* One validator besides the home; nothing is opened, so that no code runs. */

const pool: ServedPool = {
  ...servedPoolFixture(),
  validators: {
    threshold: 2,
    nodes: [{ address: otherKeys.statementAddress, url: 'https://other.example' }],
  },
}
const oneRun = { memoryBytes: 1_000_000, timeMs: 1_000, outputBytes: 1_000 }
const limits = { proof: oneRun, refiner: oneRun }
const deployment = { chainId: pool.chainId, nodeRegistry: addressOfDigit('f') }
const judged = (id: string): OwnVerdict => {
  const contribution = chainContribution({ id }) as ContributionRow
  return {
    contribution,
    verdict: refusedVerdict(contribution, pool, 'SEALED_FILE_INVALID', '$'),
    at: 5,
    mediaType: '',
    file: undefined,
    told: {
      opening: { code: 'SEALED_FILE_INVALID', place: '$' },
      clock: false,
      duplicateOf: null,
      isHeld: false,
      novelty: null,
      account: null,
      scaling: null,
    },
  }
}
const nine = Array.from({ length: 9 }, (_, index) => judged(String(index + 1)))

/** What a validator who finds the same says. @param rules by which it has judged, where they are not the home's */
function answerTo(
  { items, key }: JsonObject,
  change: (id: string) => JsonObject = () => ({}),
  rules: Partial<Pick<Parameters<typeof inputsOf>[0], 'pool' | 'limits'>> = {},
): JsonObject {
  const answers = (items as { id: string }[]).map(({ id }) => {
    const { contribution, verdict, at, mediaType, told } = judged(id)
    const { owner, commitment } = contribution
    const statement = signVerdict({
      verdict,
      context: {
        chainId: pool.chainId,
        registry: deployment.nodeRegistry,
        subject: `0x${id.padStart(64, '0')}`,
        commitment,
        inputs: inputsOf({
          key: Buffer.from(String(key).slice(2), 'hex'),
          pool,
          limits,
          owner,
          at,
          mediaType,
          told,
          ...rules,
        }),
      },
      privateKey: otherKeys.statementKey,
    })
    return { id, statement, reason: null, ...change(id) } as unknown as JsonObject
  })
  return { state: 'judged', answers }
}

/** A panel with one validator, which answers as it is told. */
function panelOf(
  answer: (body: JsonObject) => JsonValue | Promise<JsonValue>,
  change: Partial<AskValidatorsOptions> = {},
) {
  const world = { now: 1_000, asked: 0, errors: [] as string[] }
  const panel = askValidators({
    keys,
    sign: { deployment } as AskValidatorsOptions['sign'],
    limits,
    attest: async () => otherPeer,
    call: () => async (call) => {
      world.asked += 1
      return { status: 200, body: await answer(call.body as JsonObject) }
    },
    requireOwnKeys: () => undefined,
    grace: () => new Promise(() => undefined),
    patience: () => new Promise(() => undefined),
    random: () => new Uint8Array(32),
    now: () => world.now,
    onError: (_, error) => world.errors.push(String(error)),
    ...change,
  })
  const decided = async (...which: OwnVerdict[]) =>
    (await panel.agree(pool, which)).map((decision) =>
      decision.kind === 'agreed' ? decision.kind : decision.reason,
    )
  return { world, panel, decided }
}
const withheld = (id: string) => (one: string) =>
  one === id ? { statement: null, reason: 'BLOB_AWAY' } : ({} as JsonObject)

it.each<[string, Parameters<typeof answerTo>[2]]>([
  [
    'another refiner',
    { pool: { ...pool, refiner: { ...pool.refiner, digest: `sha256:${'5'.repeat(64)}` } } },
  ],
  ['other limits of the refiner', { limits: { ...limits, refiner: { ...oneRun, timeMs: 999 } } }],
  ['other limits of the proof', { limits: { ...limits, proof: { ...oneRun, timeMs: 999 } } }],
])('does not agree with one who judged by %s', async (_, rules) => {
  const { decided } = panelOf((body) => answerTo(body, undefined, rules))
  expect(await decided(judged('1'))).not.toContain('agreed')
})

it('agrees on what the validator says as well', async () => {
  const { decided, world } = panelOf((body) => answerTo(body))
  expect(await decided(...nine)).toEqual(nine.map(() => 'agreed'))
  expect([world.asked, world.errors]).toEqual([2, []])
})

it('what is asked about in vain is asked about more and more seldom, other things as ever', async () => {
  let isAway = true
  const { decided, panel, world } = panelOf((body) => answerTo(body, isAway ? withheld('1') : undefined))
  const waits: number[] = []
  for (let round = 0; round < 10; round += 1) {
    expect(await decided(judged('1'), judged('2'))).toEqual(['VALIDATORS_AWAY', 'agreed'])
    waits.push(panel.againAt(pool, '1') - world.now)
    expect([panel.againAt(pool, '2'), panel.againAt(pool)]).toEqual([world.now + 30, world.now + 30])
  }
  expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600])
  isAway = false
  expect(await decided(judged('1'))).toEqual(['agreed'])
  expect(panel.againAt(pool, '1')).toBe(world.now + 30)
})

it('what waits because the validator is away is asked about as ever', async () => {
  const { decided, panel, world } = panelOf(() => ({ state: 'later', reason: 'BUSY' }))
  for (let round = 0; round < 4; round += 1) {
    expect(await decided(judged('1'))).toEqual(['VALIDATORS_AWAY'])
    world.now += 300
  }
  expect(panel.againAt(pool, '1')).toBe(world.now + 30)
})

it('a validator that failed is left alone until its time has come', async () => {
  let attested = 0
  const { decided, panel, world } = panelOf((body) => answerTo(body), {
    attest: async () => {
      attested += 1
      if (attested <= 6) throw new Error('away')
      return otherPeer
    },
  })
  for (let round = 0; round < 6; round += 1) {
    await decided(judged('1'))
    world.now += 2 ** (round + 1) - 1
    await decided(judged('1'))
    expect(attested).toBe(round + 1)
    world.now += 1
  }
  expect(await decided(judged('1'))).toEqual(['agreed'])
  expect(panel.againAt(pool)).toBe(world.now + 30)
})

it('who does not answer is waited for so long and no longer, and asked nothing more about the batch', async () => {
  let go: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    go = resolve
  })
  let end: () => void = () => undefined
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const { decided, world } = panelOf(
    async (body) => {
      end()
      await held
      return answerTo(body)
    },
    { patience: () => over },
  )
  expect(await decided(...nine)).toEqual(nine.map(() => 'VALIDATORS_AWAY'))
  go()
  await new Promise((resolve) => setTimeout(resolve))
  expect(world.asked).toBe(1)
})

it('while some are slow it waits for all of them as long as something is not decided', async () => {
  const third = addressOfDigit('3')
  const both = {
    ...pool,
    validators: {
      threshold: 2,
      nodes: [...(pool.validators?.nodes ?? []), { address: third, url: 'https://third.example' }],
    },
  }
  let answered = 0
  const { panel } = panelOf((body) => answerTo(body, withheld('1')), {
    grace: async () => undefined,
    attest: async ({ address }) => {
      if (address !== third) return otherPeer
      await new Promise((resolve) => setTimeout(resolve, 20))
      answered += 1
      throw new Error('away')
    },
  })
  await panel.agree(both, [judged('1')])
  expect(answered).toBe(1)
})

it('keeps nothing that is longer than any verdict, and asks nothing once its keys have moved', async () => {
  const long = (id: string) => ({ statement: { x: 'x'.repeat(300_000) }, id })
  const { decided, world, panel } = panelOf((body) => answerTo(body, long))
  expect(await decided(judged('1'))).toEqual(['VALIDATORS_AWAY'])
  expect(world.errors.join()).toContain('TOO_LONG')
  expect(panel.rejected()).toBe(0)
  const moved = panelOf((body) => answerTo(body), {
    requireOwnKeys: () => {
      throw new Error('the keys have moved')
    },
  })
  await expect(moved.decided(judged('1'))).rejects.toThrow('the keys have moved')
  expect(moved.world.asked).toBe(0)
})

it('says who has sent what does not count', async () => {
  const senders: string[] = []
  const unsigned = () => ({ statement: { statement: {}, context: {}, signature: '0x' } })
  const { decided, panel } = panelOf((body) => answerTo(body, unsigned), {
    onError: (validator) => senders.push(validator),
  })
  expect(await decided(judged('1'))).toEqual(['VALIDATORS_AWAY'])
  expect([senders, panel.rejected()]).toEqual([[otherPeer.statementAddress], 1])
})

it('takes nothing of an answer with another status, nor about what was not asked in that question', async () => {
  const refused = panelOf((body) => answerTo(body), {
    call: () => async (call) => ({ status: 500, body: answerTo(call.body as JsonObject) }),
  })
  expect(await refused.decided(judged('1'))).toEqual(['VALIDATORS_AWAY'])
  let first: JsonObject | undefined
  const mixed = panelOf((body) => {
    const { items, key } = body
    if (first !== undefined) return { state: 'judged', answers: [] }
    first = answerTo({ items: [{ id: '9' }], key: key ?? null })
    expect(items).toHaveLength(8)
    return first
  })
  expect(await mixed.decided(...nine)).toEqual(nine.map(() => 'VALIDATORS_AWAY'))
})
