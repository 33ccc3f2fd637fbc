/**
 * Cases of the protocol of a job that another node runs: what the node that runs it takes, and what the home node takes of it.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import type { ExpectedWork } from '../hand-off/accept-answer.js'
import type { HandOffOutcome } from '../hand-off/hand-off-answer.js'
import type { HandOffVisit } from '../hand-off/hand-off-visit.js'
import type { Leash } from '../hand-off/leash.js'
import { nodeSigner } from '../key/node-signer.js'
import {
  acceptGivenAnswer,
  answer,
  deployment,
  expected,
  givenAnswer,
  keys as workKeys,
} from './given-answer.js'
import { type HandOffFixture, handOffFixture, handOffPool, homeKeys, policyJson } from './hand-off-fixture.js'
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
import { strangeKeys } from './share-fixture.js'
import { chunkOf, fileOf, part, transferCalls } from './transfer-calls.js'

const home = homeKeys.statementAddress

/** @returns what the home node must do with answers */
async function answerCases(): Promise<readonly ProtocolCase[]> {
  const { valid, hostile } = casesOf('hand-off', 'home: answer')
  const told: HandOffOutcome = { kind: 'answer', answer }
  const good = await givenAnswer(told)
  const refused = ['HAND_OFF_REFUSED']
  const changed = (title: string, change: Parameters<typeof givenAnswer>[1]) =>
    hostile(title, refused, async () => acceptGivenAnswer(await givenAnswer(told, change)))
  const { job, transfer } = expected
  const others: Partial<ExpectedWork>[] = [
    { job: '8' },
    { transfer: 'cd'.repeat(16) },
    { home: addressOfDigit('2') },
    { manifest: digestOfDigit('c') },
    { plan: digestOfDigit('c') },
    { parts: digestOfDigit('c') },
    { keySet: digestOfDigit('c') },
    { simulated: false },
    { shard: '1/3' },
  ]
  const signerOf = (statementKey: Uint8Array, chainId: number) =>
    nodeSigner({ statementKey, chainId, registry: deployment.nodeRegistry })
  return [
    valid('an answer that is what was signed for', () => acceptGivenAnswer(good)),
    ...placesIn(good.sealed.length, 24).map((at) =>
      hostile(`byte ${at} of the sealed answer is changed`, refused, () =>
        acceptGivenAnswer({ ...good, sealed: changedAt(good.sealed, at) }),
      ),
    ),
    ...changedLeaves(JSON.parse(JSON.stringify(good.work))).map(({ place, json }) =>
      hostile(`${place} of the signed work is changed`, refused, () =>
        acceptGivenAnswer({ ...good, work: json }),
      ),
    ),
    ...others.map((work) => changed(`work of another ${Object.keys(work).join()}`, { work })),
    changed('an answer of another job', { of: { job: '8', transfer } }),
    changed('an answer of another transfer (replay)', { of: { job, transfer: 'cd'.repeat(16) } }),
    changed('an answer sealed for another pool', { scope: { pool: addressOfDigit('c') } }),
    changed('an answer sealed to another node', { to: strangeKeys.publicKey }),
    changed('a leash in place of an answer', { kind: 'leash' }),
    changed('work signed for another pool', { place: { pool: addressOfDigit('c'), job } }),
    changed('work that another node signed', { by: signerOf(new Uint8Array(32).fill(4), 31_337) }),
    changed('work that was signed for another chain', { by: signerOf(workKeys.statementKey, 1) }),
    hostile('the sealed bytes of another answer under this work (replay)', refused, async () =>
      acceptGivenAnswer({ ...good, sealed: (await givenAnswer(told)).sealed }),
    ),
    hostile('an answer with another column than the plan has', refused, async () => {
      const columns = [...answer.columns, { name: 'wage', kind: 'value' }]
      return acceptGivenAnswer(await givenAnswer({ kind: 'answer', answer: { ...answer, columns } }))
    }),
    hostile('columns in another order', refused, async () => {
      const columns = [...answer.columns].reverse()
      return acceptGivenAnswer(await givenAnswer({ kind: 'answer', answer: { ...answer, columns } }))
    }),
  ]
}

