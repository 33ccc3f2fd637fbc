import { receiptBodySchema, verifyReceipt } from '@sealpool/attest'
import { openResult } from '@sealpool/client'
import {
  decodeBase64Url,
  deriveKeyPair,
  encodeBase64Url,
  platformRandom,
  type SignedStatement,
  statementDigest,
  verifyStatement,
} from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, until } from '../testing/ask.js'
import { type FederationWorld, federationWorld, type WorldHome } from '../testing/federation-world.js'
import type { ShownJob } from '../testing/world-jobs.js'
import { startNode } from './start-node.js'

let here: FederationWorld
let pay: WorldHome
let people: WorldHome
let rural: WorldHome

const bodyOf = ({ receipt }: ShownJob) => {
  if (receipt === null) throw new Error('there is no receipt')
  return receiptBodySchema.parse(receipt.statement.body)
}

/** Epsilon that a home has spent of its pool. */
const spent = async ({ node }: WorldHome): Promise<number> => {
  const text = await (await fetch(`${node.url}/v1/metrics`)).text()
  return Number(/budget_epsilon_spent\{[^}]*\} ([0-9.]+)/.exec(text)?.[1])
}

beforeAll(async () => {
  here = await federationWorld()
  const [one, two, three] = here.homes
  if (one === undefined || two === undefined || three === undefined) throw new Error('there are three homes')
  pay = one
  people = two
  rural = three
}, 240_000)
afterAll(() => here?.close())

describe('one job over the pools of three homes', { timeout: 240_000 }, () => {
  it('is refused whole when another code answers for a home: it is asked for nothing but evidence', async () => {
    const settings = await here.settings(2, 'impostor', {
      evidence: { provider: 'simulator', image: 'other code' },
      // With them it would not start at all: it has not the ledger of the pool that it claims.
      chain: { ...here.chain, anchors: null },
      federation: null,
    })
    const impostor = await startNode(settings, here.secretsOf(3), { log: here.log })
    try {
      rural.proxy.target = impostor.url
      rural.proxy.seen.length = 0
      const id = await here.paid()
      expect(await here.ended(pay, id, 'refused')).toMatchObject({ reason: 'HOME_NOT_ATTESTED' })
      const paths = rural.proxy.seen
        .map((bytes) => Buffer.from(bytes).toString())
        .filter((text) => text.startsWith('/v1/'))
      expect(paths.length).toBeGreaterThan(0)
      expect(paths.filter((path) => !path.startsWith('/v1/evidence'))).toEqual([])
    } finally {
      rural.proxy.target = rural.node.url
      await impostor.stop()
    }
    expect(await Promise.all(here.homes.map(spent))).toEqual([0, 0, 0])
  })

  it('is answered as over one pool of all rows, each pool charged by its home, and a receipt that names all', async () => {
    for (const { proxy } of here.homes) proxy.seen.length = 0
    const [witness, other] = here.world.workers.map(({ address }) => address.toLowerCase())
    const keys = deriveKeyPair(platformRandom(32))
    const resultKey = { kem: 'x25519', publicKey: encodeBase64Url(keys.publicKey) }
    const views = {
      consumer: { kind: 'whole' },
      others: [
        { address: witness ?? '', resultKey, view: { kind: 'count' } },
        { address: other ?? '', resultKey: null, view: { kind: 'receipt' } },
      ],
    }
    const id = await here.paid(here.manifest({ views }))
    const body = bodyOf(await here.ended(pay, id, 'settled'))
    // Six rows of each of three pools; the noise has a scale below one.
    const { rows } = await here.answer(pay, id)
    expect(rows).toHaveLength(1)
    expect(Math.abs((rows[0]?.[0] ?? 0) - 18)).toBeLessThan(5)

    expect(body.pools.map(({ name }) => name)).toEqual(['pay', 'people', 'rural'])
    for (const { budget, inputs } of body.pools) {
      expect(budget?.charged).toEqual({ epsilon: '12', delta: '0' })
      expect(inputs.count).toBe(6)
    }
    const { shares } = (await ask(`${pay.node.url}/v1/jobs/${id}/shares`)) as { shares: SignedStatement[] }
    expect(body.homes).toEqual(
      [people, rural].map(({ node }, index) => ({
        node: node.keySet.statement.address,
        keySet: node.keySetDigest,
        quote: node.quoteDigest,
        share: statementDigest(shares[index]?.statement as SignedStatement['statement']),
      })),
    )
    for (const [index, { node }] of [people, rural].entries()) {
      expect(
        verifyStatement(shares[index] as SignedStatement, { signer: node.keySet.statement.address }),
      ).toBe(true)
    }
    const copy = (await ask(`${pay.node.url}/v1/jobs/${id}/result?recipient=${witness}`)) as {
      readonly sealed: string
    }
    const sealedResult = decodeBase64Url(copy.sealed)
    const { privateKey } = keys
    const expectedDigest = body.result?.digest ?? 'sha256:'
    const counted = await openResult({ sealed: sealedResult, privateKey, expectedDigest })
    expect(counted).toMatchObject({ value: { count: 1 }, view: { kind: 'count' } })
    expect(await ask(`${pay.node.url}/v1/jobs/${id}/result?recipient=${other}`)).toMatchObject({
      error: { code: 'RECIPIENT_UNKNOWN' },
    })
    const bundle = (await ask(`${pay.node.url}/v1/jobs/${id}/receipt`)) as Record<string, never>
    const verdict = verifyReceipt({
      receipt: bundle['receipt'],
      evidence: bundle['evidence'],
      policies: Object.values(bundle['policies'] ?? {}),
      manifest: bundle['manifest'] ?? null,
      plan: bundle['plan'] ?? null,
      verdicts: bundle['verdicts'] ?? {},
      shares,
      result: counted.bytes,
      sealedResult,
      deployment: { chainId: here.world.deployment.chainId, registry: here.world.deployment.nodeRegistry },
      trust: here.world.attestation,
      at: new Date(),
    })
    expect(verdict.checks.filter(({ result }) => result !== 'pass')).toEqual([])
    // What went between the nodes says nothing to a proxy.
    for (const { proxy } of [people, rural]) {
      const wire = Buffer.concat(proxy.seen)
      expect(wire.length).toBeGreaterThan(1_000)
      for (const canary of ['statistics', 'persons', 'sealpool/share', 'verdicts', 'noise'])
        expect(wire.includes(canary), canary).toBe(false)
    }
  })

  it('is charged once by each home, though an answer is lost and both nodes are stopped and started again', async () => {
    const before = await spent(people)
    let lost = 0
    people.proxy.after = async () => {
      // The answer to the first call that charges is lost, and with it the process that had it.
      if (lost > 0 || (await spent(people)) === before) return true
      lost += 1
      return false
    }
    const id = await here.paid()
    await until('an answer was lost', async () => lost === 1)
    await Promise.all([pay.node.stop(), people.node.stop()])
    await Promise.all([pay.start(), people.start()])
    const body = bodyOf(await here.ended(pay, id, 'settled'))
    for (const { name, budget } of body.pools) {
      expect(budget?.before.version, name).toBe(1)
      expect(budget?.after.version, name).toBe(2)
    }
    for (const home of here.homes) expect(await spent(home)).toBe(before + 12)
    expect(Math.abs(((await here.answer(pay, id)).rows[0]?.[0] ?? 0) - 18)).toBeLessThan(5)
    // The other homes have nothing to tell of it but that it is over, once they have read so.
    await until('it is over there', async () => (await here.job(rural, id)).state === 'closed')
    expect(await here.job(rural, id)).toMatchObject({ receipt: null })
  })
})
