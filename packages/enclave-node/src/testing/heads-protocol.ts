/**
 * Cases of the protocol of heads that are anchored at peers: what a keeper remembers and of whom, and what a node believes of its peers.
 * @module
 */
import type { JsonValue } from '@sealpool/crypto'
import { signHeadQuestion, signStateHead } from '../anchor/state-head.js'
import { NodeError } from '../errors.js'
import { headsWorld, nodeRing, ringOf, signerOf } from './heads-world.js'
import { metaStore } from './meta-store.js'
import { require } from './port-case.js'
import { casesOf, changedLeaves, type ProtocolCase, type ProtocolCases } from './protocol-case.js'
import { digestOfDigit } from './served-pool-fixture.js'

const sign = signerOf(nodeRing)
const stranger = signerOf(ringOf(6))
const headAt = (version: number, digit = '1', by = sign) =>
  signStateHead(by, { line: 0, version, state: digestOfDigit(digit), budgets: [] })
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as JsonValue

async function keeper(change: Parameters<typeof headsWorld>[1] = {}) {
  const { peers, clock } = await headsWorld(1, change)
  const [peer] = peers
  if (peer === undefined) throw new Error('there is no peer')
  return { ...peer, clock }
}

/** What a keeper says to a head: why it is not kept. */
async function told(value: unknown, change: Parameters<typeof headsWorld>[1] = {}): Promise<unknown> {
  const { keeper: server } = await keeper(change)
  await server.keep(headAt(5).signed, null)
  const answer = await server.keep(json(value), headAt(5).mark.digest)
  return answer.state === 'differs' ? 'DIFFERS' : 'reason' in answer ? answer.reason : answer
}

/** What a keeper says to a question. */
async function asked(value: (keySet: `sha256:${string}`, now: number) => unknown): Promise<unknown> {
  const { keeper: server, ring, clock } = await keeper()
  await server.keep(headAt(5).signed, null)
  const answer = await server.ask(json(value(ring.keySetDigest, clock.now)))
  return 'reason' in answer ? answer.reason : answer
}

/** @returns what a keeper must do with whoever asks or tells */
function keeperCases(): readonly ProtocolCase[] {
  const { valid, hostile } = casesOf('heads', 'keeper')
  const unlike = (code: 'PEER_NOT_ATTESTED' | 'NODE_UNREACHABLE') => ({
    attest: () => Promise.reject(new NodeError(code, 'x', 'no')),
  })
  const anyone = ['STATEMENT_INVALID', 'NOT_NAMED']
  return [
    valid('a newer head of a node that it keeps heads for', async () => {
      require(JSON.stringify(await told(headAt(6).signed)) === '{"state":"kept"}', 'it is not kept')
    }),
    valid('the same head once more (replay)', async () => {
      require(JSON.stringify(await told(headAt(5).signed)) === '{"state":"kept"}', 'it is not kept')
    }),
    valid('a question of a node that it keeps heads for', async () => {
      const answer = await asked((keySet, at) => signHeadQuestion(sign, { keeper: keySet, at }))
      require(JSON.stringify(answer).includes(headAt(5).signed.signature), 'it does not say what it has')
    }),
    ...changedLeaves(json(headAt(6).signed)).map(({ place, json: changed }) =>
      hostile(`${place} of the head is changed`, anyone, () => told(changed)),
    ),
    hostile('an older head (replay)', ['DIFFERS'], () => told(headAt(4).signed)),
    hostile('another head of the version that it has', ['DIFFERS'], () => told(headAt(5, '2').signed)),
    hostile('a head of a node that the settings do not name', ['NOT_NAMED'], () =>
      told(headAt(6, '1', stranger).signed),
    ),
    hostile('a head of a node of another measurement', ['NODE_NOT_ATTESTED'], () =>
      told(headAt(6).signed, unlike('PEER_NOT_ATTESTED')),
    ),
    hostile('a head of a node that gives no evidence', ['NODE_SILENT'], () =>
      told(headAt(6).signed, unlike('NODE_UNREACHABLE')),
    ),
    hostile('a head, while its own state may be old', ['KEEPER_NOT_WORKING'], () =>
      told(headAt(6).signed, { mayKeep: () => false }),
    ),
    hostile('a head that nobody signed', ['STATEMENT_INVALID'], () => told(headAt(6).head)),
    hostile('a question in the place of a head', ['STATEMENT_INVALID'], () =>
      told(signHeadQuestion(sign, { keeper: digestOfDigit('1'), at: 0 })),
    ),
    hostile('a question of a node that the settings do not name', ['NOT_NAMED'], () =>
      asked((keySet, at) => signHeadQuestion(stranger, { keeper: keySet, at })),
    ),
    hostile('a question that was put to another node', ['QUESTION_STALE'], () =>
      asked((_, at) => signHeadQuestion(sign, { keeper: digestOfDigit('8'), at })),
    ),
    hostile('a question of long ago (replay)', ['QUESTION_STALE'], () =>
      asked((keySet, at) => signHeadQuestion(sign, { keeper: keySet, at: at - 1_000 })),
    ),
    hostile('a question that nobody signed', ['STATEMENT_INVALID'], () =>
      asked((keySet, at) => ({ keeper: keySet, at })),
    ),
  ]
}

