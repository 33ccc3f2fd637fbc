/**
 * The old node's side of a migration: it hands its root to its successor, and works no more.
 *
 * What makes it safe is the order. It stops, then notes to whom it gives its keys, then gives them, to that one as often as it asks.
 * Until the registry lists the successor, nobody works; from then on the successor alone does. At any point a kill leaves the keys
 * with one who still gives them, or with one who has them.
 * @module
 */
import {
  type Address,
  decodeBase64Url,
  digestOf,
  digestToHex,
  encodeBase64Url,
  type Hex,
  hpkeSeal,
  type JsonObject,
  sha256Digest,
} from '@sealpool/crypto'
import * as z from 'zod'
import type { ApiErrorCode } from '../api/api-error.js'
import { signInNonces } from '../api/sign-in-nonce.js'
import type { AuditFact } from '../audit/audit-chain.js'
import type { ChainPort } from '../chain/chain-port.js'
import { inOrder } from '../chain/in-order.js'
import { measuredConfig, type NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { verifyPeerEvidence } from '../peer/attest-peer.js'
import type { StateStore } from '../state/state-store.js'
import { isAsking } from './asking.js'
import { keySetUnder, noteHandOver, placeOfKeys, readHandOvers } from './moved-keys.js'
import { keepsRoot, otherRules } from './same-rules.js'

/** What a successor sends. */
export const handOverSchema = z.strictObject({
  /** From the challenge. */
  nonce: z.string().regex(/^[0-9a-f]{74}$/),
  /** Evidence of the asker, over SHA-256 of the nonce's text. */
  evidence: z.looseObject({}),
  /** By which the asker itself asks, see `signAsking`. */
  asked: z.looseObject({}),
  /** Its measured settings; their digest stands in its key set. */
  settings: z.looseObject({}),
})
/** What a successor sends, checked for its form. */
export type HandOverRequest = z.output<typeof handOverSchema>

/** What a successor gets. */
export interface HandedOver {
  /** The root, sealed to the asker's key set, base64url; null when the asker has it already. */
  readonly root: string | null
  /** Digest of the key set that the registry must list for the successor. */
  readonly successor: string
}

/** The old node's side. */
export interface HandOver {
  /** @returns a nonce that is good once; or why nothing is handed over */
  challenge(): { readonly nonce: string } | ApiErrorCode
  give(request: HandOverRequest): Promise<HandedOver | ApiErrorCode>
}

/** What a hand-over stands on. */
export interface HandOverOptions {
  readonly config: NodeConfig
  readonly keys: NodeKeyRing
  readonly root: Uint8Array
  readonly measurement: Hex
  readonly simulated: boolean
  readonly store: StateStore
  readonly chain: Pick<ChainPort, 'chainId' | 'registry' | 'node' | 'measurementAllowed'>
  /** Ends all work, that for other nodes at once, that of this node's pools once the present steps are done: nothing is signed any more. */
  readonly stopWork: () => Promise<void>
  readonly audit: { write(fact: AuditFact): void }
  /** Told of refusals with their reason, which callers do not learn. */
  readonly onRefusal: (why: string) => void
  readonly random: (length: number) => Uint8Array
  /** Unix seconds. */
  readonly now: () => number
}

/** Info of the HPKE message: what it is for, and for whom. */
export function handOverInfo(successor: string): Uint8Array {
  return new TextEncoder().encode(`sealpool/root-hand-over/1\n${successor}`)
}

/** Callers that may wait while work ends. */
const maximumWaiting = 16

/** The nonce of the asker's evidence. */
export function evidenceNonce(nonce: string): `0x${string}` {
  return digestToHex(sha256Digest(new TextEncoder().encode(nonce)))
}

/** @returns the old node's side of a migration; refused by default */
export function handOver(options: HandOverOptions): HandOver {
  const { config, keys, store, chain, random, now } = options
  const nonces = signInNonces({ random, now })
  const oneByOne = inOrder()
  let waiting = 0
  const refuse = (code: ApiErrorCode, why: string): ApiErrorCode => {
    options.onRefusal(why)
    return code
  }
  const open = (): boolean =>
    config.migration !== null && config.peers !== null && config.keyRecovery === 'allowed'

  /** What the chain has against it now that this node gives its keys, and to this code. */
  async function chainRefuses(measurement: Hex): Promise<readonly [ApiErrorCode, string] | undefined> {
    if (!(await chain.measurementAllowed(measurement)))
      return ['MIGRATION_NOT_ATTESTED', 'the chain does not allow what it runs']
    const record = await chain.node(keys.statementAddress)
    const own = { keySetDigest: keys.keySetDigest, measurement: options.measurement, record }
    if ((await placeOfKeys(store, own)) === 'gone') return ['MIGRATION_DONE', 'the keys have moved already']
    // One that the registry does not list may be an old copy of a node that goes on elsewhere.
    if (record?.keySetDigest !== keys.keySetDigest)
      return ['MIGRATION_DONE', 'the registry does not list this node with its present keys']
    if (!record.active || !(await chain.measurementAllowed(options.measurement)))
      return ['MIGRATION_DONE', 'the chain does not allow this node any more: it hands nothing over']
    return undefined
  }

  async function give(request: HandOverRequest): Promise<HandedOver | ApiErrorCode> {
    const { migration, peers } = config
    if (migration === null || peers === null || !open())
      return refuse('MIGRATION_NOT_OPEN', 'the settings name no successor')
    let asker: ReturnType<typeof verifyPeerEvidence>
    try {
      asker = verifyPeerEvidence({
        evidence: request.evidence,
        nonce: evidenceNonce(request.nonce),
        evidencePolicy: peers.evidencePolicy,
        simulated: options.simulated,
        at: new Date(now() * 1000),
        place: 'successor',
      })
    } catch (cause) {
      if (!(cause instanceof NodeError) || cause.code !== 'PEER_NOT_ATTESTED') throw cause
      return refuse('MIGRATION_NOT_ATTESTED', cause.message)
    }
    const { chainId, registry } = chain
    const signer = asker.statementAddress
    const expected = { signer, chainId, registry: registry.toLowerCase() as Address, nonce: request.nonce }
    if (!isAsking(request.asked, expected))
      return refuse('MIGRATION_NOT_ATTESTED', 'the evidence was brought by somebody else than the node')
    if (asker.measurement !== migration.measurement)
      return refuse('MIGRATION_NOT_ATTESTED', 'it runs other code than the settings name')
    // It was read from JSON.
    const settings = request.settings as JsonObject
    if (digestOf(settings) !== asker.keySet.config)
      return refuse('MIGRATION_SETTINGS', 'the settings that it shows are not those of its key set')
    const other = otherRules(measuredConfig(config), settings)
    if (other !== undefined) return refuse('MIGRATION_SETTINGS', other)
    const holds = asker.statementAddress === keys.statementAddress
    if (!holds && !keepsRoot(settings))
      return refuse(
        'MIGRATION_SETTINGS',
        'its key release keeps no root of its own, so others may know the key that this one would be sealed to',
      )

    const successor = keySetUnder(keys.keySet, asker.keySet.config)
    if (successor === keys.keySetDigest)
      return refuse('MIGRATION_SETTINGS', 'it would be this very node; give it another instance')
    const refused = await chainRefuses(asker.measurement)
    if (refused !== undefined) return refuse(...refused)
    const notes = await readHandOvers(store)
    // Back to one that has left: its own note, which goes along, would keep it from work for ever.
    if (notes.some(({ by }) => by === successor))
      return refuse(
        'MIGRATION_SETTINGS',
        'a node with its settings has given these keys away; give it another instance',
      )
    const given = notes.filter((one) => one.successor === successor)
    const same = given.every((one) => one.asker === asker.keySetDigest)
    // Once it has the keys, its key set is another.
    if (asker.keySetDigest !== migration.keySet && !(holds && given.length > 0))
      return refuse('MIGRATION_NOT_ATTESTED', 'it is not the node that the settings name')
    if (given.length > 0 && !same && !holds)
      return refuse(
        'MIGRATION_DONE',
        'they were given to another node with these settings; change its instance',
      )

    // Only now: what is refused uses up no room for nonces.
    const taken = nonces.take(request.nonce)
    if (taken !== null) return refuse(taken === 'BUSY' ? 'BUSY' : 'MIGRATION_NONCE', 'the nonce is not good')
    await options.stopWork()
    // Work may have taken long to end: what the chain said before may be over.
    const after = await chainRefuses(asker.measurement)
    if (after !== undefined) return refuse(...after)
    if (given.length === 0) {
      const by = keys.keySetDigest
      await noteHandOver(store, { by, asker: asker.keySetDigest, successor })
    }
    // Each time, before anything leaves: a kill or a full disk after the note must not leave a hand-over that no log tells of.
    options.audit.write({
      event: 'keys-moved',
      facts: { successor, asker: asker.keySetDigest, measurement: asker.measurement },
    })
    if (holds) return { root: null, successor }
    const message = await hpkeSeal({
      publicKey: decodeBase64Url(asker.keySet.hpke.publicKey),
      info: handOverInfo(successor),
      aad: new TextEncoder().encode(request.nonce),
      plaintext: options.root,
      random,
    })
    return { root: encodeBase64Url(message), successor }
  }

  return {
    challenge: () =>
      open() ? { nonce: nonces.issue() } : refuse('MIGRATION_NOT_OPEN', 'the settings name no successor'),
    async give(request) {
      if (waiting >= maximumWaiting) return refuse('BUSY', 'too many wait already')
      waiting += 1
      return oneByOne(() => give(request)).finally(() => {
        waiting -= 1
      })
    },
  }
}
