import { ClientError } from '../errors.js'
import { readAs } from '../node-api/messages.js'
import { address, answerSchema, list, nullable, record, text } from '../node-api/shape.js'
import { limitedGet } from './limited-get.js'
import { jsonOf, type RequestOptions, requireServerUrl } from './server-answer.js'
import type { GrantStatusPort } from './verify-grant.js'

const maximumAnswerBytes = 1024 * 1024

const statusSchema = () =>
  answerSchema(
    record({
      data: record({
        grantorAddress: address,
        granteeId: text<`0x${string}`>(/^0x[0-9a-fA-F]{64}$/, '32 bytes'),
        scopes: list(text()),
        grantVersion: text(/^(?:0|[1-9]\d{0,77})$/, 'a whole number as text'),
        revokedAt: nullable(text()),
      }),
    }),
  )

/**
 * Reads a grant's status from a gateway of the protocol: `GET <url>/v1/grants/<grantId>`. Its answer is believed as it comes over https: the
 * signature that gateways put beside it has no public specification and is not verified.
 *
 * @param options where the gateway is, and patience
 * @returns the port; it throws ClientError `IMPORT_UNREACHABLE`, `IMPORT_REFUSED`, `IMPORT_INVALID`
 * @throws ClientError `OPTION_INVALID`
 */
export function gatewayGrantStatus(
  options: Omit<RequestOptions, 'signal'> & { readonly url: string },
): GrantStatusPort {
  const base = requireServerUrl(options.url, 'url')
  return async ({ grantId }, { signal }) => {
    const place = 'GET /v1/grants'
    const url = `${base}/v1/grants/${grantId}`
    const asked = { ...options, url, signal, place, headers: {}, maximumBytes: maximumAnswerBytes }
    const answer = await limitedGet(asked)
    if (answer.status === 404) return undefined
    if (answer.status !== 200)
      throw new ClientError('IMPORT_REFUSED', place, `the gateway answered ${answer.status}`)
    const read = readAs(statusSchema(), jsonOf(answer, place))
    if (!read.ok)
      throw new ClientError('IMPORT_INVALID', place, `the answer has another shape at ${read.place}`)
    const { revokedAt, grantVersion, ...rest } = read.answer.data
    return { ...rest, grantVersion: BigInt(grantVersion), revoked: revokedAt !== null }
  }
}