/** What a node comes to that has given one head away, and whose peer says this when it is started again. */
async function believed(says: JsonValue | undefined): Promise<string> {
  const world = await headsWorld(1)
  const [peer] = world.peers
  if (peer === undefined) throw new Error('there is no peer')
  const store = metaStore()
  await world.start(store).heads.cover()
  world.errors.length = 0
  peer.says = says
  const { heads } = world.start(metaStore(store.image()))
  await heads.confirm()
  return heads.confirmed() ? 'confirmed' : (world.errors[0] ?? 'silent')
}

/** @returns what a node must do with what a peer says of it */
function nodeCases(): readonly ProtocolCase[] {
  const { valid, hostile } = casesOf('heads', 'node')
  const known = (signed: unknown, conflict: JsonValue = null): JsonValue => ({
    state: 'known',
    head: json(signed),
    conflict,
  })
  const goesOn = (title: string, says: JsonValue | undefined) =>
    valid(title, async () => require((await believed(says)) === 'confirmed', 'it does not go on'))
  const refused = (title: string, code: string, says: JsonValue) =>
    hostile(title, [code], () => believed(says))
  const own = headAt(999).signed
  return [
    goesOn('a peer that has what it was told', undefined),
    goesOn('a peer that has lost what it was told', known(null)),
    refused(
      'a contradiction that others have signed',
      'PEER_ANSWER_INVALID',
      known(null, [json(headAt(1, '1', stranger).signed), json(headAt(1, '2', stranger).signed)]),
    ),
    refused('a newer head that this node has signed', 'STATE_ROLLED_BACK', known(own)),
    refused(
      'a newer head that somebody else has signed',
      'PEER_ANSWER_INVALID',
      known(headAt(999, '1', stranger).signed),
    ),
    ...changedLeaves(json(own)).flatMap(({ place, json: changed }) =>
      // Who signed is read from the signature, and must be who it says.
      [refused(`${place} of the newer head is changed`, 'PEER_ANSWER_INVALID', known(changed))],
    ),
    refused(
      'a question in the place of a head',
      'PEER_ANSWER_INVALID',
      known(signHeadQuestion(sign, { keeper: digestOfDigit('1'), at: 1 })),
    ),
    refused('that it keeps none', 'HEAD_NOT_KEPT', { state: 'refused', reason: 'NOT_NAMED' }),
    refused('something else than an answer', 'NODE_UNREACHABLE', { state: 'kept' }),
  ]
}

/** @returns the cases of both ends */
export async function headsCases(): Promise<ProtocolCases> {
  return { cases: [...keeperCases(), ...nodeCases()], close: async () => undefined }
}
