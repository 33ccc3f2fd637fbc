/**
 * Cases of the protocol of jobs over pools of several homes: what the node that coordinates takes of a home, and what a home gives
 * to whom.
 * @module
 */
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { acceptRefusal } from '../federation/accept-refusal.js'
import type { Federation } from '../federation/federation.js'
import { planShare } from '../federation/plan-shared-job.js'
import { type ShareRefusalBody, signShareRefusal } from '../federation/refusal-statement.js'
import { type ServeShareOptions, type ShareWish, serveShares } from '../federation/serve-share.js'
import type { JobContext } from '../job/job-context.js'
import { loadManifest } from '../job/load-manifest.js'
import { nodeSigner } from '../key/node-signer.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import {
  acceptGiven,
  budgetView,
  expectedShare,
  givenShare,
  shareDeployment,
  sharePool,
  shareVerdicts,
} from './given-share.js'
import { engine, keys } from './job-fixture.js'
import { require } from './port-case.js'
import {
  casesOf,
  changedAt,
  changedLeaves,
  type ProtocolCase,
  type ProtocolCases,
  type ProtocolWorld,
  placesIn,
  protocolWorld,
} from './protocol-case.js'
import { addressOfDigit, digestOfDigit } from './served-pool-fixture.js'
import {
  otherKeys,
  otherPeer,
  otherPool,
  ownPool,
  shareFixture,
  signOther,
  strangeKeys,
} from './share-fixture.js'
import { told } from './told-share.js'

const stranger = nodeSigner({
  statementKey: new Uint8Array(32).fill(5),
  chainId: shareDeployment.chainId,
  registry: shareDeployment.nodeRegistry,
})
const onOtherChain = nodeSigner({
  statementKey: otherKeys.statementKey,
  chainId: 1,
  registry: shareDeployment.nodeRegistry,
})

/** @returns what the node that coordinates must do with shares */
async function shareCases(): Promise<readonly ProtocolCase[]> {
  const { valid, hostile } = casesOf('federation', 'coordinator: share')
  const good = await givenShare()
  const refused = ['SHARE_REFUSED']
  const differs = ['SHARE_DIFFERS']
  const changed = (title: string, change: Parameters<typeof givenShare>[0], codes = refused) =>
    hostile(title, codes, async () => acceptGiven(await givenShare(change)))
  const budget = sharePool().budget
  return [
    valid('a share that is what it was signed for', () => acceptGiven(good)),
    valid('a share of a pool that says which texts count', async () =>
      acceptGiven(await givenShare({ body: { pools: [sharePool({ consent: { withheld: 2 } })] } })),
    ),
    ...placesIn(good.sealed.length, 24).map((at) =>
      hostile(`byte ${at} of the sealed share is changed`, refused, () =>
        acceptGiven({ ...good, sealed: changedAt(good.sealed, at) }),
      ),
    ),
    ...placesIn(good.sealed.length, 8).map((at) =>
      hostile(`byte ${at} is missing`, refused, () =>
        acceptGiven({
          ...good,
          sealed: Uint8Array.from([...good.sealed.slice(0, at), ...good.sealed.slice(at + 1)]),
        }),
      ),
    ),
    ...changedLeaves(JSON.parse(JSON.stringify(good.share))).map(({ place, json }) =>
      hostile(`${place} of the signed word is changed`, [...refused, ...differs], () =>
        acceptGiven({ ...good, share: json }),
      ),
    ),
    changed('a share of another job', { body: { job: '8' } }),
    changed('a share whose file is of another job', { file: { job: '8' } }),
    changed('a share of another manifest', { body: { manifest: digestOfDigit('0') } }),
    changed('a share of another plan', { body: { plan: digestOfDigit('0') } }),
    changed('a share of another pool', { body: { pools: [sharePool({ pool: addressOfDigit('c') })] } }),
    changed('a share sealed for another pool', { scope: { pool: addressOfDigit('c') } }),
    changed('a share sealed under another policy', { scope: { policyDigest: digestOfDigit('0') } }),
    changed('a share of an expired key epoch', { body: { pools: [sharePool({ epoch: 2 })] } }, differs),
    changed(
      'a share under keys that the home has no more',
      { body: { keySet: digestOfDigit('0') } },
      differs,
    ),
    changed(
      'a share for keys that this node has no more',
      { body: { coordinatorKeys: digestOfDigit('0') } },
      differs,
    ),
    changed('a share that was given to another node', { body: { coordinator: addressOfDigit('1') } }),
    changed('a share that is sealed to another node', { to: strangeKeys.publicKey }),
    changed('an answer of a hand-off in place of a share', { kind: 'answer' }),
    changed('a share that another node signed', { by: stranger }),
    changed('a share that was signed for another chain', { by: onOtherChain }),
    changed('a share that hides a simulation', { body: { simulated: false } }),
    changed('pools one of which comes twice', { body: { pools: [sharePool(), sharePool()] } }),
    changed('verdicts in another order', {
      file: { verdicts: { [otherPool.address]: [...shareVerdicts].reverse() } },
    }),
    changed('a charge that is smaller than the plan’s', {
      body: { pools: [sharePool({ budget: { ...budget, charged: { epsilon: '0.5', delta: '0' } } })] },
    }),
    changed('a charge that was not booked', {
      body: { pools: [sharePool({ budget: { ...budget, after: budgetView('2', 1) } })] },
    }),
    hostile('the sealed bytes of another share under this one’s word (replay)', refused, async () =>
      acceptGiven({ ...good, sealed: (await givenShare()).sealed }),
    ),
    hostile('the word of another share over these bytes (replay)', refused, async () =>
      acceptGiven({ ...good, share: (await givenShare()).share }),
    ),
  ]
}

