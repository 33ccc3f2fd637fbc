import type { JsonValue } from '@sealpool/crypto'
import { accountPseudonym } from '../../ownership/account-pseudonym.js'
import {
  type AuthenticityCheck,
  beyondReach,
  failed,
  finding,
  notChecked,
  passed,
  validityCheck,
  verdictOf,
} from '../finding.js'
import { canonicalText, parseJson } from '../json-object.js'
import { type SignedFinding, withSignedContent } from '../signed-content.js'
import { isCovered, valueAt } from './json-pointer.js'
import type { ReadBackAnswer } from './oauth-read-back.js'
import { type EqualValues, type OAuthSource, readableUrl } from './oauth-source.js'

/** What a provider's answer says about an export. */
export interface ReadBackFinding extends SignedFinding {
  /** The account's pseudonym under the key that was given; null without one, and when the export is not authentic. */
  readonly account: string | null
}

/**
 * Holds an export against what its provider answered: the same address that the code declares, the same account, the same values, fresh, and
 * nothing in the export that the answer does not confirm. It talks to nobody.
 *
 * What it cannot say: what else the token may do, and that anybody else would be answered the same later: a verdict by such a source cannot be
 * repeated by others.
 *
 * @param options `declared`: as the approved code has it; `answer`: of `oauthReadBack`, undefined where nobody asked; `export`: hostile bytes;
 *   `at`: Unix seconds, without which nothing is fresh; `accountKey`: the pool's key for pseudonyms, at least 32 bytes
 * @returns the finding, without a value of answer or export
 * @throws PocError `KEY_INVALID` for a key that is too short
 */
export function verifyReadBack(options: {
  readonly declared: OAuthSource
  readonly answer: ReadBackAnswer | undefined
  readonly export: Uint8Array
  readonly at?: number | undefined
  readonly accountKey?: Uint8Array | undefined
}): ReadBackFinding {
  const { declared, answer, at, accountKey } = options
  const stop = (...checks: readonly AuthenticityCheck[]): ReadBackFinding => ({
    ...finding('oauth-read-back', checks, null),
    signedContent: undefined,
    account: null,
  })
  if (answer === undefined) return stop(notChecked('answer', 'NOT_READ_BACK'))
  if ('failure' in answer) return stop(failed('answer', answer.failure))
  const exported = parseJson(options.export)
  if (exported === undefined || canonicalText(exported) === undefined)
    return stop(passed('answer'), failed('syntax', 'NOT_JSON'))
  const { provider, account, fields, maximumAgeSeconds } = declared
  const rules = [account, ...fields]
  const pointers = rules.map((rule) => rule.export)
  const compared = rules.map((rule) => compare(rule, answer.body, exported))
  const named = valueAt(exported, account.export)
  const isAccount = (typeof named === 'string' && named.trim() !== '') || Number.isSafeInteger(named)
  const checks = [
    passed('answer'),
    verdictOf('host', answer.url === readableUrl(declared.url)?.href, 'WRONG_HOST'),
    passed('syntax'),
    isAccount ? checkOf('account', compared.slice(0, 1), 'FOREIGN_ACCOUNT') : failed('account', 'NO_ACCOUNT'),
    checkOf('fields', compared.slice(1), 'FIELD_DIFFERS'),
    verdictOf('members', isCovered(exported, pointers), 'UNCONFIRMED_MEMBERS'),
    validityCheck(at, answer.readAt, answer.readAt + maximumAgeSeconds),
    beyondReach('token-scope', 'THE_PROVIDER_ALONE_KNOWS'),
    beyondReach('repetition', 'NOT_REPEATABLE'),
  ]
  const found = withSignedContent(finding('oauth-read-back', checks, provider), () => [
    provider,
    ...pointers.map((pointer) => valueAt(exported, pointer) ?? null),
  ])
  const isNamed = found.authentic && accountKey !== undefined
  return {
    ...found,
    account: isNamed ? accountPseudonym({ key: accountKey, provider, account: String(named) }) : null,
  }
}

type Comparison = 'same' | 'different' | 'missing' | 'rounded'

function compare(rule: EqualValues, answer: JsonValue, exported: JsonValue): Comparison {
  const values = [valueAt(answer, rule.answer), valueAt(exported, rule.export)] as const
  const [theirs, ours] = values
  if (theirs === undefined || ours === undefined) return 'missing'
  // Two numbers that JSON's readers round to one would be taken for the same.
  if (isRounded(theirs) || isRounded(ours)) return 'rounded'
  return canonicalText(theirs) === canonicalText(ours) ? 'same' : 'different'
}

function isRounded(value: JsonValue): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(isRounded)
}

function checkOf(name: string, compared: readonly Comparison[], different: string): AuthenticityCheck {
  if (compared.includes('missing')) return failed(name, 'FIELD_MISSING')
  if (compared.includes('rounded')) return failed(name, 'NUMBER_TOO_LARGE')
  return verdictOf(name, !compared.includes('different'), different)
}