/** A runner with one job that the home node has begun. */
interface Served {
  readonly here: HandOffFixture
  readonly asked: HandOffVisit
  readonly calls: ReturnType<typeof transferCalls>
}

/** @returns what the node that runs jobs must do with what a home node gives */
function runnerCases(world: ProtocolWorld<HandOffFixture>): readonly ProtocolCase[] {
  const { valid, hostile } = casesOf('hand-off', 'runner')
  const open = (run: (served: Served) => Promise<unknown>) => async () => {
    const here = await world.open()
    await here.reset()
    const asked = await here.visit()
    return run({ here, asked, calls: transferCalls(here, () => asked) })
  }
  const outcome = (state: Awaited<ReturnType<Served['calls']['outcomeOf']>>) =>
    state.state === 'refused' ? state.code : 'it was taken'
  /** Gives a leash and the table, whole; what the runner says in the end. */
  const given = async (
    { calls }: Served,
    change: Partial<Leash> = {},
    spoil = (bytes: Uint8Array) => bytes,
  ) => {
    const transfer = await calls.begin()
    await calls.give(transfer.id, [spoil(await calls.sealLeash(transfer, change)), part])
    return outcome(await calls.outcomeOf(transfer.id))
  }
  const leash = (title: string, code: string, change: Partial<Leash>) =>
    hostile(
      title,
      [code],
      open((served) => given(served, change)),
    )
  return [
    valid(
      'a job that the chain shows is run, its chunks in any order and any of them twice',
      open(async ({ here, calls }) => {
        const transfer = await calls.begin()
        const files = [await calls.sealLeash(transfer), part]
        here.runner.announce(home, transfer.id, files.map(fileOf))
        const chunks = files.flatMap((bytes, file) =>
          Array.from({ length: Math.ceil(bytes.length / 131_072) }, (_, index) =>
            chunkOf(transfer.id, file, index, bytes),
          ),
        )
        const [last, ...others] = chunks.reverse()
        if (last === undefined) throw new Error('there are chunks')
        for (const chunk of [...others, ...others, last]) await here.runner.chunk(home, chunk)
        require((await calls.outcomeOf(transfer.id)).state === 'answered', 'it was not run')
      }),
    ),
    hostile(
      'a node that has not begun the job',
      ['HAND_OFF_JOB'],
      open(({ here, asked }) =>
        here.runner.open(addressOfDigit('1') as Address, { job: '1', manifest: asked.job.manifestDigest }),
      ),
    ),
    hostile(
      'another manifest',
      ['HAND_OFF_JOB'],
      open(({ here }) => here.runner.open(home, { job: '1', manifest: digestOfDigit('1') })),
    ),
    hostile(
      'a job that is over',
      ['HAND_OFF_JOB'],
      open(({ here, asked }) => {
        here.chain.standing = { ...here.chain.standing, state: 'Expired' }
        return here.runner.open(home, { job: '1', manifest: asked.job.manifestDigest })
      }),
    ),
    hostile(
      'a chunk with a changed byte',
      ['HAND_OFF_CHUNK'],
      open(async ({ here, calls }) => {
        const { id } = await calls.begin()
        here.runner.announce(home, id, [fileOf(part)])
        const chunk = chunkOf(id, 0, 0, part)
        return here.runner.chunk(home, { ...chunk, bytes: changedAt(chunk.bytes, 7) })
      }),
    ),
    hostile(
      'another chunk where one is',
      ['HAND_OFF_DIFFERS'],
      open(async ({ here, calls }) => {
        const { id } = await calls.begin()
        here.runner.announce(home, id, [fileOf(part)])
        await here.runner.chunk(home, chunkOf(id, 0, 0, part))
        return here.runner.chunk(home, chunkOf(id, 0, 0, changedAt(part, 7)))
      }),
    ),
    hostile(
      'a chunk of another node’s transfer',
      ['HAND_OFF_UNKNOWN'],
      open(async ({ here, calls }) => {
        const { id } = await calls.begin()
        here.runner.announce(home, id, [fileOf(part)])
        return here.runner.chunk(addressOfDigit('1'), chunkOf(id, 0, 0, part))
      }),
    ),
    hostile(
      'the chunks of a table in another order',
      ['PARTS_DIFFER'],
      open(async ({ here, calls }) => {
        const transfer = await calls.begin()
        const sealed = await calls.sealLeash(transfer)
        // Two chunks of one length, each in the other's place: each by itself is whole.
        const table = Uint8Array.from(part, (_, at) => Math.floor(at / 131_072))
        const swapped = Uint8Array.from([
          ...table.slice(131_072, 262_144),
          ...table.slice(0, 131_072),
          ...table.slice(262_144),
        ])
        here.runner.announce(home, transfer.id, [fileOf(sealed), fileOf(part)])
        await here.runner.chunk(home, chunkOf(transfer.id, 0, 0, sealed))
        for (const index of [0, 1, 2]) await here.runner.chunk(home, chunkOf(transfer.id, 1, index, swapped))
        return outcome(await calls.outcomeOf(transfer.id))
      }),
    ),
    hostile(
      'a leash with a changed byte',
      ['LEASH_INVALID'],
      open((served) => given(served, {}, (bytes) => changedAt(bytes, bytes.length - 1))),
    ),
    hostile(
      'the leash of an earlier transfer of this job (replay)',
      ['LEASH_INVALID'],
      open(async ({ calls }) => {
        const earlier = await calls.begin()
        const sealed = await calls.sealLeash(earlier)
        const transfer = await calls.begin()
        await calls.give(transfer.id, [sealed, part])
        return outcome(await calls.outcomeOf(transfer.id))
      }),
    ),
    leash('a leash of another transfer', 'LEASH_OTHER_JOB', { transfer: '0'.repeat(32) }),
    leash('a leash of another job', 'LEASH_OTHER_JOB', { job: '2' }),
    leash('a leash of another home node', 'LEASH_OTHER_JOB', { home: addressOfDigit('1') }),
    leash('a leash that outlives the manifest’s end', 'LEASH_OTHER_JOB', { expiresAt: 1_800_000_001 }),
    leash('an expired leash', 'LEASH_EXPIRED', { expiresAt: 1_700_000_000 }),
    leash('another plan', 'PLAN_DIFFERS', { plan: digestOfDigit('1') }),
    leash('another pool', 'MANIFEST_NOT_APPROVED', {
      pools: [{ address: addressOfDigit('c'), policy: policyJson, restrictions: [] }],
    }),
    leash('another policy of the pool', 'POLICY_DIFFERS', {
      pools: [{ address: handOffPool.address, policy: {}, restrictions: [] }],
    }),
    leash('a table that the plan does not read', 'TABLES_DIFFER', {
      tables: [
        { name: 'pay.workers', files: [1] },
        { name: 'pay.people', files: [1] },
      ],
    }),
    hostile(
      'a runner of another measurement than the manifest names',
      ['MEASUREMENT_NOT_NAMED'],
      open((served) => {
        const { runner } = served.here.chain
        if (runner === null) throw new Error('the fixture has a runner')
        served.here.chain.runner = { ...runner, measurement: `0x${'77'.repeat(32)}` }
        return given(served)
      }),
    ),
    hostile(
      'a job that the chain has given to another node meanwhile',
      ['LEASH_OTHER_JOB'],
      open(async (served) => {
        const { here, calls } = served
        const transfer = await calls.begin()
        const sealed = await calls.sealLeash(transfer)
        here.chain.standing = { ...here.chain.standing, node: addressOfDigit('1') }
        await calls.give(transfer.id, [sealed, part])
        return outcome(await calls.outcomeOf(transfer.id))
      }),
    ),
  ]
}

/** @returns the cases of both ends */
export async function handOffCases(): Promise<ProtocolCases> {
  const world = protocolWorld(handOffFixture)
  return { cases: [...(await answerCases()), ...runnerCases(world)], close: world.close }
}
