/**
 * Encrypted modules of the Parquet Modular Encryption format, algorithm AES_GCM_V1.
 * Source: parquet-format, Encryption.md, sections 4.4 (AAD) and 5.1 (module layout).
 */

/** Module types of Encryption.md 4.4.2 that this writer produces. */
export const moduleType = { footer: 0, dataPage: 2, dataPageHeader: 4 } as const

/** Bytes that encryption adds to a module: length (4), nonce (12) and tag (16). */
export const moduleOverhead = 32

/** Where a module stands in its file; it goes into the AAD, so that no module can be moved or exchanged. */
export type ModulePlace =
  | { readonly type: 'footer' }
  | {
      readonly type: 'dataPage' | 'dataPageHeader'
      readonly rowGroup: number
      readonly column: number
      readonly page: number
    }

/** Encrypts the modules of one file. */
export type ModuleCipher = (plaintext: Uint8Array, place: ModulePlace) => Promise<readonly Uint8Array[]>

function aadOf(fileUnique: Uint8Array, place: ModulePlace): Uint8Array<ArrayBuffer> {
  const ordinals = place.type === 'footer' ? [] : [place.rowGroup, place.column, place.page]
  const aad = new Uint8Array(fileUnique.length + 1 + 2 * ordinals.length)
  aad.set(fileUnique)
  aad[fileUnique.length] = moduleType[place.type]
  const view = new DataView(aad.buffer)
  ordinals.forEach((ordinal, index) => {
    view.setInt16(fileUnique.length + 1 + 2 * index, ordinal, true)
  })
  return aad
}

/**
 * Makes the cipher of one file. Every module gets a fresh 96-bit nonce from `random`, which must be a CSPRNG: a nonce
 * used twice under one key would open both modules.
 *
 * @param options - `key`: AES key, 32 bytes; `fileUnique`: the file's AAD identifier, 8 bytes or more, fresh per file;
 *   `random`: CSPRNG
 * @returns a function that gives length (u32 LE), nonce, ciphertext and tag of a module, in parts
 */
export async function createModuleCipher(options: {
  readonly key: Uint8Array
  readonly fileUnique: Uint8Array
  readonly random: (length: number) => Uint8Array
}): Promise<ModuleCipher> {
  const { fileUnique, random } = options
  const key = await globalThis.crypto.subtle.importKey(
    'raw',
    Uint8Array.from(options.key),
    'AES-GCM',
    false,
    ['encrypt'],
  )
  return async (plaintext, place) => {
    const iv = Uint8Array.from(random(12))
    const sealed = await globalThis.crypto.subtle.encrypt(
      { name: 'AES-GCM', iv, additionalData: aadOf(fileUnique, place), tagLength: 128 },
      key,
      plaintext as Uint8Array<ArrayBuffer>,
    )
    const head = new Uint8Array(4 + 12)
    new DataView(head.buffer).setUint32(0, 12 + sealed.byteLength, true)
    head.set(iv, 4)
    // Not joined: a page is megabytes, and a copy of it would be garbage the moment it is written.
    return [head, new Uint8Array(sealed)]
  }
}

/** Opens the modules of one file. Undefined: of another key, file or place, or changed. */
export type ModuleOpener = (module: Uint8Array, place: ModulePlace) => Promise<Uint8Array | undefined>

/**
 * Makes what opens the modules of one file.
 *
 * @param options - `key`: AES key, 32 bytes; `fileUnique`: the file's AAD identifier
 * @returns a function that opens nonce, ciphertext and tag of the module at a place, without its length
 */
export async function createModuleOpener(options: {
  readonly key: Uint8Array
  readonly fileUnique: Uint8Array
}): Promise<ModuleOpener> {
  const { fileUnique } = options
  const key = await globalThis.crypto.subtle.importKey(
    'raw',
    Uint8Array.from(options.key),
    'AES-GCM',
    false,
    ['decrypt'],
  )
  return async (module, place) => {
    try {
      const plaintext = await globalThis.crypto.subtle.decrypt(
        {
          name: 'AES-GCM',
          iv: Uint8Array.from(module.subarray(0, 12)),
          additionalData: aadOf(fileUnique, place),
          tagLength: 128,
        },
        key,
        module.subarray(12) as Uint8Array<ArrayBuffer>,
      )
      return new Uint8Array(plaintext)
    } catch {
      return undefined
    }
  }
}
