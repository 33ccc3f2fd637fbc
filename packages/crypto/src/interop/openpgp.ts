import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { isBytes, requireByteString } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import { requireModestWork } from './openpgp-work.js'

/** The part of OpenPGP.js 6 that is used: pass the module, `import * as openpgp from 'openpgp'`. */
export interface OpenPgpModule {
  readonly config: object
  createMessage(options: { binary: Uint8Array }): Promise<object>
  readMessage(options: { binaryMessage: Uint8Array; config?: object }): Promise<object>
  encrypt(options: { message: never; passwords: string[]; format: 'binary' }): Promise<unknown>
  decrypt(options: {
    message: never
    passwords: string[]
    format: 'binary'
    config?: object
  }): Promise<{ readonly data: unknown }>
}

const defaultLimit = 268_435_456

/**
 * Opens a file that existing data networks encrypted with OpenPGP under a password (a hexadecimal wallet signature).
 * Such files have no associated data: nothing says for which pool or purpose they were made, so check what comes out.
 *
 * @param options - `openpgp`: the module; `file`: binary OpenPGP message; `password`; `maximumLength`: most bytes of
 *   plaintext, 256 MiB by default, so that a small file cannot unpack into more
 * @returns the plaintext
 * @throws CryptoError `OPENPGP_REFUSED` when file and password do not belong together, the file is no OpenPGP message,
 *   was altered, unpacks into more than `maximumLength`, has more than two passwords, or asks for more than 64 MiB of memory
 *   or four passes to derive its key; `OPTION_INVALID` for a `maximumLength` that is no positive whole number
 */
export async function openPasswordFile(options: {
  readonly openpgp: OpenPgpModule
  readonly file: Uint8Array
  readonly password: string
  readonly maximumLength?: number | undefined
}): Promise<Uint8Array> {
  requireOptions(options)
  const { openpgp, password, maximumLength = defaultLimit } = options
  const file = isBytes(options.file) ? new Uint8Array(options.file) : options.file
  requirePassword(password)
  if (!isWhole(maximumLength, 1)) {
    throw new CryptoError('OPTION_INVALID', 'maximumLength', 'expected a positive whole number of bytes')
  }
  requireModestWork(file)
  const config = { maxDecompressedMessageSize: maximumLength, maxArgon2MemoryExponent: 16 }
  let data: unknown
  try {
    const message = await openpgp.readMessage({ binaryMessage: file, config })
    const opened = await openpgp.decrypt({
      message: message as never,
      passwords: [password],
      format: 'binary',
      config,
    })
    data = opened.data
  } catch {
    // Its own message may quote packets of the file; so it is no cause here.
    throw refused('the password is another one, or the file was altered or is no OpenPGP message')
  }
  if (!isBytes(data)) throw refused('the OpenPGP module gave no bytes')
  if (data.length > maximumLength) throw refused(`the plaintext is longer than ${maximumLength} bytes`)
  return data
}

/**
 * Encrypts a file as existing data networks do, for programs that read no other form.
 *
 * @param options - `openpgp`: the module, which draws the randomness; `plaintext`; `password`
 * @returns a binary OpenPGP message
 * @throws CryptoError `OPTION_INVALID` (password, plaintext); `OPENPGP_REFUSED` when the module fails
 */
export async function sealPasswordFile(options: {
  readonly openpgp: OpenPgpModule
  readonly plaintext: Uint8Array
  readonly password: string
}): Promise<Uint8Array> {
  requireOptions(options)
  const { openpgp, password } = options
  requirePassword(password)
  requireByteString(options.plaintext, 'plaintext')
  const plaintext = new Uint8Array(options.plaintext)
  let file: unknown
  try {
    const message = await openpgp.createMessage({ binary: plaintext })
    file = await openpgp.encrypt({ message: message as never, passwords: [password], format: 'binary' })
  } catch {
    throw refused('the OpenPGP module could not encrypt; give the plaintext as a Uint8Array')
  }
  if (!isBytes(file)) throw refused('the OpenPGP module gave no bytes')
  return file
}

/**
 * The password under which newer clients of those networks encrypt the files of one scope: HKDF-SHA-256 of the wallet's
 * master signature with salt `vana` and info `scope:<scope>`, in hexadecimal digits.
 *
 * @param options - `signature`: 65 bytes as hex, secret; `scope`: such as `instagram.profile`
 * @returns 64 hexadecimal digits, secret
 * @throws CryptoError `SIGNATURE_INVALID`, `OPTION_INVALID` (scope)
 */
export function scopePassword(options: { readonly signature: Hex; readonly scope: string }): string {
  requireOptions(options)
  const { signature, scope } = options
  if (typeof signature !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(signature)) {
    throw new CryptoError(
      'SIGNATURE_INVALID',
      'signature',
      'expected 65 bytes as 0x and 130 hexadecimal digits',
    )
  }
  if (typeof scope !== 'string' || scope.length === 0 || scope.length > 256) {
    throw new CryptoError('OPTION_INVALID', 'scope', 'a scope is 1 to 256 characters')
  }
  const info = utf8(`scope:${scope}`)
  return encodeHex(hkdf(sha256, decodeHex(signature), utf8('vana'), info, 32)).slice(2)
}

function requirePassword(password: unknown): void {
  if (typeof password !== 'string' || password.length === 0) {
    throw new CryptoError('OPTION_INVALID', 'password', 'a password is a text of at least one character')
  }
}

function refused(why: string): CryptoError {
  return new CryptoError('OPENPGP_REFUSED', 'file', why)
}
