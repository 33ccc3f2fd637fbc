/**
 * Calls of a node's API from end to end: method, path, token, body and answer are sealed to the node's attested key (HPKE, RFC
 * 9180), so that a proxy, or whoever ends TLS in front of the node, sees lengths and times and nothing else.
 *
 * A sealed call is `version (1) | encapsulated key (32) | AES-256-GCM of a frame`; a frame is a length of 4 bytes, canonical JSON
 * and zeros. The answer is sealed to a key that both sides export from the call's secret, by the node's own key (auth mode): it
 * fits this call and no other, and nobody else can have written it.
 *
 * @module
 */
import {
  CryptoError,
  canonicalBytes,
  concatBytes,
  type Digest,
  decodeBase64Url,
  deriveKeyPair,
  digestToBytes,
  encodeHex,
  type HpkeContext,
  hpkeOpen,
  hpkeReceiver,
  hpkeSeal,
  hpkeSender,
  type JsonObject,
  type JsonValue,
  type KeyPair,
  type KeySet,
  keySetDigest,
  parseCanonical,
  type Random,
} from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { json, nullable, type Reader, record, ShapeProblem, text, whole } from '../node-api/shape.js'

/** Media type of a sealed call. */
export const sealedCallType = 'application/vnd.sealpool.sealed-call'
/** Media type of a sealed answer. */
export const sealedAnswerType = 'application/vnd.sealpool.sealed-answer'
/** Where sealed calls are sent. */
export const sealedCallPath = '/v1/sealed'

/** What is called. */
export interface SealedCall {
  readonly method: 'GET' | 'POST'
  /** Path and query, from `/v1/` on. */
  readonly path: string
  /** 32 hex digits, drawn for this call: the node takes it once. */
  readonly nonce: string
  /** Unix seconds by the caller's clock. */
  readonly at: number
  /** A session or capability token; null: nobody in particular. */
  readonly token: string | null
  /** JSON; null with GET. */
  readonly body: JsonValue
}

/** What is answered. */
export interface SealedAnswer {
  readonly status: number
  readonly contentType: string
  /** How `body` is to be read: as text, or as base64url of bytes. */
  readonly encoding: 'text' | 'base64url'
  readonly body: string
}

const version = 1
const encodedKeyBytes = 32
const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value)
const callPurpose = 'sealpool/sealed-call/1'
const answerPurpose = 'sealpool/sealed-answer/1'
const callPlace = /* @__PURE__ */ utf8(`POST ${sealedCallPath}`)

const readCall: Reader<SealedCall> = /* @__PURE__ */ (() =>
  record<SealedCall>({
    method: (value, place) => {
      if (value !== 'GET' && value !== 'POST') throw new ShapeProblem(place, 'GET or POST')
      return value
    },
    path: text(/^\/v1\/[\x21-\x7e]{1,2000}$/, 'a path from /v1/ on'),
    nonce: text(/^[0-9a-f]{32}$/, '32 hex digits'),
    at: whole(0),
    token: nullable(text()),
    body: json,
  }))()

const readAnswer: Reader<SealedAnswer> = /* @__PURE__ */ (() =>
  record<SealedAnswer>({
    status: whole(100),
    contentType: text(),
    encoding: (value, place) => {
      if (value !== 'text' && value !== 'base64url') throw new ShapeProblem(place, 'text or base64url')
      return value
    },
    body: text(),
  }))()

function info(purpose: string, keySet: Digest): Uint8Array {
  return concatBytes(utf8(`${purpose}\n`), digestToBytes(keySet))
}

/**
 * Lengths are rounded up to a multiple of 256 bytes, and large ones further, so that few lengths there are: PADMÉ (Nikitin et al.
 * 2019), at most 12 % more.
 */
function paddedLength(length: number): number {
  const exponent = Math.floor(Math.log2(Math.max(length, 256)))
  const step = Math.max(256, 2 ** (exponent - Math.floor(Math.log2(exponent)) - 1))
  return Math.ceil(length / step) * step
}

function frame(value: JsonObject): Uint8Array {
  const body = canonicalBytes(value)
  const bytes = new Uint8Array(paddedLength(4 + body.length))
  new DataView(bytes.buffer).setUint32(0, body.length)
  bytes.set(body, 4)
  return bytes
}

