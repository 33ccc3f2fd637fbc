/**
 * The new node's side of a migration: it attests the old one, proves to it what it is, and puts the root that it gets in the place of
 * its own. Each step may be repeated after a kill; the old node gives the root to this key set and to no other.
 * @module
 */
import {
  type Address,
  CryptoError,
  type Digest,
  decodeBase64Url,
  type Hex,
  hpkeOpen,
  type JsonValue,
} from '@sealpool/crypto'
import * as z from 'zod'
import { openContractsChain } from '../chain/contracts-chain.js'
import { configDigest, measuredConfig, type NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import { NodeError } from '../errors.js'
import { freshEvidence, quotedMeasurement } from '../evidence/node-evidence.js'
import { openKeyRing } from '../key/key-ring.js'
import { attestPeer } from '../peer/attest-peer.js'
import { callPeer, type PeerPorts } from '../peer/call-peer.js'
import { platformNow, platformRandom } from '../platform.js'
import { openPlatform } from '../runtime/open-platform.js'
import { signAsking } from './asking.js'
import { claimFolder } from './awaiting-folder.js'
import { evidenceNonce, handOverInfo } from './hand-over.js'
import { keySetUnder } from './moved-keys.js'

/** What a migration prints. */
export interface TakenOver {
  /** What the old node’s settings must name (`migration`). */
  readonly migration: { readonly measurement: Hex; readonly keySet: Digest }
  /** Whether this node has the old one's keys now. */
  readonly moved: boolean
  /** Its statement key: the old one's, once moved. */
  readonly statementKey: string
  /** The key set that verifiers must have registered before it works. */
  readonly keySetDigest: Digest
}

const challengeSchema = z.object({ nonce: z.string() })
const handedSchema = z.object({ root: z.string().max(1_000).nullable(), successor: z.string() })
const timeoutMs = 60_000

/**
 * Takes over the keys of another node, or says what that one's settings must name for it.
 * @param options settings and secrets of this node; `from`: base address of the old one, absent: nothing is asked of anybody
 * @throws NodeError `STATE_NOT_EMPTY` when the data folder has keys that may have been used, `STATE_LOCKED` when it is open, `CONFIG_INVALID` without `peers`,
 * `PEER_NOT_ATTESTED`, `NODE_UNREACHABLE`, `MIGRATION_REFUSED` with the old node's reason, `KEY_UNREADABLE`
 */
export async function takeOver(options: {
  readonly config: NodeConfig
  readonly secrets: NodeSecrets
  readonly from: string | undefined
  /** Called after each step, for fault injection. */
  readonly onStep?: (step: 'asked' | 'given' | 'installed') => void
  /** Another fetch, for tests. */
  readonly fetch?: typeof globalThis.fetch
}): Promise<TakenOver> {
  const unlock = claimFolder(options.config.dataDirectory)
  try {
    return await takeOverInto(options)
  } finally {
    unlock()
  }
}

async function takeOverInto(options: Parameters<typeof takeOver>[0]): Promise<TakenOver> {
  const { config, from, onStep = () => undefined } = options
  const { peers } = config
  if (peers === null)
    throw new NodeError('CONFIG_INVALID', 'peers', 'set peers.evidencePolicy, by which the old node is known')
  const { quotes, keyRelease } = openPlatform(config)
  const own = openKeyRing(await keyRelease.release(), configDigest(config))
  const measurement = quotedMeasurement(await quotes.quote(new Uint8Array(64)))
  const migration = { measurement, keySet: own.keySetDigest }
  if (from === undefined)
    return { migration, moved: false, statementKey: own.statementAddress, keySetDigest: own.keySetDigest }

  const { deployment } = config.chain
  const chain = await openContractsChain({
    ...config.chain,
    maximumAgeSeconds: config.chain.maximumHeadAgeSeconds,
    now: platformNow,
    deployment: { ...deployment, blockNumber: BigInt(deployment.blockNumber) },
    transactionKey: options.secrets.transactionKey,
  })
  const ports: PeerPorts = {
    chainId: deployment.chainId,
    random: platformRandom,
    now: platformNow,
    timeoutMs,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  }
  const old = await attestPeer({
    ...ports,
    url: from,
    chain,
    evidencePolicy: peers.evidencePolicy,
    simulated: quotes.simulated,
  })
  const holds = own.statementAddress === old.statementAddress
  const { install } = keyRelease
  if (!holds && install === undefined)
    throw new NodeError(
      'MIGRATION_REFUSED',
      'keyRelease',
      `"${keyRelease.name}" gives this node other keys than the old one has; let it give the same root, or choose an adapter that keeps one`,
    )
  const ask = async (method: 'GET' | 'POST', body: JsonValue): Promise<unknown> => {
    const answer = await callPeer(old, { method, path: '/v1/migration', body }, ports)
    if (answer.status === 200) return answer.body
    throw new NodeError('MIGRATION_REFUSED', from, refusalIn(answer.body))
  }
  const { nonce } = read(challengeSchema, await ask('GET', null), from)
  const evidence = await freshEvidence(quotes, own, evidenceNonce(nonce))
  const registry = chain.registry.toLowerCase() as Address
  const asked = signAsking({ statementKey: own.statementKey, chainId: chain.chainId, registry, nonce })
  onStep('asked')
  const handed = read(
    handedSchema,
    await ask('POST', {
      nonce,
      evidence: JSON.parse(JSON.stringify(evidence)) as JsonValue,
      asked: JSON.parse(JSON.stringify(asked)) as JsonValue,
      settings: measuredConfig(config),
    }),
    from,
  )
  onStep('given')
  const successor = keySetUnder(old.keySet, configDigest(config))
  const done = { migration, moved: true, statementKey: old.statementAddress, keySetDigest: successor }
  if (holds) return done
  const root = await rootIn(handed.root, { privateKey: own.hpkePrivateKey, successor, nonce, from })
  // What nobody but the old node can know: its own root.
  if (openKeyRing(root, configDigest(config)).statementAddress !== old.statementAddress)
    throw new NodeError('PEER_ANSWER_INVALID', from, 'what it has sealed is not its own root')
  await install?.(root)
  onStep('installed')
  return done
}

async function rootIn(
  sealed: string | null,
  options: {
    readonly privateKey: Uint8Array
    readonly successor: Digest
    readonly nonce: string
    readonly from: string
  },
): Promise<Uint8Array> {
  const { privateKey, successor, nonce, from } = options
  try {
    if (sealed !== null) {
      return await hpkeOpen({
        privateKey,
        info: handOverInfo(successor),
        aad: new TextEncoder().encode(nonce),
        message: decodeBase64Url(sealed),
      })
    }
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
  }
  throw new NodeError('PEER_ANSWER_INVALID', from, 'it has sealed no root to this node')
}

function read<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const answer = schema.safeParse(value)
  if (answer.success) return answer.data
  throw new NodeError('PEER_ANSWER_INVALID', place, 'the answer has another shape; compare the releases')
}

/** The code of a refusal and its text, which are from a fixed list. */
function refusalIn(body: JsonValue): string {
  const refusal = z.object({ error: z.object({ code: z.string().max(50), message: z.string().max(300) }) })
  const known = refusal.safeParse(body)
  return known.success ? `${known.data.error.code}: ${known.data.error.message}` : 'it gave no reason'
}
