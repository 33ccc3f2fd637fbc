import {
  type AttestationPolicy,
  defaultAttestationPolicy,
  measurementDigest,
  nodeReportData,
  parseQuote,
} from '@sealpool/attest'
import { createSimulator, simulatedMrTd } from '@sealpool/attest/simulator'
import { type Deployment, poolKeyContext } from '@sealpool/contracts'
import {
  type Address,
  addressOf,
  asJson,
  concatBytes,
  type Digest,
  deriveNodeKeys,
  derivePoolKey,
  digestOf,
  digestToHex,
  encodeBase64Url,
  encodeHex,
  type Hex,
  type JsonObject,
  type KeySet,
  keySetDigest,
  type SignedStatement,
  sha256Digest,
  signStatement,
} from '@sealpool/crypto'
import type { ChainFacts } from '../verify/chain-facts.js'
import type { KeyedPoolAnswer } from '../verify/verified-pool.js'

/*
 * A node as it is, without its server: real derived keys, a real simulator quote, the real pool-key statement. Every test
 * changes one thing of it.
 */

/** The moment of all fixtures. */
export const at = new Date('2026-11-20T12:00:00Z')

const address = (byte: string): Address => `0x${byte.repeat(20)}`

export const deployment: Deployment = {
  chainId: 31337,
  protocolToken: address('a1'),
  nodeRegistry: address('a2'),
  dataRegistry: address('a3'),
  contributionBatches: address('a7'),
  jobBoard: address('a4'),
  permissions: address('a5'),
  approvals: address('a8'),
  poolFactory: address('a6'),
  blockNumber: 0n,
}

/** The pool of all fixtures, with capitals, as viem would give it. */
export const pool: Address = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'

/** Bytes that look random and are the same in every run. */
export function repeatable(seed: string): (length: number) => Uint8Array {
  let counter = 0
  return (length) => {
    const parts: Uint8Array[] = []
    for (let size = 0; size < length; size += 32) {
      counter += 1
      parts.push(bytesOfDigest(sha256Digest(new TextEncoder().encode(`${seed} ${counter}`))))
    }
    return concatBytes(...parts).slice(0, length)
  }
}

