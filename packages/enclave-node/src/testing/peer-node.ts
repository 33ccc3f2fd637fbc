/**
 * Simulated nodes as their peers see them: real evidence of a simulator, real API, and a chain that lists them.
 * @module
 */
import { type AttestationPolicy, defaultAttestationPolicy } from '@sealpool/attest'
import type { Simulator } from '@sealpool/attest/simulator'
import { type Address, type Digest, type Hex, platformRandom } from '@sealpool/crypto'
import type { AuthenticationOptions } from '../api/authentication.js'
import type { NodeService } from '../api/node-service.js'
import type { ChainNode, ChainPort } from '../chain/chain-port.js'
import { openEvidence } from '../evidence/node-evidence.js'
import type { QuoteProvider } from '../evidence/quote-provider.js'
import type { SimulatedGpus } from '../evidence/simulated-gpus.js'
import { simulatedPlatform } from '../evidence/simulator-quote-provider.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import type { StateStore } from '../state/state-store.js'
import { apiPool, apiWorld } from './api-world.js'

/** A chain of which tests decide what it lists. */
export interface ListedNodes
  extends Pick<ChainPort, 'chainId' | 'registry' | 'node' | 'measurementAllowed' | 'isNodeActive'> {
  readonly nodes: Map<Address, ChainNode>
  readonly allowed: Set<Hex>
}

/** @returns a chain that lists nobody yet */
export function listedNodes(): ListedNodes {
  const nodes = new Map<Address, ChainNode>()
  const allowed = new Set<Hex>()
  const node: ListedNodes['node'] = async (address) => {
    const record = nodes.get(address)
    return record === undefined
      ? null
      : { ...record, active: record.active && allowed.has(record.measurement) }
  }
  return {
    chainId: 31_337,
    registry: `0x${'f'.repeat(40)}`,
    nodes,
    allowed,
    node,
    measurementAllowed: async (measurement) => allowed.has(measurement),
    isNodeActive: async (address) => (await node(address))?.active ?? false,
  }
}

/** A policy that accepts any code on these simulators: what may run is the chain's word. */
export function simulatorPolicy(...simulators: readonly Simulator[]): AttestationPolicy {
  return {
    ...defaultAttestationPolicy,
    roots: simulators.map(({ rootDigest }) => rootDigest),
    allowSimulator: true,
    measurements: [],
  }
}

/**
 * Quotes of a simulator for code with this MRTD.
 * @param mrTd 48 bytes; absent: the simulator's usual one
 * @param gpus of the machine; absent: it has none
 */
export function quotesOf(
  simulator: Simulator,
  mrTd?: Uint8Array,
  gpus?: SimulatedGpus,
): QuoteProvider & { readonly measurement: Hex } {
  const quote = (reportData: Uint8Array) =>
    simulator.quote({
      reportData,
      ...(mrTd === undefined ? {} : { mrTd }),
      ...(gpus === undefined ? {} : { rtmrs: gpus.rtmrs }),
    })
  return {
    name: 'simulator',
    simulated: true,
    quote: async (reportData) => quote(reportData),
    collateral: async () => simulator.collateral(new Date()),
    ...(gpus === undefined ? {} : { gpus }),
    measurement: simulatedPlatform({ ...simulator, quote: ({ reportData }) => quote(reportData) })
      .measurement,
  }
}

/** A peer with its own keys behind an API that is asked without a network. */
export async function peerNode(options: {
  readonly simulator: Simulator
  readonly store: StateStore
  readonly url: string
  readonly mrTd?: Uint8Array
  readonly gpus?: SimulatedGpus
  readonly root?: Uint8Array
  readonly config?: Digest
  readonly authentication?: Partial<AuthenticationOptions>
  readonly service?: Partial<NodeService>
}) {
  const { simulator, store, url, mrTd, gpus } = options
  const keys: NodeKeyRing = openKeyRing(
    options.root ?? platformRandom(32),
    options.config ?? `sha256:${'1'.repeat(64)}`,
  )
  const quotes = quotesOf(simulator, mrTd, gpus)
  const evidence = await openEvidence({ provider: quotes, keys, store })
  const world = apiWorld(
    {
      publicUrl: () => url,
      keySet: keys.keySetDigest,
      privateKey: keys.hpkePrivateKey,
      tokenKey: keys.accessSecret({ chainId: 31_337, nodeRegistry: apiPool }),
      ...options.authentication,
    },
    {
      service: {
        evidence: (nonce, asked) =>
          nonce === undefined ? evidence.registered() : evidence.fresh(nonce, asked),
        ...options.service,
      },
    },
  )
  return {
    url,
    keys,
    quotes,
    evidence,
    world,
    fetch: world.fetch,
    measurement: quotes.measurement,
    /** Lists it as registered and active. */
    register(chain: ListedNodes, change: Partial<ChainNode> = {}): void {
      chain.allowed.add(quotes.measurement)
      chain.nodes.set(keys.statementAddress, {
        keySetDigest: keys.keySetDigest,
        measurement: quotes.measurement,
        active: true,
        ...change,
      })
    },
  }
}
