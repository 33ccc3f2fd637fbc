import type { Random } from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import type { Kem } from '../hpke/kem.js'
import { platformRandom } from '../platform.js'
import { type BackupSubject, createWalletKeyBackup as createWith, type WalletKeyBackup } from './backup.js'
import type { RecoveryFactor } from './factor.js'
import { drawRecoveryCode as drawWith } from './recovery-code.js'

export {
  type BackupSubject,
  openWalletKeyBackup,
  parseWalletKeyBackup,
  type WalletKeyBackup,
  type WrappedSecret,
} from './backup.js'
export type { RecoveryFactor } from './factor.js'
export { readRecoveryCode } from './recovery-code.js'

/**
 * Draws a recovery code: 160 random bits and a checksum, as nine groups of four characters. It is shown once and kept
 * on paper; it is a secret.
 *
 * @param random - source of randomness; the platform's by default
 * @returns the code
 * @throws CryptoError `RANDOM_INVALID`
 */
export function drawRecoveryCode(random: Random = platformRandom): string {
  return drawWith(random)
}

/**
 * Wraps a wallet's random secret for one or more factors; any one of them opens it again.
 *
 * @param options - whose key it is; `secret`: 32 bytes, from `establishWalletKey`; `factors`: 1 to 16; `kem`: as when the
 *   key was made, `x25519Kem` by default; `random` is the platform's by default
 * @returns the backup, plain JSON data that may lie in public
 * @throws CryptoError `OPTION_INVALID` (also when the secret does not make the key of this id), `KEY_INVALID` (also for a secret of
 *   zeros, the wallet's or a factor's), `RECOVERY_CODE_INVALID`, `RANDOM_INVALID`
 * @example
 * ```ts
 * import { platformRandom, walletIdentityFromSecret, x25519Kem } from '@sealpool/crypto'
 * import { createWalletKeyBackup, drawRecoveryCode, openWalletKeyBackup } from '@sealpool/crypto/recovery'
 * const address = `0x${'ab'.repeat(20)}` as const
 * const secret = platformRandom(32)
 * const { keyId } = walletIdentityFromSecret({ secret, address })
 * const code = drawRecoveryCode()
 * const backup = await createWalletKeyBackup({
 *   chainId: 1,
 *   address,
 *   keyId: keyId as `sha256:${string}`,
 *   secret,
 *   factors: [{ kind: 'recovery-code', code }],
 * })
 * const again = await openWalletKeyBackup(backup, { factor: { kind: 'recovery-code', code }, kem: x25519Kem })
 * console.log(walletIdentityFromSecret({ secret: again, address }).keyId === keyId) // true
 * ```
 */
export async function createWalletKeyBackup(
  options: BackupSubject & {
    readonly secret: Uint8Array
    readonly factors: readonly RecoveryFactor[]
    readonly kem?: Kem | undefined
    readonly random?: Random | undefined
  },
): Promise<WalletKeyBackup> {
  return createWith({ ...requireOptions(options), random: options.random ?? platformRandom })
}