function bytesOfDigest(digest: Digest): Uint8Array {
  return Uint8Array.from(digest.slice(7).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

export const simulator = createSimulator({ random: repeatable('client fixture'), at })

/** What the fixture's nodes run, as the registry lists it. */
export const measurement: Hex = (() => {
  const { report } = parseQuote(simulator.quote({ reportData: new Uint8Array(64), mrTd: simulatedMrTd }))
  if (report.kind !== 'td') throw new Error('the simulator is not one of TDX')
  const [one, two, three, four] = report.rtmrs.map((register) => encodeHex(register))
  if (!one || !two || !three || !four) throw new Error('a TD has four registers')
  return measurementDigest({ mrTd: encodeHex(report.mrTd), rtmrs: [one, two, three, four] })
})()

/** Attestation rules that allow the fixture's simulator. */
export const trust: AttestationPolicy = {
  ...defaultAttestationPolicy,
  roots: [simulator.rootDigest],
  allowSimulator: true,
  measurements: [{ name: 'fixture', mrTd: encodeHex(simulatedMrTd) }],
}

/** A pool policy as far as a client and who verifies receipts look at it. */
export function policyWith(attestation: AttestationPolicy = trust, name = 'pay'): JsonObject {
  return {
    format: 'sealpool/pool-policy',
    version: 1,
    name,
    attestation: asJson(attestation),
    code: { poc: digestOf('poc'), refiner: digestOf('refiner'), computations: [] },
    privacy: { accounting: 'basic', epsilon: 6, delta: 1e-6, perJob: { epsilon: 2, delta: 2.5e-7 } },
  }
}

export const policy = policyWith()
export const nonce: Hex = `0x${'5a'.repeat(32)}`

/** What a pool-key statement says; tests change one field. */
export interface KeyStatement {
  readonly type: string
  readonly version: number
  readonly chainId: number
  readonly registry: Address
  readonly pool: Address
  readonly policy: Digest
  readonly epoch: number
  readonly publicKey: string
}

/** A node with its keys, for a policy and a pool; equal seeds give equal nodes. */
export function simulatedNode(seed = 7, served: JsonObject = policy, place = { deployment, pool }) {
  const keys = deriveNodeKeys(new Uint8Array(32).fill(seed))
  const policyDigest = digestOf(served)
  const keySet: KeySet = {
    format: 'sealpool/key-set',
    version: 1,
    hpke: { kem: 'x25519', publicKey: encodeBase64Url(keys.hpke.publicKey) },
    statement: { scheme: 'eip712-secp256k1', address: addressOf(keys.statementKey) },
    config: sha256Digest(new Uint8Array([1])),
  }
  const poolKey = (epoch = 1) =>
    derivePoolKey({
      root: keys.root,
      chainId: place.deployment.chainId,
      pool: place.pool,
      policyDigest,
      epoch,
    })

  /** Fresh evidence over a nonce. */
  function evidence(asked: Hex = nonce): JsonObject {
    const quote = simulator.quote({ reportData: nodeReportData(keySet, asked), mrTd: simulatedMrTd })
    return {
      format: 'sealpool/node-evidence',
      version: 1,
      tee: 'tdx',
      quote: encodeBase64Url(quote),
      collateral: asJson(simulator.collateral(at)),
      keySet: asJson(keySet),
      nonce: asked,
      simulated: true,
    }
  }

  /** The node's signed word on its pool key, as the node itself makes it. */
  function statement(change: Partial<KeyStatement> = {}): SignedStatement {
    const epoch = change.epoch ?? 1
    const key = poolKey(epoch)
    const context = poolKeyContext({
      deployment: {
        chainId: change.chainId ?? place.deployment.chainId,
        nodeRegistry: change.registry ?? place.deployment.nodeRegistry,
      },
      nonce: BigInt(epoch),
      pool: change.pool ?? place.pool,
      epoch,
      policyDigest: digestToHex(change.policy ?? policyDigest),
      keyDigest: digestToHex(key.keyId),
    })
    return signStatement({
      statement: {
        type: change.type ?? 'sealpool/pool-key',
        version: change.version ?? 1,
        body: {
          pool: context.pool.toLowerCase(),
          epoch,
          policy: change.policy ?? policyDigest,
          kem: 'x25519',
          publicKey: change.publicKey ?? encodeBase64Url(key.publicKey),
          keyId: key.keyId,
        },
      },
      context,
      privateKey: keys.statementKey,
    })
  }

  /** The node's signed word that it keeps no copies for the pool, as the node itself makes it. */
  function liveStatement(
    change: { readonly keySet?: Digest; readonly pool?: Address; readonly type?: string } = {},
  ): SignedStatement {
    const named = change.keySet ?? keySetDigest(keySet)
    const of = (change.pool ?? place.pool).toLowerCase() as Address
    return signStatement({
      statement: { type: change.type ?? 'sealpool/live-pool', version: 1, body: { pool: of, keySet: named } },
      context: {
        chainId: place.deployment.chainId,
        registry: place.deployment.nodeRegistry,
        pool: of,
        subject: digestToHex(named),
        nonce: '0',
        facts: [],
      },
      privateKey: keys.statementKey,
    })
  }

  /** The pool as `GET /v1/pools` lists it. */
  function answer(epoch = 1): KeyedPoolAnswer {
    const { publicKey, keyId } = poolKey(epoch)
    return {
      pool: place.pool,
      name: 'pay',
      policyDigest,
      epoch,
      poolKey: { publicKey: encodeBase64Url(publicKey), keyId },
      statement: asJson(statement({ epoch })),
      live: null,
    }
  }

  /** What an honest chain says about all this. */
  function facts(epoch = 1): ChainFacts {
    return {
      policyDigest: digestToHex(policyDigest),
      measurement,
      keyEpoch: {
        epoch,
        policyDigest: digestToHex(policyDigest),
        keyDigest: digestToHex(poolKey(epoch).keyId),
        node: keySet.statement.address,
      },
      node: { active: true, keySetDigest: digestToHex(keySetDigest(keySet)), measurement },
    }
  }
  return { keys, keySet, poolKey, evidence, statement, liveStatement, answer, facts }
}

export const node = simulatedNode()
