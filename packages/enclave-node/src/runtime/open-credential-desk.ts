import { signInNonces } from '../api/sign-in-nonce.js'
import { type CredentialDesk, credentialDesk } from '../credential/credential-desk.js'
import type { JobContext } from '../job/job-context.js'

/** Opens the desk at which credentials are presented; its nonces are good until the process ends. */
export function openCredentialDesk(context: JobContext): CredentialDesk {
  const { random, now } = context
  return credentialDesk({ ...context, nonces: signInNonces({ random, now }) })
}
