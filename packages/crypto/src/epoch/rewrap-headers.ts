import type { Backend } from '../aead/backend.js'
import { concatBytes, type Random } from '../encoding/bytes.js'
import { requireKnownNames } from '../encoding/options.js'
import { CryptoError, type CryptoErrorCode } from '../errors.js'
import type { Identity, Recipient } from '../recipient/recipient.js'
import { contextNames, requireContext, type SealContext } from '../sealed-file/context.js'
import { ownOpening, unlockHeader } from '../sealed-file/file-key.js'
import { type ParsedHeader, parseHeader } from '../sealed-file/header.js'
import { changeRecipients } from '../sealed-file/rewrap.js'

/** Where headers of sealed files lie. Payloads are none of its business here. */
export interface HeaderStore {
  /** The names of all files, each once, in any order. */
  list(): AsyncIterable<string> | Iterable<string>
  /** A file's header (everything before the payload); more bytes may follow. */
  read(name: string): Promise<Uint8Array>
  /**
   * Puts a new header in the place of `previous`, wholly or not at all, also when the machine fails meanwhile. It must
   * refuse when another header than `previous` stands there.
   */
  replace(name: string, header: Uint8Array, previous: Uint8Array): Promise<void>
}

/** How headers are brought to a new epoch. */
export interface RewrapOptions {
  /** Opens the files: the old epoch's key. */
  readonly identities: readonly Identity[]
  /** The old key's id: its stanza goes. */
  readonly from: string
  /** The type of the old key's stanza, that of `to` by default: to move files from a pool's key to a committee, or back. */
  readonly fromType?: string | undefined
  /**
   * The new epoch's key. From `currentRecipient` or `recipientOfEpoch` it says of which policy it is, and is refused when that
   * is not the one of `expect`; a bare key does not show it, and is for the caller to judge.
   */
  readonly to: Recipient
  /** What every file must have been sealed for, the policy above all: files of other policies are left alone. */
  readonly expect: Pick<SealContext, 'chainId' | 'pool' | 'policyDigest'>
  readonly random: Random
  readonly backend?: Backend | undefined
}

/**
 * Brings one header to a new epoch: the new key's stanza comes, the old key's goes, all else stays.
 *
 * @param sealed - a sealed file, or its header
 * @param options - see {@link RewrapOptions}
 * @returns the new header, or undefined when it bears the new key's stanza and not the old one's. That such a header is
 *   authentic is checked only when the new key's identity is among `identities`
 * @throws CryptoError `OPTION_INVALID` when `to` is the old key or of another policy, or `expect` lacks a field; `CONTEXT_MISMATCH`,
 *   `RECIPIENT_INVALID` when the file has neither key's stanza; as `openBytes` up to the payload
 */
export async function rewrapHeader(
  sealed: Uint8Array,
  options: RewrapOptions,
): Promise<Uint8Array | undefined> {
  const { renewed } = await rewrapParsed(parseHeader(sealed), options)
  return renewed
}

/** The new header, or whether the one that needs none is known to be authentic. */
type Rewrapped =
  | { readonly renewed: Uint8Array }
  | { readonly renewed?: undefined; readonly authentic: boolean }

async function rewrapParsed(header: ParsedHeader, options: RewrapOptions): Promise<Rewrapped> {
  requireOneScope(options)
  const { from, to, fromType = to.type, expect, identities } = options
  requireContext(header.context, expect)
  const has = (type: string, keyId: string) =>
    header.recipients.some((stanza) => stanza.type === type && stanza['keyId'] === keyId)
  const [old, renewed] = [has(fromType, from), has(to.type, to.keyId)]
  if (!old && renewed) {
    // Whoever has the old key alone cannot tell such a header from a forged one.
    const authentic = identities.some(({ type, keyId }) => type === to.type && keyId === to.keyId)
    if (authentic) (await unlockHeader(header, options)).fill(0)
    return { authentic }
  }
  if (!old) {
    throw new CryptoError(
      'RECIPIENT_INVALID',
      'from',
      'the file is sealed to neither the old key nor the new one',
    )
  }
  const change = { remove: [{ keyId: from, type: fromType }], add: renewed ? [] : [to] }
  return { renewed: await changeRecipients(header, { ...options, ...change }) }
}

/** What became of the headers. */
export interface RewrapReport {
  /** Headers written in this run. */
  readonly rewrapped: number
  /**
   * Headers that bear the new key's stanza and not the old one's: of an earlier run, or sealed to it from the start. Their
   * context was compared.
   */
  readonly unchanged: number
  /**
   * Those of the unchanged that nobody here could authenticate, since the new key's identity was not among `identities`:
   * somebody may have altered them. Run again with that identity before the old epoch is retired, or they may stay closed.
   */
  readonly unverified: readonly string[]
  /**
   * Files that were left as they are, and why (`SOURCE_FAILED` also for an identity or recipient that failed with an error
   * of another kind); run again once the reason is gone.
   */
  readonly failed: readonly { readonly name: string; readonly code: CryptoErrorCode }[]
}

