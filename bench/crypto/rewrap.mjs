import {
  derivePoolKey,
  hpkeIdentity,
  hpkeRecipient,
  parseHeader,
  rewrapHeaders,
  sealBytes,
} from '@sealpool/crypto'
import { deriveXwingKeyPair, xwingRecipient } from '@sealpool/crypto/post-quantum'
import { figure, printTable } from '../measure/table.mjs'

const scope = {
  chainId: 31_337,
  pool: `0x${'ab'.repeat(20)}`,
  policyDigest: `sha256:${'cd'.repeat(32)}`,
}
const root = new Uint8Array(32).fill(1)

/**
 * Brings 10,000 headers in memory to a new key epoch.
 *
 * @param print takes one line
 */
export async function rewrap(print) {
  const count = 10_000
  const [old, next] = [1, 2].map((epoch) => derivePoolKey({ root, ...scope, epoch }))
  const xwing = deriveXwingKeyPair(new Uint8Array(32).fill(2))
  const sealed = await sealBytes(new Uint8Array(10), {
    recipients: [hpkeRecipient(old)],
    context: { ...scope, epoch: 1, mediaType: 'text/plain' },
  })
  const header = sealed.slice(0, parseHeader(sealed).payloadOffset)
  const rows = []
  for (const [label, to, amount] of [
    ['X25519 to X25519', hpkeRecipient(next), count],
    ['X25519 to X-Wing', xwingRecipient(xwing), count / 10],
  ]) {
    const files = new Map(Array.from({ length: amount }, (_, index) => [`${index}`, header]))
    const store = {
      list: () => [...files.keys()],
      read: async (name) => files.get(name),
      replace: async (name, bytes) => void files.set(name, bytes),
    }
    const started = performance.now()
    const report = await rewrapHeaders({
      store,
      identities: [hpkeIdentity(old)],
      from: old.keyId,
      to,
      expect: scope,
    })
    const seconds = (performance.now() - started) / 1000
    if (report.rewrapped !== amount || report.failed.length > 0) throw new Error('not all were re-wrapped')
    rows.push([label, figure(amount), figure(seconds), figure(amount / seconds)])
  }
  printTable(print, {
    title:
      'Headers in memory brought to a new key epoch (rewrapHeaders): parse, unwrap, check MAC, wrap, MAC',
    columns: ['', 'headers', 'seconds', 'headers/s'],
    rows,
  })
}
