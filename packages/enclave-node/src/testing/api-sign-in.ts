/**
 * Signing in at the API of {@link apiWorld}, and what a refusal looks like there.
 * @module
 */
import { signInMessage } from '@sealpool/client/access'
import { apiKeys, apiUrl, type apiWorld, wallets } from './api-world.js'

export type World = ReturnType<typeof apiWorld>
export const refused = (code: string, status?: number) => ({
  ...(status === undefined ? {} : { status }),
  body: { error: { code } },
})

/** A message as a wallet would sign it at this moment; a test changes one thing. */
export async function signedIn(
  world: World,
  change: Partial<Parameters<typeof signInMessage>[0]> = {},
  edit = (text: string) => text,
) {
  const { body } = await world.call('GET', '/v1/sign-in')
  const { nonce } = body as { nonce: string }
  const issuedAt = new Date(world.clock.seconds * 1000)
  const message = edit(
    signInMessage({
      address: wallets.consumer.address,
      nodeUrl: apiUrl,
      chainId: 31_337,
      nonce,
      issuedAt,
      expiresAt: new Date(issuedAt.getTime() + 600_000),
      keySet: apiKeys.keySetDigest,
      roles: ['consumer'],
      ...change,
    }),
  )
  return { message, signature: await wallets.consumer.signMessage({ message }) }
}
/** Sends what was signed. */
export const signIn = (world: World, body: unknown) => world.call('POST', '/v1/sign-in', { body })