function unframe<T>(bytes: Uint8Array, reader: Reader<T>): T {
  if (bytes.length < 4) throw refused()
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  if (length > bytes.length - 4) throw refused()
  try {
    return reader(parseCanonical(bytes.slice(4, 4 + length)), '')
  } catch (cause) {
    if (cause instanceof ShapeProblem || cause instanceof CryptoError) throw refused()
    throw cause
  }
}

function refused(): ClientError {
  return new ClientError(
    'SEALED_CALL_REFUSED',
    'sealed call',
    'it was not sealed for this key set, or was changed on its way; verify the node again',
  )
}

/** The key pair of the answer, which only the two ends can compute. */
function answerKeys(context: HpkeContext): KeyPair {
  return deriveKeyPair(context.exportSecret(utf8(answerPurpose), 32))
}

/**
 * Seals a call: the client does this.
 *
 * @param options - see its fields
 * @param options.keySet the node's keys, out of evidence that was verified
 * @param options.call what is called, without `nonce`, which is drawn here
 * @param options.random a CSPRNG
 * @returns the bytes to send, and what opens the answer to them (ClientError `SEALED_CALL_REFUSED` when the answer is to another
 *   call, from somebody else, or changed)
 * @throws CryptoError `KEY_SET_INVALID`, `RANDOM_INVALID`
 */
export async function sealCall(options: {
  readonly keySet: KeySet
  readonly call: Omit<SealedCall, 'nonce'>
  readonly random: Random
}): Promise<{
  readonly sealed: Uint8Array
  readonly openAnswer: (sealed: Uint8Array) => Promise<SealedAnswer>
}> {
  const { keySet, call, random } = options
  const digest = keySetDigest(keySet)
  const publicKey = decodeBase64Url(keySet.hpke.publicKey)
  const nonce = encodeHex(random(16)).slice(2)
  const { enc, context } = await hpkeSender({ publicKey, info: info(callPurpose, digest), random })
  const message = await context.seal(frame({ ...call, nonce }), callPlace)
  const { privateKey } = answerKeys(context)
  return {
    sealed: concatBytes(new Uint8Array([version]), enc, message),
    async openAnswer(sealed) {
      try {
        const plaintext = await hpkeOpen({
          privateKey,
          senderPublicKey: publicKey,
          info: info(answerPurpose, digest),
          aad: utf8(nonce),
          message: sealed,
        })
        return unframe(plaintext, readAnswer)
      } catch (cause) {
        if (cause instanceof CryptoError) throw refused()
        throw cause
      }
    },
  }
}

/**
 * Opens a call: the node does this.
 *
 * @param options - see its fields
 * @param options.keySet digest of the node's key set
 * @param options.privateKey the key set's HPKE key, 32 secret bytes
 * @param options.sealed bytes of unknown origin
 * @param options.random a CSPRNG
 * @returns the call, and what seals the answer to it
 * @throws ClientError `SEALED_CALL_REFUSED` whatever the bytes are
 */
export async function openCall(options: {
  readonly keySet: Digest
  readonly privateKey: Uint8Array
  readonly sealed: Uint8Array
  readonly random: Random
}): Promise<{
  readonly call: SealedCall
  readonly sealAnswer: (answer: SealedAnswer) => Promise<Uint8Array>
}> {
  const { keySet, privateKey, sealed, random } = options
  if (sealed[0] !== version || sealed.length <= 1 + encodedKeyBytes) throw refused()
  try {
    const context = await hpkeReceiver({
      privateKey,
      enc: sealed.slice(1, 1 + encodedKeyBytes),
      info: info(callPurpose, keySet),
    })
    const call = unframe(await context.open(sealed.slice(1 + encodedKeyBytes), callPlace), readCall)
    const { publicKey } = answerKeys(context)
    return {
      call,
      sealAnswer: (answer) =>
        hpkeSeal({
          publicKey,
          senderPrivateKey: privateKey,
          info: info(answerPurpose, keySet),
          aad: utf8(call.nonce),
          plaintext: frame({ ...answer }),
          random,
        }),
    }
  } catch (cause) {
    if (cause instanceof CryptoError) throw refused()
    throw cause
  }
}