/** @returns what the node that coordinates must do with refusals */
function refusalCases(): readonly ProtocolCase[] {
  const { valid, hostile } = casesOf('federation', 'coordinator: refusal')
  const { job, manifest, plan, coordinator } = expectedShare
  const expected = { job, manifest, plan, coordinator, step: 'look', pool: ownPool.address } as const
  const refusal = (
    change: Partial<ShareRefusalBody> = {},
    sign = signOther,
    pool: Address = ownPool.address,
  ): SignedStatement =>
    signShareRefusal(sign, pool, {
      job,
      manifest,
      plan,
      coordinator,
      step: 'look',
      reason: 'BUDGET_EXHAUSTED',
      charged: false,
      keySet: otherKeys.keySetDigest,
      quote: digestOfDigit('7'),
      simulated: true,
      issuedAt: '2026-01-01T00:00:00.000Z',
      ...change,
    })
  const accept = async (given: unknown) =>
    acceptRefusal({ refusal: given, peer: otherPeer, deployment: shareDeployment, expected })
  const invalid = ['PEER_ANSWER_INVALID']
  const changed = (title: string, given: SignedStatement, codes = invalid) =>
    hostile(title, codes, () => accept(given))
  return [
    valid('a refusal that the home signed for this question', () => accept(refusal())),
    ...changedLeaves(JSON.parse(JSON.stringify(refusal()))).map(({ place, json }) =>
      hostile(`${place} of the refusal is changed`, [...invalid, 'SHARE_DIFFERS'], () => accept(json)),
    ),
    changed('a refusal of another job', refusal({ job: '8' })),
    changed('a refusal of another job’s manifest', refusal({ manifest: digestOfDigit('0') }), [
      'SHARE_DIFFERS',
    ]),
    changed('a refusal of another plan', refusal({ plan: digestOfDigit('0') })),
    changed('a refusal for another pool', refusal({}, signOther, addressOfDigit('c'))),
    changed('a refusal to look, when it was to charge (replay)', refusal({ step: 'charge' })),
    changed('a refusal to another node (replay)', refusal({ coordinator: addressOfDigit('1') })),
    changed('a refusal under keys that the home has no more', refusal({ keySet: digestOfDigit('0') }), [
      'SHARE_DIFFERS',
    ]),
    changed('a refusal that another node signed', refusal({}, stranger)),
    changed('a refusal that was signed for another chain', refusal({}, onOtherChain)),
    changed('a refusal that hides a simulation', refusal({ simulated: false })),
    changed(
      'a reason that is on no list',
      refusal({ reason: 'the rows say so' as ShareRefusalBody['reason'] }),
    ),
  ]
}

/** The home that is asked, on a store of its own. */
async function askedHome() {
  const store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
  const fixture = shareFixture(store, [otherPool, ownPool])
  const { world } = fixture
  const caller = otherKeys.statementAddress
  const federation: Federation = {
    pools: new Map([[otherPool.address, otherPool]]),
    look: async () => undefined,
    gather: async () => [],
  }
  const context: () => JobContext = () =>
    world.context(() => engine(), { pools: new Map([[ownPool.address, ownPool]]), federation })
  const plan = async (): Promise<Digest> => {
    const job = await findJob(store, '1')
    if (job === undefined) throw new Error('there is no job')
    const { shared } = await planShare(context(), await loadManifest(context(), job))
    if (shared === undefined) throw new Error('the job is not shared')
    return shared.planDigest
  }
  return {
    fixture,
    world,
    store,
    context,
    async reset(): Promise<void> {
      await fixture.reset()
      await fixture.paid()
      Object.assign(world.chain, { state: 'Running', node: caller })
    },
    async ask(
      wish: Partial<ShareWish> = {},
      change: Partial<ServeShareOptions> & { readonly from?: Address } = {},
    ) {
      const server = serveShares({
        job: context(),
        attest: async () => otherPeer,
        mayWork: () => true,
        place: () => () => undefined,
        audit: { write: () => undefined },
        onError: () => undefined,
        ...change,
      })
      const asked = { job: '1', step: 'charge' as const, plan: wish.plan ?? (await plan()), ...wish }
      const answer = told(await server.share(change.from ?? caller, asked))
      // Whoever got something, or nothing, left no more than one charge.
      const spent = await world.spent()
      require(spent === (answer.state === 'given' ? '1' : '0'), `${answer.state}, and ${spent} was spent`)
      return answer
    },
    close: () => store.close(),
  }
}

