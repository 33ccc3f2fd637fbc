/**
 * The other home of a job over two pools, as the node that coordinates meets it: what it answers honestly, and what a test has it
 * answer instead.
 * @module
 */
import { verdictsRoot } from '@sealpool/attest'
import {
  type Address,
  type Digest,
  decodeBase64Url,
  encodeBase64Url,
  type JsonObject,
  type JsonValue,
  platformRandom,
  type SignedStatement,
  sha256Digest,
} from '@sealpool/crypto'
import type { PlanShare } from '@sealpool/query'
import { type GatherOptions, openFederation } from '../federation/gather-shares.js'
import { type ShareRefusalBody, signShareRefusal } from '../federation/refusal-statement.js'
import { encodeShareFile } from '../federation/share-file.js'
import { signShare } from '../federation/share-statement.js'
import { sealParcel } from '../hand-off/sealed-parcel.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import type { PeerAnswer, PeerCall } from '../peer/call-peer.js'
import { findJob } from '../state/job-table.js'
import type { StateStore } from '../state/state-store.js'
import { keys } from './job-fixture.js'
import { digestOfDigit } from './served-pool-fixture.js'
import { otherKeys, otherPeer, otherPool, ownPool, shareFixture, signOther } from './share-fixture.js'

/** Digests of the verdicts on what the other home read. */
export const otherVerdicts = [digestOfDigit('4')]

/** Its budget after so many charges of two. */
export const otherBudget = (version: number) => ({
  epsilonSpent: String(2 * (version - 1)),
  epsilonTotal: '6',
  deltaSpent: '0',
  deltaTotal: '0.000001',
  version,
  head: digestOfDigit(String(version)),
})

/** What a home answers, with status 200. */
export const homeAnswer = (body: JsonValue): PeerAnswer => ({ status: 200, body })

/** The node that coordinates, and the other home as it is asked. */
export function otherHome(store: StateStore) {
  const fixture = shareFixture(store, [ownPool, otherPool])
  const { world } = fixture
  const home = {
    fixture,
    world,
    /** What it was asked. */
    steps: [] as string[],
    /** What it answers instead of what it should. */
    answers: undefined as ((body: JsonObject) => PeerAnswer | Promise<PeerAnswer> | undefined) | undefined,
    clock: { seconds: 1_700_000_000 },
    /** Its part of the noise's seed. */
    noise: new Uint8Array(32).fill(9),
    async reset(): Promise<void> {
      await fixture.reset()
      Object.assign(home, { steps: [], answers: undefined, noise: new Uint8Array(32).fill(9) })
      home.clock = { seconds: 1_700_000_000 }
    },
    /** Its honest answer: three people in each sector. */
    async honest(body: JsonObject, groups?: PlanShare['releases'][number]['groups']): Promise<PeerAnswer> {
      if (body['step'] === 'look') return homeAnswer({ state: 'willing' })
      const of = { ...(await home.asked(body)), plan: body['plan'] as Digest }
      const three = { statistics: ['3', '3'], bins: [] }
      const bytes = encodeShareFile({
        ...of,
        salt: platformRandom(32),
        noise: home.noise,
        verdicts: { [otherPool.address]: otherVerdicts },
        share: { releases: [{ groups: groups ?? [three, three] }] },
      })
      const sealed = await sealParcel(bytes, {
        kind: 'share',
        publicKey: decodeBase64Url(keys.keySet.hpke.publicKey),
        scope: { chainId: 31_337, pool: otherPool.address, policyDigest: otherPool.policyDigest, epoch: 1 },
        random: platformRandom,
      })
      const share = signShare(signOther, {
        ...of,
        coordinator: keys.statementAddress,
        coordinatorKeys: keys.keySetDigest,
        pools: [
          {
            pool: otherPool.address,
            name: 'more',
            policy: otherPool.policyDigest,
            epoch: 1,
            inputs: { root: digestOfDigit('6'), count: 1 },
            verdicts: verdictsRoot(otherVerdicts),
            budget: {
              before: otherBudget(1),
              after: otherBudget(2),
              charged: { epsilon: '2', delta: '0' },
            },
          },
        ],
        share: sha256Digest(bytes),
        sealed: sha256Digest(sealed),
        keySet: otherKeys.keySetDigest,
        quote: digestOfDigit('7'),
        isolation: 'bubblewrap',
        simulated: true,
        issuedAt: '2026-01-01T00:00:00.000Z',
      })
      return homeAnswer({ state: 'given', sealed: encodeBase64Url(sealed), share: plain(share) })
    },
    /** Its signed refusal of what it is asked. */
    async refusal(
      body: JsonObject,
      change: Partial<ShareRefusalBody> = {},
      by: { readonly sign?: typeof signOther; readonly pool?: Address } = {},
    ): Promise<SignedStatement> {
      return signShareRefusal(by.sign ?? signOther, by.pool ?? ownPool.address, {
        ...(await home.asked(body)),
        plan: body['plan'] as Digest,
        step: body['step'] === 'look' ? 'look' : 'charge',
        coordinator: keys.statementAddress,
        reason: 'BUDGET_EXHAUSTED',
        charged: false,
        keySet: otherKeys.keySetDigest,
        quote: digestOfDigit('7'),
        simulated: true,
        issuedAt: '2026-01-01T00:00:00.000Z',
        ...change,
      })
    },
    /** Has it refuse. */
    async refuses(
      body: JsonObject,
      change: Partial<ShareRefusalBody> | ShareRefusalBody['reason'] = {},
      by?: { readonly sign?: typeof signOther; readonly pool?: Address },
    ): Promise<PeerAnswer> {
      const told = typeof change === 'string' ? { reason: change } : change
      return homeAnswer({ state: 'refused', refusal: plain(await home.refusal(body, told, by)) })
    },
    /** The job that it is asked about. */
    async asked(body: JsonObject): Promise<{ readonly job: string; readonly manifest: Digest }> {
      const id = String(body['job'])
      const job = await findJob(store, id)
      return { job: id, manifest: job?.manifestDigest ?? digestOfDigit('0') }
    },
    contextOf(gather: Partial<GatherOptions> = {}, change: Partial<JobContext> = {}): JobContext {
      const context = world.context(undefined, {
        pools: new Map([[ownPool.address, ownPool]]),
        now: () => home.clock.seconds,
        ...change,
      })
      const federation = openFederation({
        ...context,
        pools: new Map<Address, PlannablePool>([[otherPool.address, otherPool]]),
        patienceSeconds: 100,
        heartbeatSeconds: 900,
        attest: async () => otherPeer,
        call:
          () =>
          async ({ body }: Omit<PeerCall, 'token'>) => {
            const asked = body as JsonObject
            home.steps.push(String(asked['step']))
            return (await home.answers?.(asked)) ?? home.honest(asked)
          },
        onError: () => undefined,
        ...gather,
      })
      return { ...context, federation }
    },
    paid: (id = '1') => fixture.paid({ privacy: { epsilon: 2, delta: 0 }, salt: `abcdefghijklmno${id}` }, id),
  }
  return home
}

/** A statement as it goes over the wire. */
function plain(statement: SignedStatement): JsonValue {
  return JSON.parse(JSON.stringify(statement)) as JsonValue
}