/**
 * Brings all headers of a store to a new epoch. A run may be killed at any time and started again: each header is
 * replaced wholly or not at all, and those at the new epoch are recognised and left alone. One file that cannot be
 * re-wrapped does not stop the others.
 *
 * @param options - `store`; how to re-wrap; `atOnce`: headers under way at once, 1 to 256, 8 by default; `onHeader`: told
 *   of every header that was replaced
 * @returns counts, what could not be authenticated, and what failed
 * @throws CryptoError `OPTION_INVALID`; errors of `store.list` and `onHeader` come out as they are
 */
export async function rewrapHeaders(
  options: RewrapOptions & {
    readonly store: HeaderStore
    readonly atOnce?: number | undefined
    readonly onHeader?: ((name: string) => void) | undefined
  },
): Promise<RewrapReport> {
  const { store, atOnce = 8, onHeader } = options
  if (!(['list', 'read', 'replace'] as const).every((name) => typeof store?.[name] === 'function')) {
    throw new CryptoError('OPTION_INVALID', 'store', 'expected a store with list, read and replace')
  }
  if (onHeader !== undefined && typeof onHeader !== 'function') {
    throw new CryptoError('OPTION_INVALID', 'onHeader', 'expected a function')
  }
  if (!Number.isInteger(atOnce) || atOnce < 1 || atOnce > 256) {
    throw new CryptoError('OPTION_INVALID', 'atOnce', 'expected a whole number from 1 to 256')
  }
  requireOneScope(options)
  // The run is long, and what counts is what was given at the call.
  const opening = ownOpening(options)
  const own: RewrapOptions = { ...options, ...opening, expect: opening.expect as RewrapOptions['expect'] }
  let rewrapped = 0
  let unchanged = 0
  const unverified: string[] = []
  const failed: { name: string; code: CryptoErrorCode }[] = []
  const one = async (name: string): Promise<void> => {
    try {
      const header = parseHeader(await reading(() => store.read(name)))
      const rewritten = await rewrapParsed(header, own)
      if (rewritten.renewed === undefined) {
        unchanged += 1
        if (!rewritten.authentic) unverified.push(name)
        return
      }
      const { renewed } = rewritten
      const previous = concatBytes(header.encoded, header.mac)
      await reading(() => store.replace(name, renewed, previous))
      rewrapped += 1
    } catch (error) {
      // An identity or recipient out of reach (a committee, a key service) fails with an error of its own.
      failed.push({ name, code: error instanceof CryptoError ? error.code : 'SOURCE_FAILED' })
      return
    }
    onHeader?.(name)
  }
  const underWay = new Set<Promise<void>>()
  const names = store.list() as Partial<AsyncIterable<string> & Iterable<string>> | null | undefined
  if (typeof (names?.[Symbol.asyncIterator] ?? names?.[Symbol.iterator]) !== 'function') {
    throw new CryptoError('SOURCE_FAILED', 'store.list', 'a store lists names, one after the other')
  }
  for await (const name of names as AsyncIterable<string>) {
    const work: Promise<void> = one(name).finally(() => underWay.delete(work))
    // Awaited below; until then a failure must not count as unhandled.
    work.catch(() => undefined)
    underWay.add(work)
    if (underWay.size >= atOnce) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  return { rewrapped, unchanged, unverified, failed }
}

// One literal: a bundle that re-wraps nothing would keep a list that is put together.
const optionNames = [
  'identities',
  'from',
  'fromType',
  'to',
  'expect',
  'random',
  'backend',
  'store',
  'atOnce',
  'onHeader',
]

function requireOneScope(options: RewrapOptions): void {
  const { from, to, expect, identities, fromType = to?.type } = options as Partial<RewrapOptions>
  requireKnownNames(options, optionNames)
  if (!Array.isArray(identities)) throw new CryptoError('OPTION_INVALID', 'identities', 'expected an array')
  if (typeof to?.keyId !== 'string' || typeof to.type !== 'string') {
    throw new CryptoError('OPTION_INVALID', 'to', 'expected a recipient')
  }
  if (from === to.keyId && fromType === to.type)
    throw new CryptoError('OPTION_INVALID', 'to', 'the new key is the old one')
  // Here, and not for each file anew, where it would stand among what failed.
  requireKnownNames(expect ?? {}, contextNames, contextNames, 'expect')
  for (const name of ['chainId', 'pool', 'policyDigest'] as const) {
    if (expect?.[name] === undefined) {
      throw new CryptoError('OPTION_INVALID', `expect.${name}`, 'say for which pool and policy all files are')
    }
    const own = to.scope?.[name]
    const wanted: unknown = expect[name]
    const lower = name === 'pool' && typeof wanted === 'string' ? wanted.toLowerCase() : wanted
    if (own === undefined || own === lower) continue
    throw new CryptoError('OPTION_INVALID', `to.scope.${name}`, 'the new key is of another policy or pool')
  }
}

async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CryptoError) throw error
    throw new CryptoError('SOURCE_FAILED', 'store', 'the header store failed; run again', { cause: error })
  }
}
