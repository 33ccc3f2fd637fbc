import { credentialAudience } from '@sealpool/client/access'
import { parseJobManifest } from '@sealpool/compute'
import type { AccessReading, CredentialCondition } from '@sealpool/contracts'
import { type Address, canonicalBytes, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { AccessQuery } from '../chain/chain-port.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { previewPlan, previewPrice } from '../job/request-run.js'
import { advanceJob } from '../job/run-job.js'
import { openCredentialDesk } from '../runtime/open-credential-desk.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { notePresented, presentedUntil } from '../state/presented-credential.js'
import { credentialIssuer, type PresentationChange } from '../testing/credential-issuer.js'
import { consumer, engine, jobFixture, keys, manifest, pool } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { conditionDigest } from './condition-digest.js'

const at = 1_700_000_000
const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
const issuer = await credentialIssuer(at)
const audience = credentialAudience(keys.keySetDigest)
const stranger = addressOfDigit('d')

const rulesOf = (condition: CredentialCondition): JsonObject => ({
  version: 1,
  use: { credential: condition },
})
const rules = rulesOf(issuer.condition)
const guarded: ServedPool = { ...pool, policy: parsePoolPolicy({ ...pool.policy, access: rules }) }

/** Seconds of the node's clock, and of the block by which it judges. */
let clock: number
let chainTime: number
beforeEach(async () => {
  await world.reset()
  await store.query('delete from meta')
  clock = at
  chainTime = at
  Object.assign(world.chain, {
    head: async () => ({ number: 9n, hash: `0x${'0'.repeat(64)}`, timestamp: chainTime }),
    access: async ({ conditions }: AccessQuery): Promise<readonly AccessReading[]> =>
      conditions.map(() => ({
        block: { number: 9n, hash: `0x${'ab'.repeat(32)}`, timestamp: chainTime },
        answers: [null, null],
      })),
  })
})

const contextOf = (served: ServedPool = guarded) =>
  world.context(() => engine(), { pools: new Map([[served.address, served]]), now: () => clock })
/** Presents a credential as a wallet does that has signed in. */
async function present(
  change: PresentationChange & {
    readonly wallet?: Address
    readonly nonce?: string
    readonly statusList?: string
    readonly at?: ReturnType<typeof openCredentialDesk>
  } = {},
) {
  const { wallet = consumer, statusList = null, ...rest } = change
  const desk = change.at ?? openCredentialDesk(contextOf())
  const nonce = change.nonce ?? desk.challenge(wallet)
  const presentation = await issuer.presentation({ nonce, audience }, rest)
  const request = { pool: pool.address, nonce, presentation, statusList }
  return { answer: await desk.present(wallet, request), request, desk }
}
const condition = conditionDigest(issuer.condition)
const counts = [{ condition, until: at + 3_600, reason: null }]
const wish = parseJobManifest(manifest())
const verdict = async () => (await world.receiptOf('1')).pools[0]?.access?.conditions

describe('a job of a pool that asks for a credential', () => {
  it('is refused to who has presented none: not begun, not charged, and told beforehand', async () => {
    for (const preview of [previewPlan, previewPrice])
      expect(await preview(contextOf(), wish)).toMatchObject({
        ok: false,
        receipt: { statement: { body: { refusal: { code: 'ACCESS_UNKNOWN' } } } },
      })
    expect(await advanceJob(contextOf(), await world.paid())).toMatchObject({
      state: 'refused',
      reason: 'ACCESS_UNKNOWN',
    })
    expect([world.chain.calls, await world.spent()]).toEqual([['refuse'], '0'])
    expect(await verdict()).toEqual([{ rules: digestOf(rules), verdict: 'unknown' }])
  })

  it('runs for who has, also after a restart; the receipt names rules and verdict, and nothing of the credential', async () => {
    expect((await present()).answer).toEqual(counts)
    for (const preview of [previewPlan, previewPrice])
      expect(await preview(contextOf(), wish)).toMatchObject({ ok: true })
    const job = await advanceJob(contextOf(), await world.paid())
    expect(job).toMatchObject({ state: 'settled' })
    expect(await verdict()).toEqual([{ rules: digestOf(rules), verdict: 'yes' }])
    const kept = await store.query('select key, value from meta')
    for (const all of [job?.receipt, kept]) expect(JSON.stringify(all)).not.toMatch(/canary|researcher/)
    expect(kept).toHaveLength(1)
  })

  it.each<[string, () => void]>([
    ['by the node’s clock', () => (clock += 3_600)],
    ['by the chain’s time, whatever the node’s clock is set to', () => (chainTime += 3_600)],
  ])('is refused once the presentation is over %s', async (_, pass) => {
    await present()
    pass()
    expect(await advanceJob(contextOf(), await world.paid())).toMatchObject({ reason: 'ACCESS_UNKNOWN' })
  })

  it('is refused to every other wallet, for every other pool, and under another condition', async () => {
    await notePresented(
      store,
      [{ wallet: consumer, pool: stranger, condition, until: at + 99, holder: 'h' }],
      { now: at },
    )
    expect(await previewPlan(contextOf(), wish)).toMatchObject({ ok: false })
    await present({ wallet: stranger })
    expect(await previewPlan(contextOf(), wish)).toMatchObject({ ok: false })
    await present()
    expect(await previewPlan(contextOf(), wish)).toMatchObject({ ok: true })
    const access = rulesOf({ ...issuer.condition, presentedWithin: 3_599 })
    const other = { ...pool, policy: parsePoolPolicy({ ...pool.policy, access }) }
    expect(await previewPlan(contextOf(other), wish)).toMatchObject({ ok: false })
  })

  it('is not handed off: a runner knows of no presentation', async () => {
    await present()
    const handOff = { measurements: [`0x${'1'.repeat(64)}`], expiresAt: at + 9_999, fallback: 'home' }
    const asked = manifest({ handOff })
    expect(await advanceJob(contextOf(), await world.paid(asked))).toMatchObject({
      state: 'refused',
      reason: 'CREDENTIAL_NOT_HANDED_OFF',
    })
    expect(await world.spent()).toBe('0')
  })
})

describe('a presentation', () => {
  it('is taken once, whatever it came to, and not after a restart', async () => {
    const { desk, request } = await present()
    expect(await desk.present(consumer, request)).toBe('CREDENTIAL_NONCE')
    const refused = await present({ disclosed: {}, at: desk })
    expect(refused.answer).toEqual([{ condition, until: null, reason: 'CLAIMS_NOT_MET' }])
    expect(await desk.present(consumer, refused.request)).toBe('CREDENTIAL_NONCE')
    const fresh = await present({ nonce: desk.challenge(consumer) })
    expect(fresh.answer).toBe('CREDENTIAL_NONCE')
  })

  it('is for the wallet to which its nonce was given, and for this node', async () => {
    const desk = openCredentialDesk(contextOf())
    const nonce = desk.challenge(stranger)
    expect((await present({ at: desk, nonce })).answer).toBe('CREDENTIAL_NONCE')
    const renamed = nonce.replace(stranger, consumer)
    // Its own wallet's name on another one's nonce: what the node gave out names nobody, what the holder signed does.
    const signed = await issuer.presentation({ nonce, audience })
    const request = { pool: pool.address, nonce: renamed, presentation: signed, statusList: null }
    expect(await desk.present(consumer, request)).toMatchObject([{ reason: 'BOUND_TO_ANOTHER_NONCE' }])
    const elsewhere = await present({ binding: { aud: credentialAudience(digestOfDigit('1')) } })
    expect(elsewhere.answer).toMatchObject([{ until: null, reason: 'BOUND_TO_ANOTHER_VERIFIER' }])
    for (const odd of ['', '.', `.${consumer}`, `${nonce}.${consumer}`, consumer])
      expect((await present({ at: desk, nonce: odd })).answer).toBe('CREDENTIAL_NONCE')
  })

  it('lets in one wallet at a time for each holder’s key', async () => {
    await present()
    expect(await previewPlan(contextOf(), wish)).toMatchObject({ ok: true })
    expect((await present({ wallet: stranger })).answer).toEqual(counts)
    expect(await previewPlan(contextOf(), wish)).toMatchObject({ ok: false })
  })

  it('that is over by the chain’s time is over, also when the node’s clock was set back', async () => {
    chainTime = at + 90_000
    expect((await present({ binding: { iat: chainTime } })).answer).toMatchObject([{ reason: 'EXPIRED' }])
  })

  it('is judged by every condition of the pool, those of restrictions too', async () => {
    const revocable = { ...issuer.condition, status: { issuedWithin: 600 } }
    const restriction = {
      format: 'sealpool/policy-restriction',
      version: 1,
      reason: 'x',
      access: rulesOf(revocable),
    }
    const { digest } = await world.blobs.put(canonicalBytes(restriction as unknown as JsonValue))
    world.chain.restrictions = [digest]
    const second = conditionDigest(revocable)
    expect((await present()).answer).toEqual([
      ...counts,
      { condition: second, until: null, reason: 'NO_STATUS' },
    ])
    expect(await previewPlan(contextOf(), wish)).toMatchObject({ ok: false })
    const statusList = await issuer.statusList([])
    const shown = await present({ open: issuer.statusAt(3), statusList })
    expect(shown.answer).toEqual([
      { condition, until: null, reason: 'STATUS_NOT_EXPECTED' },
      { condition: second, until: at + 540, reason: null },
    ])
    expect(await previewPlan(contextOf(), wish)).toMatchObject({ ok: true })
    world.chain.restrictions = [digestOfDigit('1')]
    expect((await present()).answer).toBe('CREDENTIAL_POOL')
  })

  it('is refused for a pool that asks for none, and for one that is not known', async () => {
    const desk = openCredentialDesk(contextOf(pool))
    expect((await present({ at: desk })).answer).toBe('CREDENTIAL_POOL')
    const nonce = desk.challenge(consumer)
    const request = { pool: stranger, nonce, presentation: '', statusList: null }
    expect(await desk.present(consumer, request)).toBe('CREDENTIAL_POOL')
  })
})

describe('what is kept of presentations', () => {
  const one = { wallet: consumer, pool: pool.address, condition, holder: 'h' }

  it('is the last of each wallet, and nothing once it is over', async () => {
    await notePresented(store, [{ ...one, until: at + 100 }], { now: at })
    await notePresented(store, [{ ...one, until: at + 50 }], { now: at })
    expect(await presentedUntil(store, one)).toBe(at + 50)
    await store.query(`insert into meta (key, value) values ('other', 'no number')`)
    const other = { ...one, wallet: stranger, holder: 'k' }
    await notePresented(store, [{ ...other, until: at + 200 }], { now: at + 50 })
    expect(await presentedUntil(store, one)).toBe(0)
    expect(await presentedUntil(store, other)).toBe(at + 200)
    expect(await store.query(`select 1 from meta where key = 'other'`)).toHaveLength(1)
  })

  it('is bounded: what does not fit is not kept', async () => {
    const several = [1, 2, 3].map((digit) => ({
      ...one,
      wallet: addressOfDigit(String(digit)),
      holder: `h${digit}`,
      until: at + digit * 10,
    }))
    expect(await notePresented(store, several.slice(0, 2), { now: at, capacity: 2 })).toBe(true)
    expect(await notePresented(store, several.slice(2), { now: at, capacity: 2 })).toBe(false)
    expect(await presentedUntil(store, { ...one, wallet: addressOfDigit('3') })).toBe(0)
    expect(await notePresented(store, several.slice(2), { now: at + 10, capacity: 2 })).toBe(true)
  })

  it('takes no room of other pools, and undoes nothing where there is none', async () => {
    const [first, second] = ['1', '2'].map((digit) => ({
      ...one,
      wallet: addressOfDigit(digit),
      holder: digit,
    }))
    if (first === undefined || second === undefined) throw new Error('two')
    const options = { now: at, capacity: 1 }
    const kept = (which: typeof one) => presentedUntil(store, which)
    expect(await notePresented(store, [{ ...first, until: at + 10 }], options)).toBe(true)
    expect(await notePresented(store, [{ ...second, until: at + 10 }], options)).toBe(false)
    const elsewhere = { ...second, pool: stranger }
    expect(await notePresented(store, [{ ...elsewhere, until: at + 10 }], options)).toBe(true)
    // Its own place is free for who presents anew, also with another key; what comes with more has no room, and leaves all as it was.
    expect(await notePresented(store, [{ ...first, holder: 'other', until: at + 20 }], options)).toBe(true)
    const more = [first, { ...first, condition: digestOfDigit('7') }].map((each) => ({
      ...each,
      until: at + 30,
    }))
    expect(await notePresented(store, more, options)).toBe(false)
    expect([await kept(first), await kept(elsewhere)]).toEqual([at + 20, at + 10])
  })
})
