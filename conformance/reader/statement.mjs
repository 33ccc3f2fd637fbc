// Signed statements as docs/formats/threshold.md has them (EIP-712, secp256k1, no facts), from bare keccak and ECDSA.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { attempt, bytesOf, hasExactly, join, numberOf } from './threshold-group.mjs'

const utf8 = (text) => new TextEncoder().encode(text)
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const word = (bytes) => join(new Uint8Array(32 - bytes.length), bytes)
const number = (value) => bytesOf(`0x${BigInt(value).toString(16).padStart(64, '0')}`)

const text = (value) => {
  if (!value.isWellFormed()) throw new Error('a lone surrogate')
  return JSON.stringify(value)
}

/** RFC 8785 for JSON, to the depth that the format allows. */
export function canonical(value, depth = 0) {
  if (typeof value === 'string') return text(value)
  // JSON text may hold 1e400.
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('no finite number')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (depth === 128) throw new Error('nested too deeply')
  const inner = (each) => canonical(each, depth + 1)
  if (Array.isArray(value)) return `[${value.map(inner).join(',')}]`
  const members = Object.keys(value).sort()
  return `{${members.map((name) => `${text(name)}:${inner(value[name])}`).join(',')}}`
}

/** SHA-256 of the canonical JSON. */
export const digestOf = (value) => `sha256:${hexOf(sha256(utf8(canonical(value))))}`

const domainType = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
const statementType =
  'Statement(string kind,address pool,bytes32 subject,bytes32 facts,bytes32 digest,uint256 nonce)'
const keccakOf = (...parts) => keccak_256(join(...parts))

function addressOf(hash, signature) {
  const bytes = bytesOf(signature, 65)
  if (bytes[64] !== 27 && bytes[64] !== 28) throw new Error('another form of signature')
  const [r, s] = [numberOf(bytes.subarray(0, 32)), numberOf(bytes.subarray(32, 64))]
  const signed = new secp256k1.Signature(r, s, bytes[64] - 27)
  if (signed.hasHighS()) throw new Error('a second signature of the same')
  return `0x${hexOf(keccak_256(signed.recoverPublicKey(hash).toBytes(false).subarray(1)).subarray(12))}`
}

/**
 * Reads a signed statement.
 *
 * @param message of unknown origin
 * @param expected `type`; `subject`, a digest; `place` with chainId, registry and pool
 * @returns the signer and the body; undefined for anything else than a statement of this kind, place and subject
 */
export const readStatement = (message, { type, subject, place }) =>
  attempt(() => {
    const { statement, context, signer, signature } = message
    const { chainId, registry, pool } = place
    const wanted = { chainId, registry, pool, subject: `0x${subject.slice(7)}`, nonce: '0', facts: [] }
    const right =
      hasExactly(message, ['statement', 'context', 'signer', 'signature']) &&
      hasExactly(statement, ['type', 'version', 'body']) &&
      statement.type === type &&
      statement.version === 1 &&
      canonical(context) === canonical(wanted)
    if (!right) return undefined
    const domain = keccakOf(
      keccak_256(utf8(domainType)),
      keccak_256(utf8('Sealpool')),
      keccak_256(utf8('1')),
      number(chainId),
      word(bytesOf(registry, 20)),
    )
    const struct = keccakOf(
      keccak_256(utf8(statementType)),
      keccak_256(utf8(`${type}/1`)),
      word(bytesOf(pool, 20)),
      bytesOf(wanted.subject, 32),
      new Uint8Array(32),
      bytesOf(`0x${digestOf(statement).slice(7)}`),
      number(0),
    )
    const made = addressOf(keccakOf(Uint8Array.of(0x19, 0x01), domain, struct), signature)
    return made === signer ? { signer, body: statement.body } : undefined
  })
