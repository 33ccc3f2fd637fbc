import { digestOf, walletIdentity, walletKeyTypedData } from '@sealpool/crypto'
import { privateKeyToAccount } from 'viem/accounts'
import type { ContributionInput } from '../contribute/prepare-contribution.js'
import type { BlobStore } from '../store/blob-store.js'
import { memoryBlobStore } from '../store/memory-store.js'

export const account = privateKeyToAccount(`0x${'42'.repeat(32)}`)
const typedData = walletKeyTypedData({ chainId: 31337, purpose: 'My copy of my pool files' })
export const wallet = walletIdentity({
  signature: await account.signTypedData(typedData),
  address: account.address,
  typedData,
})

/** Text that no sealed byte may show. */
export const secretText = 'wage;union\r\n12.50;yes\r\n'

export const input = {
  bytes: new TextEncoder().encode(secretText),
  mediaType: 'text/csv',
  schemaId: digestOf('schema'),
  consentDigest: digestOf('consent'),
  walletPublicKey: wallet.publicKey,
  nonce: 3n,
  deadline: 2_000_000_000n,
} satisfies ContributionInput

/** A memory store that remembers what it was given, and lies when told to. */
export function recordingStore(
  lie: (answer: { locator: string; digest: `sha256:${string}` }) => object = (a) => a,
): {
  readonly store: BlobStore
  readonly puts: Uint8Array[]
} {
  const inner = memoryBlobStore()
  const puts: Uint8Array[] = []
  const store: BlobStore = {
    ...inner,
    async put(bytes) {
      puts.push(bytes.slice())
      const { locator, digest } = await inner.put(bytes)
      return { locator, digest, ...lie({ locator, digest }) }
    },
  }
  return { store, puts }
}
