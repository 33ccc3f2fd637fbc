/**
 * Seals an answer to everybody whom the manifest gives a view of it, to each nothing but that view.
 * @module
 */
import { commitResult, type RecipientView } from '@sealpool/attest'
import type { JobManifest, ResultView } from '@sealpool/compute'
import { type Address, digestOf, type JsonValue, type KeyScope, sha256Digest } from '@sealpool/crypto'
import { type SealedResult, sealDocument, sealResult } from './seal-result.js'
import { encodeSealedCopies, type SealedCopy } from './sealed-copies.js'

/** A sealed answer; with `views` its bytes hold a copy for each recipient, see `sealed-copies`. */
export interface SealedAnswer extends SealedResult {
  /** What the receipt says of recipients; absent: the consumer got the whole. */
  readonly views?: readonly RecipientView[]
}

/**
 * Seals an answer to its recipients.
 * @param options `scope`: first pool of the job, for the files' context; the receipt binds them to the job
 */
export async function sealAnswer(options: {
  readonly answer: JsonValue
  readonly manifest: Pick<JobManifest, 'consumer' | 'views'>
  readonly scope: KeyScope
  readonly random: (length: number) => Uint8Array
}): Promise<SealedAnswer> {
  const { answer, scope, random } = options
  const { consumer, views } = options.manifest
  if (views === undefined)
    return sealResult({ answer, scope, random, publicKey: consumer.resultKey.publicKey })
  const recipients = [{ ...consumer, view: views.consumer }, ...views.others]
  const commitment = commitResult({
    answer,
    views: recipients.map(({ view }) => view as ResultView),
    salt: random(32),
  })
  const copies: SealedCopy[] = []
  const shown: RecipientView[] = []
  for (const { address, resultKey, view } of recipients) {
    const recipient: Address = address
    if (view.kind === 'receipt' || resultKey === null) {
      shown.push({ recipient, view: { kind: 'receipt' }, sealed: null })
      continue
    }
    const document = commitment.document(view)
    const sealed = await sealDocument(document, {
      scope,
      random,
      publicKey: resultKey.publicKey,
    }).finally(() => document.fill(0))
    copies.push({ recipient, sealed })
    shown.push({ recipient, view, sealed: sha256Digest(sealed) })
  }
  return {
    sealed: encodeSealedCopies(copies),
    digest: commitment.digest,
    sealedDigest: digestOf(shown.map(({ sealed }) => sealed)),
    views: shown,
  }
}
