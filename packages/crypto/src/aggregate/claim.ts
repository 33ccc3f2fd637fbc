import type { JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, digestToHex } from '../digest/digest.js'
import { requireList, requireOptions } from '../encoding/options.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import { addressOf } from '../statement/signature.js'
import {
  type SignedStatement,
  type StatementContext,
  signStatement,
  verifyStatement,
} from '../statement/statement.js'
import { exactFields } from '../threshold/exact-fields.js'
import { isModest, isSameContext, namedSigner, parseMessage } from '../threshold/message.js'
import { parseThresholdKey, type ThresholdKey } from '../threshold/session.js'
import { combineInputs, type EncryptedTotals } from './combine.js'
import { type AggregateDefinition, requireCommittee } from './definition.js'

const claimType = 'sealpool/aggregate-claim'

/**
 * Where a member remembers, durably, which inputs it has claimed a question for.
 *
 * @param definition - digest of the question
 * @param inputsRoot - the inputs
 * @returns true when this is the first time the question is claimed, or the same inputs as then
 */
export type ClaimDecryption = (definition: Digest, inputsRoot: Digest) => Promise<boolean> | boolean

/**
 * How many members must have claimed the same inputs before anybody decrypts them: the smallest number of which any two sets
 * share at least `threshold` members, so that with at most `threshold - 1` dishonest ones an honest member is in both, and an
 * honest member claims once. Where `members >= 3 * threshold - 2` they come together although `threshold - 1` stay away.
 *
 * @param key - `threshold` and `members` are read
 * @returns q, the smallest with 2q - n >= t
 * @throws CryptoError `OPTION_INVALID` for what is no key
 */
export function claimQuorum(key: Pick<ThresholdKey, 'threshold' | 'members'>): number {
  const { members, threshold } = requireOptions(key, 'key')
  if (!isWhole(threshold, 1)) {
    throw new CryptoError('OPTION_INVALID', 'key.threshold', 'expected a positive whole number')
  }
  return Math.ceil((requireList(members, 'key.members').length + threshold) / 2)
}

/**
 * A member's public claim that a question is to be decrypted for these inputs and no others. It checks the inputs itself.
 *
 * @param options - `key`: the committee's; `definition` and `inputs`; `signingKey`: the member's, 32 bytes; `claim`: the
 *   member's memory, see {@link ClaimDecryption}
 * @returns the signed claim, to be published
 * @throws CryptoError `AGGREGATE_INVALID` (definition, or another committee's question), `COHORT_REFUSED`,
 *   `DECRYPTION_CLAIMED` when the member claimed other inputs before, `SESSION_INVALID` when the key is no member's,
 *   `KEY_INVALID`, `OPTION_INVALID` without `claim`
 */
export async function claimInputs(options: {
  readonly key: ThresholdKey
  readonly definition: AggregateDefinition
  readonly inputs: readonly unknown[]
  readonly signingKey: Uint8Array
  readonly claim: ClaimDecryption
}): Promise<SignedStatement> {
  requireOptions(options)
  const { definition, inputs, claim } = options
  if (typeof claim !== 'function') {
    throw new CryptoError('OPTION_INVALID', 'claim', 'give the member’s durable memory of what it claimed')
  }
  const key = parseThresholdKey(options.key)
  const address = addressOf(options.signingKey)
  // A copy: the member's memory may take its time, and the caller wipe its key meanwhile.
  const signingKey = new Uint8Array(options.signingKey)
  const member = key.members.findIndex((each) => each.address === address) + 1
  if (member === 0)
    throw new CryptoError('SESSION_INVALID', 'signingKey', 'the signer is no member of the key')
  const totals = combineInputs(definition, inputs)
  requireCommittee(totals.definition, key)
  try {
    if ((await claim(totals.id, totals.inputsRoot)) !== true) {
      const message =
        'the question was claimed for other inputs; the difference would tell one contributor’s answer'
      throw new CryptoError('DECRYPTION_CLAIMED', 'inputs', message)
    }
    return signStatement({
      statement: { type: claimType, version: 1, body: bodyOf(totals, member) },
      context: contextOf(totals),
      privateKey: signingKey,
    })
  } finally {
    signingKey.fill(0)
  }
}

/**
 * Refuses inputs that too few members have claimed.
 *
 * @param claims - of unknown origin; what is no claim of a member for these inputs does not count
 * @param options - the checked `totals` and `key`
 * @throws CryptoError `CLAIMS_MISSING`
 */
export function requireClaims(
  claims: readonly unknown[],
  options: { readonly totals: EncryptedTotals; readonly key: ThresholdKey },
): void {
  const { totals, key } = options
  const needed = claimQuorum(key)
  const places = new Map<string, number>(key.members.map(({ address }, place) => [address, place + 1]))
  const found = new Set<number>()
  for (const claim of Array.isArray(claims) ? (claims as readonly unknown[]) : []) {
    const member = places.get(namedSigner(claim))
    if (member === undefined || found.has(member) || !isModest(claim)) continue
    if (isClaim(claim, { totals, member })) found.add(member)
  }
  if (found.size < needed) {
    const message = `${found.size} members claim these inputs and ${needed} must; collect more claims`
    throw new CryptoError('CLAIMS_MISSING', 'claims', message)
  }
}

function isClaim(
  value: unknown,
  options: { readonly totals: EncryptedTotals; readonly member: number },
): boolean {
  const { totals, member } = options
  try {
    const signed = parseMessage(value)
    const { statement, context } = signed
    const { fields } = exactFields(
      statement.body,
      Object.keys(bodyOf(totals, member)),
      'AGGREGATE_INVALID',
      '$',
    )
    return (
      statement.type === claimType &&
      statement.version === 1 &&
      Object.entries(bodyOf(totals, member)).every(([name, wanted]) => fields[name] === wanted) &&
      isSameContext(context, contextOf(totals)) &&
      verifyStatement(signed)
    )
  } catch (error) {
    if (error instanceof CryptoError) return false
    throw error
  }
}

function bodyOf(totals: EncryptedTotals, member: number): JsonObject {
  return { member, definition: totals.id, inputsRoot: totals.inputsRoot }
}

function contextOf({ definition, id }: EncryptedTotals): StatementContext {
  const { chainId, registry, pool } = definition
  return { chainId, registry, pool, subject: digestToHex(id), nonce: '0', facts: [] }
}
