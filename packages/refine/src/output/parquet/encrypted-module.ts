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

/**
 * AES-256-GCM under the file's key.
 *
 * @param iv - 12 bytes
 * @param aad - what is authenticated with it
 * @param plaintext - what is encrypted
 * @returns ciphertext and tag of 16 bytes, in parts
 */
export type Seal = (
  iv: Uint8Array<ArrayBuffer>,
  aad: Uint8Array<ArrayBuffer>,
  plaintext: Uint8Array,
) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>

/** A key of WebCrypto, which keeps a copy until it is collected; none is left beside it. */
async function importedKey(given: Uint8Array, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  const own = Uint8Array.from(given)
  return globalThis.crypto.subtle.importKey('raw', own, 'AES-GCM', false, [use]).finally(() => own.fill(0))
}

async function webCryptoSeal(given: Uint8Array): Promise<Seal> {
  const key = await importedKey(given, 'encrypt')
  return async (iv, additionalData, plaintext) => [
    new Uint8Array(
      await globalThis.crypto.subtle.encrypt(
        { name: 'AES-GCM', iv, additionalData, tagLength: 128 },
        key,
        plaintext as Uint8Array<ArrayBuffer>,
      ),
    ),
  ]
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
 *   `random`: CSPRNG; `seal`: the platform's cipher under `key`, default WebCrypto's, which copies what it is given twice
 * @returns a function that gives length (u32 LE), nonce, ciphertext and tag of a module, in parts
 */
export async function createModuleCipher(options: {
  readonly key: Uint8Array
  readonly fileUnique: Uint8Array
  readonly random: (length: number) => Uint8Array
  readonly seal?: Seal | undefined
}): Promise<ModuleCipher> {
  const { fileUnique, random } = options
  const seal = options.seal ?? (await webCryptoSeal(options.key))
  return async (plaintext, place) => {
    const iv = Uint8Array.from(random(12))
    const sealed = await seal(iv, aadOf(fileUnique, place), plaintext)
    const head = new Uint8Array(4 + 12)
    const length = sealed.reduce((sum, part) => sum + part.length, 0)
    new DataView(head.buffer).setUint32(0, 12 + length, true)
    head.set(iv, 4)
    // Not joined: a page is megabytes, and a copy of it would be garbage the moment it is written.
    return [head, ...sealed]
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
  const key = await importedKey(options.key, 'decrypt')
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