type AskedHome = Awaited<ReturnType<typeof askedHome>>

/** @returns what a home must do with whoever asks */
function homeCases(world: ProtocolWorld<AskedHome>): readonly ProtocolCase[] {
  const { valid, hostile } = casesOf('federation', 'home')
  const open = (run: (home: AskedHome) => Promise<unknown>) => async () => {
    const home = await world.open()
    await home.reset()
    return run(home)
  }
  const unlike = async () => {
    throw new NodeError('PEER_NOT_ATTESTED', 'x', 'its measurement is not allowed')
  }
  return [
    valid(
      'the node that coordinates gets a share, and the same one when it asks again (replay)',
      open(async ({ ask }) => {
        for (let turn = 0; turn < 3; turn += 1) require((await ask()).state === 'given', 'no share')
      }),
    ),
    hostile(
      'a node that does not coordinate',
      ['SHARE_JOB'],
      open(({ ask }) => ask({}, { from: keys.statementAddress })),
    ),
    hostile(
      'a job that this home does not know',
      ['CHAIN_BEHIND'],
      open(({ ask }) => ask({ job: '77', plan: digestOfDigit('1') })),
    ),
    hostile(
      'another plan',
      ['PLAN_DIFFERS'],
      open(({ ask }) => ask({ plan: digestOfDigit('1') })),
    ),
    hostile(
      'a node of another measurement',
      ['COORDINATOR_NOT_ATTESTED'],
      open(({ ask }) => ask({}, { attest: unlike })),
    ),
    hostile(
      'evidence of another node',
      ['COORDINATOR_NOT_ATTESTED'],
      open(({ ask }) =>
        ask({}, { attest: async () => ({ ...otherPeer, statementAddress: keys.statementAddress }) }),
      ),
    ),
    ...(['Funded', 'Released', 'Expired'] as const).map((state) =>
      hostile(
        `a charge for a job that is ${state}`,
        ['SHARE_JOB'],
        open(({ ask, world }) => {
          Object.assign(world.chain, { state })
          return ask()
        }),
      ),
    ),
    hostile(
      'a charge for a job that another node has begun',
      ['SHARE_JOB'],
      open(({ ask, world }) => {
        Object.assign(world.chain, { node: keys.statementAddress })
        return ask()
      }),
    ),
    ...[
      { state: 'Released', node: otherKeys.statementAddress },
      { state: 'Expired', node: null },
      { state: 'Assigned', node: keys.statementAddress },
      { state: 'Funded', node: keys.statementAddress },
    ].map((shown) =>
      hostile(
        `a look at a job that is ${shown.state}${shown.node === keys.statementAddress ? ' to another node' : ''}`,
        ['SHARE_JOB'],
        open(({ ask, world }) => {
          Object.assign(world.chain, shown)
          return ask({ step: 'look' })
        }),
      ),
    ),
    ...(
      [
        ['NODE_STOPPED', { stopped: () => true }],
        ['NODE_NOT_LISTED', { isListed: async () => false }],
      ] as const
    ).map(([code, change]) =>
      hostile(
        `whoever asks, and charges, while this node may not work (${code})`,
        [code],
        open(async ({ ask, context }) => {
          const job = { ...context(), ...change }
          require((await ask({ step: 'look' }, { job })).state === 'later', 'it looked')
          return ask({}, { job })
        }),
      ),
    ),
    hostile(
      'a job that is over here',
      ['SHARE_JOB'],
      open(async ({ ask, store }) => {
        await store.query(`update jobs set state = 'closed'`)
        return ask()
      }),
    ),
    hostile(
      'a job that its pool did not vote for',
      ['JOB_NOT_APPROVED'],
      open(async ({ ask, store }) => {
        await store.query(`update jobs set approvals = '[]'`)
        return ask()
      }),
    ),
    ...[{ manifestDigest: digestOfDigit('0') }, { pools: [ownPool.address] }].map((other) =>
      hostile(
        `the number of a job of which the chain shows other ${Object.keys(other).join()}`,
        ['SHARE_JOB'],
        open(async ({ ask, world, store }) => {
          const { manifestDigest, pools } = (await findJob(store, '1')) ?? { manifestDigest: '', pools: [] }
          Object.assign(world.chain, { jobTerms: async () => ({ manifestDigest, pools, ...other }) })
          return ask()
        }),
      ),
    ),
    hostile(
      'a coordinator whose first pool has the key of another node by now',
      ['SHARE_JOB'],
      open(({ ask, fixture, world }) => {
        const keyEpoch = { epoch: 2, policyDigest: otherPool.policyDigest, node: keys.statementAddress }
        fixture.state.shown[otherPool.address] = { keyEpoch: { ...keyEpoch, keyDigest: digestOfDigit('0') } }
        Object.assign(world.chain, { state: 'Running' })
        return ask()
      }),
    ),
  ]
}

/** @returns the cases of both ends */
export async function federationCases(): Promise<ProtocolCases> {
  const world = protocolWorld(askedHome)
  return { cases: [...(await shareCases()), ...refusalCases(), ...homeCases(world)], close: world.close }
}
