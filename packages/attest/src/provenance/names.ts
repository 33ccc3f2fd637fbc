import type { Digest } from '@sealpool/crypto'
import type { Provenance, ProvenanceItem } from './provenance.js'

/** What names of a chain's items begin with: its deployment. */
export function namespaceOf({ deployment }: Pick<Provenance, 'deployment'>): string {
  return `sealpool://${deployment.chainId}/${deployment.registry.toLowerCase()}`
}

/** An item's name inside of its deployment. */
export function itemName({ kind, pool, name }: ProvenanceItem): string {
  return [...(pool === null ? [] : [pool.toLowerCase()]), kind, name].join('/')
}

/** The same record gives the same run, whoever asks: a UUID of version 8 (RFC 9562) out of the digest's first bytes. */
export function runId(record: Digest): string {
  const hex = record.slice('sha256:'.length)
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
