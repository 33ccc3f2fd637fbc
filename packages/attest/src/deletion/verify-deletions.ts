import {
  type Address,
  CryptoError,
  type Digest,
  type JsonValue,
  parseSignedStatement,
  type SignedStatement,
  statementDigest,
} from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import type { ReceiptDeployment } from '../receipt/consistency.js'
import { isSignedBy } from '../receipt/signed-by.js'
import { statementFormProblem } from '../receipt/statement-form.js'
import { type Check, checkList, unless } from '../verdict/check-list.js'
import { type DeletionList, deletionListSchema, deletionsType, deletionsVersion } from './deletion-list.js'

/** What lists are held against. */
export interface VerifyDeletionsOptions {
  /** Signed lists as JSON, in their order. */
  readonly lists: readonly unknown[]
  /** Statement key of the node, from its verified evidence. */
  readonly node: Address
  /** The chain and the NodeRegistry that the verifier means. */
  readonly deployment: ReceiptDeployment
  /** Where an earlier verdict ended; absent: the lists begin with the node's first. */
  readonly after?: { readonly number: number; readonly digest: Digest } | undefined
}

/** Answer of {@link verifyDeletions}. */
export interface DeletionsVerdict {
  /** True when every question passed. */
  readonly ok: boolean
  readonly checks: readonly Check[]
  /** What the node says it has deleted; empty unless `ok`. */
  readonly lists: readonly DeletionList[]
  /** Where the next verification begins; null when there is no list yet, or not `ok`. */
  readonly end: { readonly number: number; readonly digest: Digest } | null
}

/** The questions of {@link verifyDeletions}. */
export const deletionCheckTitles: Readonly<Record<string, string>> = {
  'deletions-form': 'Is each a list of deletions in its one form?',
  'deletions-signature': 'Did the node sign each of them?',
  'deletions-context': 'Was each signed for this chain and registry, under its own number?',
  'deletions-order': 'Does each list name the one before it, so that none was left out or exchanged?',
}

/** Most lists that are verified at once. */
const maximumLists = 1_000
const zeroAddress = `0x${'0'.repeat(40)}`

/**
 * Verifies what a node says it has deleted. A list proves who said so and that no list was left out between two others; it cannot
 * show that bytes are gone. That a list stands in the node's log, its digest (`end.digest`) in an entry of kind `deletion` shows.
 *
 * @param options lists, and whom they are to be of
 * @returns the verdict; lists that do not hold are never a reason to throw
 * @throws AttestError `BAD_ARGUMENT` for more than 1,000 lists at once, or a place to go on from that there cannot be
 *
 * @example
 * ```ts no-run
 * const { lists } = await (await fetch(`${node}/v1/deletions`)).json()
 * const verdict = verifyDeletions({ lists, node: evidence.keySet.statement.address, deployment })
 * if (!verdict.ok) console.log(verdict.checks)
 * ```
 */
export function verifyDeletions(options: VerifyDeletionsOptions): DeletionsVerdict {
  const { lists, node, deployment, after } = options
  if (!Array.isArray(lists) || lists.length > maximumLists)
    throw new AttestError('BAD_ARGUMENT', 'lists', `Give at most ${maximumLists} lists at once`)
  if (after !== undefined && (!Number.isSafeInteger(after.number) || after.number < 1))
    throw new AttestError('BAD_ARGUMENT', 'after', 'Give the number of a list, 1 or larger')
  const checks = checkList(deletionCheckTitles)
  const opened: { readonly signed: SignedStatement; readonly body: DeletionList; readonly digest: Digest }[] =
    []
  checks.run('deletions-form', [], () => {
    for (const [index, list] of lists.entries()) {
      const read = open(list, index)
      if (typeof read === 'string') return unless(read, '')
      opened.push(read)
    }
    return unless(undefined, `${opened.length} lists.`)
  })
  checks.run('deletions-signature', ['deletions-form'], () => {
    const other = opened.find(({ signed }) => !isSignedBy(signed, node.toLowerCase() as Address))
    return unless(
      other === undefined ? undefined : `list ${other.body.number} is not signed by ${node}`,
      'Signed.',
    )
  })
  checks.run('deletions-context', ['deletions-form'], () => {
    const other = opened.find(
      ({ signed: { context }, body }) =>
        context.chainId !== deployment.chainId ||
        context.registry.toLowerCase() !== deployment.registry.toLowerCase() ||
        context.pool !== zeroAddress ||
        context.nonce !== '0' ||
        context.facts.length > 0 ||
        BigInt(context.subject) !== BigInt(body.number),
    )
    return unless(
      other === undefined ? undefined : `list ${other.body.number} was signed for something else`,
      `Chain ${deployment.chainId}, registry ${deployment.registry}.`,
    )
  })
  checks.run('deletions-order', ['deletions-form'], () => {
    let before: { readonly number: number; readonly digest: Digest | null; readonly at: string } = {
      number: after?.number ?? 0,
      digest: after?.digest ?? null,
      at: '',
    }
    for (const { body, digest } of opened) {
      if (body.number !== before.number + 1 || body.previous !== before.digest)
        return unless(`list ${body.number} does not follow list ${before.number}`, '')
      if (before.at !== '' && Date.parse(body.at) < Date.parse(before.at))
        return unless(`list ${body.number} is of an earlier time than the one before`, '')
      before = { number: body.number, digest, at: body.at }
    }
    return unless(undefined, 'Each follows the one before.')
  })
  const ok = checks.ok()
  const last = opened.at(-1)
  return {
    ok,
    checks: checks.list(),
    lists: ok ? opened.map(({ body }) => body) : [],
    end: !ok
      ? null
      : last === undefined
        ? (after ?? null)
        : { number: last.body.number, digest: last.digest },
  }
}

function open(list: unknown, index: number) {
  try {
    // First what bounds its depth.
    const signed = parseSignedStatement(list as JsonValue)
    const problem = statementFormProblem(list as SignedStatement)
    if (problem !== undefined) return `entry ${index}: ${problem}`
    const { type, version, body } = signed.statement
    if (type !== deletionsType || version !== deletionsVersion)
      return `entry ${index} is a statement of another kind`
    const read = deletionListSchema.safeParse(body)
    if (!read.success) return `entry ${index}: ${read.error.message}`
    return { signed, body: read.data, digest: statementDigest(signed.statement) }
  } catch (error) {
    // Text of `JSON.stringify` for a value that is no JSON included.
    if (error instanceof CryptoError || error instanceof TypeError || error instanceof SyntaxError)
      return `entry ${index} is no signed statement`
    throw error
  }
}
