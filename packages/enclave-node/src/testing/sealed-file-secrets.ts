/**
 * The secrets of a sealed file, as whoever can open it computes them: from the file's format (docs/formats/sealed-file.md) with Node's
 * cryptography, and not with the code whose traces are looked for.
 * @module
 */
import { createCipheriv, hkdfSync } from 'node:crypto'
import {
  canonicalBytes,
  decodeBase64Url,
  hpkeOpen,
  type Identity,
  openBytes,
  parseHeader,
} from '@sealpool/crypto'
import { type TapLine, unmasked } from './watched-node.js'

/** Keys of one sealed file. */
export interface SealedFileSecrets {
  readonly file: Uint8Array
  readonly payload: Uint8Array
  readonly header: Uint8Array
  /** Under which its plaintext is committed to: whoever has it can try guesses. */
  readonly commitment: Uint8Array
  /** @returns keys under which the file key was wrapped for its recipients, of all that a node told that it used */
  wraps(lines: readonly TapLine[]): readonly Uint8Array[]
}

/**
 * @param recipient type of the recipient that it is, and its private key
 * @returns the secrets of a file
 */
export async function secretsOfFile(
  sealed: Uint8Array,
  recipient: { readonly type: 'hpke' | 'wallet'; readonly privateKey: Uint8Array },
): Promise<SealedFileSecrets> {
  let known: { readonly file: Uint8Array; readonly binding: Uint8Array } | undefined
  const { type, privateKey } = recipient
  const watching: Identity = {
    type,
    keyId: 'watching',
    async unwrap({ stanzas, binding }) {
      const { enc, wrapped, ...label } = stanzas.find((stanza) => stanza.type === type) ?? { type }
      const file = await hpkeOpen({
        privateKey,
        info: Buffer.concat([Buffer.from('sealpool/sealed-file/1/wrap\0'), binding]),
        aad: canonicalBytes(label),
        message: Buffer.concat([enc, wrapped].map((text) => decodeBase64Url(String(text)))),
      })
      known = { file: Uint8Array.from(file), binding: Uint8Array.from(binding) }
      return file
    },
  }
  await openBytes(sealed, { identities: [watching] })
  if (known === undefined) throw new Error('the file was opened without its key')
  const { file, binding } = known
  const { salt, recipients } = parseHeader(sealed)
  const derived = (use: string, bound: Uint8Array) =>
    new Uint8Array(
      hkdfSync(
        'sha256',
        file,
        salt,
        Buffer.concat([Buffer.from(`sealpool/sealed-file/1/${use}\0`), bound]),
        32,
      ),
    )
  return {
    file,
    payload: derived('payload', binding),
    header: derived('header', binding),
    commitment: derived('commitment', new Uint8Array()),
    wraps: (lines) =>
      lines.flatMap(({ key, nonce }) => {
        if (key === undefined || nonce === undefined || nonce.length !== 24) return []
        const secret = unmasked(key)
        const wrapped = recipients.map(({ wrapped: text, enc: _enc, ...label }) => ({ text, label }))
        const isOne = wrapped.some(({ text, label }) => {
          const cipher = createCipheriv('aes-256-gcm', secret, Buffer.from(nonce, 'hex'))
          cipher.setAAD(canonicalBytes(label))
          const made = Buffer.concat([cipher.update(file), cipher.final(), cipher.getAuthTag()])
          return typeof text === 'string' && made.equals(decodeBase64Url(text))
        })
        return isOne ? [secret] : []
      }),
  }
}
