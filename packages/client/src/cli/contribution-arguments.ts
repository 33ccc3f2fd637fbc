import { type Digest, digestOf, walletIdentity, walletKeyTypedData } from '@sealpool/crypto'
import type { Account } from 'viem'
import { ClientError } from '../errors.js'
import { usage } from './arguments.js'
import { readBytes } from './settings.js'

/**
 * The public key of the contributor's own copy, from a signature of the account.
 *
 * @param account who contributes
 * @param chainId of the pool
 * @returns 32 bytes
 * @throws ClientError `ACCOUNT_REQUIRED`
 */
export async function ownCopyKey(account: Account | undefined, chainId: number): Promise<Uint8Array> {
  if (account?.signTypedData === undefined)
    throw new ClientError('ACCOUNT_REQUIRED', 'account', 'the account cannot sign')
  const typedData = walletKeyTypedData({ chainId, purpose: 'My copy of my pool files' })
  const signature = await account.signTypedData(typedData)
  return walletIdentity({ signature, address: account.address, typedData }).publicKey
}

/**
 * The digest of a pool's table schema.
 *
 * @param text a digest, or a JSON file of the schema
 * @returns the digest
 * @throws ClientError `OPTION_INVALID`
 */
export async function schemaArgument(text: string): Promise<Digest> {
  const place = '--schema'
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text as Digest
  if (text.startsWith('sha256:')) throw usage(place, 'expected sha256: and 64 lower-case hexadecimal digits')
  const bytes = await readBytes(text, place)
  try {
    return digestOf(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    throw usage(place, 'the file is not JSON')
  }
}

/**
 * A media type. Only what is none at all is refused here, before a node is asked; sealing knows which characters it may have.
 *
 * @param text such as `text/csv`
 * @returns the same
 * @throws ClientError `OPTION_INVALID`
 */
export function mediaTypeArgument(text: string): string {
  if (/^[^\s/;]+\/[^\s/;]+(?:;.+)?$/.test(text)) return text
  throw usage('--type', 'expected a media type such as text/csv')
}
