import type { JsonValue } from '@sealpool/crypto'
import { canonicalBytes } from '@sealpool/crypto'
import { encodeBase64 } from '../log/base64.js'
import type { ReceiptVerdict } from '../receipt/verify.js'

/** An in-toto statement (in-toto attestation framework, Statement v1). */
export interface InTotoStatement {
  readonly _type: 'https://in-toto.io/Statement/v1'
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[]
  readonly predicateType: string
  readonly predicate: Readonly<Record<string, unknown>>
}

/** Type of the predicate that {@link inTotoStatement} writes. */
export const receiptPredicateType = 'https://github.com/sealpool/sealpool/receipt/v1'

const bare = (digest: string) => ({ sha256: digest.slice('sha256:'.length) })

/**
 * Puts a verified receipt into an in-toto statement: its subjects are what the job made (result and sealed result), its
 * predicate what went in and who vouches.
 *
 * @param verdict from `verifyReceipt`
 * @returns undefined when the verdict is not ok or the job was refused: there is nothing to vouch for
 */
export function inTotoStatement(verdict: ReceiptVerdict): InTotoStatement | undefined {
  const { ok, body, simulated, checks } = verdict
  if (!ok || body?.result === null || body?.result === undefined) return undefined
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: 'result', digest: bare(body.result.digest) },
      { name: 'result.sealed', digest: bare(body.result.sealed) },
    ],
    predicateType: receiptPredicateType,
    predicate: {
      simulated,
      job: body.job,
      pools: body.pools.map(({ pool, name, policy, inputs, verdicts }) => ({
        pool,
        name,
        policy,
        inputs,
        verdicts,
      })),
      code: body.code,
      plan: body.plan,
      node: { keySet: body.keySet, quote: body.quote },
      issuedAt: body.issuedAt,
      checks: checks.map(({ id, result }) => ({ id, result })),
    },
  }
}

/**
 * Puts a statement into a DSSE envelope (secure-systems-lab dsse, PAE v1).
 *
 * @param statement from {@link inTotoStatement}
 * @param signer key id and what signs the pre-authentication encoding
 * @returns the envelope with one signature
 */
export async function dsseEnvelope(
  statement: InTotoStatement,
  signer: {
    readonly keyId: string
    readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>
  },
): Promise<{ payload: string; payloadType: string; signatures: { keyid: string; sig: string }[] }> {
  const payloadType = 'application/vnd.in-toto+json'
  const payload = canonicalBytes(statement as unknown as JsonValue)
  const head = new TextEncoder().encode(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `)
  const message = new Uint8Array(head.length + payload.length)
  message.set(head)
  message.set(payload, head.length)
  const signature = await signer.sign(message)
  return {
    payload: encodeBase64(payload),
    payloadType,
    signatures: [{ keyid: signer.keyId, sig: encodeBase64(signature) }],
  }
}
