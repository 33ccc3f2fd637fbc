/**
 * Finds the node with a statement key among those of the settings, by attesting them.
 * @module
 */
import { type AttestationPolicy, AttestError, parseAttestationPolicy } from '@sealpool/attest'
import { type Address, canonicalize, type JsonValue } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { AttestedPeer } from '../peer/attest-peer.js'

/** Seconds for which a node that was attested is believed to be what it was. */
const believedSeconds = 60

/** What finding needs. */
export interface FindHomeOptions {
  /** Base addresses of the nodes. */
  readonly nodes: readonly string[]
  /** Verifies a node, see `attestPeer`. */
  readonly attest: (url: string, evidencePolicy: AttestationPolicy) => Promise<AttestedPeer>
  /** Unix seconds. */
  readonly now: () => number
}

/**
 * @returns finds the node with a statement key: it is good enough for every pool that is given. Which code may run, a pool's
 * attestation policy says, and the chain besides. Throws NodeError `NODE_UNREACHABLE` when it may be one that does not answer,
 * `PEER_NOT_ATTESTED` when no node of the settings is it and good enough
 */
export function homeFinder({ nodes, attest, now }: FindHomeOptions) {
  const found = new Map<string, { readonly peer: AttestedPeer; readonly until: number }>()
  const urls = new Map<Address, string>()
  return async (node: Address, pools: readonly PlannablePool[]): Promise<AttestedPeer> => {
    const policies = [
      ...new Map(
        pools.map(({ policy: { attestation } }) => [canonicalize(attestation as JsonValue), attestation]),
      ).entries(),
    ]
    const name = `${node} ${policies.map(([text]) => text).join(' ')}`
    const held = found.get(name)
    if (held !== undefined && held.until > now()) return held.peer
    found.delete(name)
    const known = urls.get(node)
    const order = known === undefined ? nodes : [known, ...nodes.filter((url) => url !== known)]
    let away: NodeError | undefined
    let refused: NodeError | undefined
    for (const url of order) {
      try {
        const peer = await attestFor(url, node, policies)
        if (peer === undefined) continue
        urls.set(node, url)
        found.set(name, { peer, until: now() + believedSeconds })
        return peer
      } catch (error) {
        if (!(error instanceof NodeError)) throw error
        if (error.code === 'NODE_UNREACHABLE') away = error
        else if (error.code === 'PEER_NOT_ATTESTED') refused = error
        else throw error
      }
    }
    throw (
      away ??
      refused ??
      new NodeError('PEER_NOT_ATTESTED', node, 'it is none of the nodes that the settings name for this')
    )
  }

  /** @returns undefined for another node */
  async function attestFor(
    url: string,
    node: Address,
    policies: readonly (readonly [string, unknown])[],
  ): Promise<AttestedPeer | undefined> {
    let first: AttestedPeer | undefined
    for (const [, policy] of policies) {
      const peer = await attest(url, readPolicy(policy))
      if (peer.statementAddress !== node) return undefined
      first ??= peer
      if (peer.keySetDigest !== first.keySetDigest)
        throw new NodeError('PEER_NOT_ATTESTED', url, 'it changed its keys while it was attested')
    }
    return first
  }
}

function readPolicy(policy: unknown): AttestationPolicy {
  try {
    return parseAttestationPolicy(policy)
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause
    const why = 'a pool’s attestation policy cannot be read'
    throw new NodeError('PEER_NOT_ATTESTED', 'policy', why, { cause })
  }
}
