import {
  bytesToDigest,
  CryptoError,
  canonicalBytes,
  type Digest,
  digestOf,
  type JsonValue,
  parseCanonical,
} from '@sealpool/crypto'
import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import {
  type CommittedView,
  isSameView,
  type ResultView,
  type ResultViewDocument,
  resultViewDocumentSchema,
} from './result-view.js'
import { viewOf } from './view-of.js'

const whole: ResultView = { kind: 'whole' }

/** A result with all its views under one digest. */
export interface ResultCommitment {
  /** What stands on the chain and in the receipt. */
  readonly digest: Digest
  /** The bytes that the recipients of a view open; all of one view get the same. */
  document(view: ResultView): Uint8Array
}

/**
 * Commits to an answer and to every view that somebody gets of it. Only the whole shows more than itself: from its salt follow the others', so that
 * whoever has the whole can check every other recipient's view, and nobody else can try out what another view may hold.
 *
 * @param options - what is committed to
 * @param options.answer of the job, as JSON; see {@link viewOf}
 * @param options.views the recipients' views, in any number; `receipt` is no part of the result
 * @param options.salt 32 secret random bytes, for this result alone
 * @returns the commitment
 * @throws AttestError `BAD_ARGUMENT` for another salt, and where a view is not in the answer
 */
export function commitResult(options: {
  readonly answer: JsonValue
  readonly views: readonly ResultView[]
  readonly salt: Uint8Array
}): ResultCommitment {
  const { answer, salt } = options
  needBytes(salt, 'salt')
  if (salt.length !== 32) throw new AttestError('BAD_ARGUMENT', 'salt', 'expected 32 bytes')
  const secret = bytesToDigest(salt)
  const distinct = [whole]
  for (const view of options.views) {
    if (view.kind !== 'receipt' && !distinct.some((one) => isSameView(one, view))) distinct.push(view)
  }
  const parts = distinct.map((view) => {
    const value = viewOf(answer, view)
    if (value === undefined)
      throw new AttestError('BAD_ARGUMENT', 'views', 'The answer has no such columns, or is no table')
    return partOf(view, value, secret)
  })
  const views = parts.map(({ view, digest }) => ({ view, digest }))
  return {
    digest: digestOfViews(views),
    document(view) {
      const part = parts.find((one) => isSameView(one.view, view))
      if (part === undefined) throw new AttestError('BAD_ARGUMENT', 'view', 'Nobody gets this view')
      return canonicalBytes({
        format: 'sealpool/result-view',
        version: 1,
        view: part.view,
        salt: part.salt,
        value: part.value,
        views,
      })
    },
  }
}

/** A view of a result as its recipient reads it. */
export interface ReadView {
  readonly view: ResultView
  readonly value: JsonValue
}

/**
 * Reads an opened view and holds it against the digest of the result that it must be of. Of a whole result every other view is made again.
 *
 * @param bytes - what a recipient opened
 * @param expected - digest of the result, from the chain or a receipt that was verified
 * @returns the view
 * @throws AttestError `BAD_RECEIPT` when it is no view, or not one of that result; `BAD_ARGUMENT` for what is no bytes
 */
export function readResultView(bytes: Uint8Array, expected: Digest): ReadView {
  needBytes(bytes, 'result')
  const { view, value, salt, views } = parseDocument(bytes)
  const own = (of: ResultView) => views.filter((one) => isSameView(one.view, of))
  const isOf =
    digestOfViews(views) === expected &&
    // Else two recipients of one view could have been told two things.
    views.every((one) => own(one.view).length === 1) &&
    own(view)[0]?.digest === digestOf({ view, salt, value }) &&
    (view.kind !== 'whole' || views.every((one) => isPartOf(one, value, salt)))
  if (!isOf) throw notOfResult('It is not of the result that is expected')
  return { view, value }
}

/** Whether a committed view is what the whole result shows of it. */
function isPartOf({ view, digest }: CommittedView, whole: JsonValue, secret: Digest): boolean {
  const part = viewOf(whole, view)
  return part !== undefined && partOf(view, part, secret).digest === digest
}

function notOfResult(message: string, cause?: unknown): AttestError {
  return new AttestError('BAD_RECEIPT', 'result', message, { cause })
}

function parseDocument(bytes: Uint8Array): ResultViewDocument {
  try {
    return resultViewDocumentSchema.parse(parseCanonical(bytes))
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw notOfResult('It is not canonical JSON', cause)
  }
}

function digestOfViews(views: readonly CommittedView[]): Digest {
  return digestOf({
    format: 'sealpool/result-views',
    version: 1,
    views: views.map(({ view, digest }) => ({ view, digest })),
  })
}

/** A view with the salt that is its own. */
function partOf(view: ResultView, value: JsonValue, secret: Digest) {
  const salt = view.kind === 'whole' ? secret : digestOf({ format: 'sealpool/view-salt', secret, view })
  return { view, value, salt, digest: digestOf({ view, salt, value }) }
}
