import {
  type Address,
  CryptoError,
  canonicalBytes,
  type Hex,
  type JsonObject,
  type Random,
} from '@sealpool/crypto'
import type { Account } from 'viem'
import { ClientError, type ClientErrorCode } from '../errors.js'
import { readAs } from '../node-api/messages.js'
import { answerSchema, jsonObject, type Reader, record, text } from '../node-api/shape.js'
import { readAuthorization } from './read-request.js'
import {
  jsonOf,
  type LimitedAnswer,
  type LimitedGet,
  type RequestOptions,
  requireServerUrl,
} from './server-answer.js'
import { type GrantDemand, requireGrant } from './verify-grant.js'

/** Which part of a server's answer is wanted. */
export type TakenPart = 'data' | 'envelope'

/** How an export is read from a personal server. */
export interface ReadExportOptions extends Omit<GrantDemand, 'now'>, RequestOptions {
  /** Base address of the personal server; https, or http on this machine. */
  readonly serverUrl: string
  /** The grantee's account: its wallet is the one that the registry has for `granteeId`. */
  readonly reader: Account
  /**
   * `data`: what the source gave, as canonical JSON (RFC 8785). `envelope`: the answer's bytes as they came, scope and dates around the data
   * included. Default `data`.
   */
  readonly take?: TakenPart
  /** Largest answer in bytes; default 64 MiB. */
  readonly maximumBytes?: number
  /** Default: the platform's clock. */
  readonly now?: () => Date
  /** Default: the platform's CSPRNG. */
  readonly random?: Random
}

/** Where an export came from, in the importing app's words: nobody else signed it. There is nothing of the data in it. */
export interface ImportProvenance {
  readonly format: 'sealpool/import'
  readonly version: 1
  /** Address that was asked. That its server is the grantor's, TLS and the grantor's choice of it say alone. */
  readonly server: string
  readonly scope: string
  /** When the server says that the source was read; ISO. */
  readonly collectedAt: string
  /** The server's name of the data's schema; null where it gave none. */
  readonly schema: string | null
  /** When it was read from the server; ISO. */
  readonly readAt: string
  readonly take: TakenPart
  /** The grant that allowed it. */
  readonly grant: {
    readonly chainId: number
    readonly permissions: Address
    readonly grantId: Hex
    readonly grantor: Address
    readonly granteeId: Hex
    /** Decimal. */
    readonly version: string
    /** Unix seconds, decimal; 0: it does not end by itself. */
    readonly expiresAt: string
    /** `active`: the registry or gateway said that it counts; `server`: nobody was asked but the server that gave the data. */
    readonly status: 'active' | 'server'
  }
}

/** An export as it goes into a contribution. */
export interface ImportedExport {
  readonly bytes: Uint8Array
  readonly mediaType: 'application/json'
  readonly provenance: ImportProvenance
}

const defaultMaximumBytes = 64 * 1024 * 1024
const place = 'GET /v1/data'

interface Envelope {
  readonly version: string
  readonly scope: string
  readonly collectedAt: string
  readonly schemaId: string | null
  readonly data: JsonObject
}

const schemaName = text(/^[!-~]{1,256}$/, 'a name of at most 256 letters')
const optionalName: Reader<string | null> = (value, at) =>
  value === undefined ? null : schemaName(value, at)
const envelopeSchema = () =>
  answerSchema(
    record<Envelope>({
      version: text(/^1\.0$/, '1.0'),
      scope: text(),
      collectedAt: text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/, 'a moment in UTC'),
      schemaId: optionalName,
      data: jsonObject,
    }),
  )

/** What reading takes of the platform. */
export interface ImportEdge {
  readonly get: LimitedGet
  readonly now: () => Date
  readonly random: Random
}

/**
 * Verifies a grant and reads the export that it allows. Nothing is asked of the server when the grant does not hold.
 *
 * @param options - as {@link ReadExportOptions}, with what it takes of the platform
 * @returns the export and where it came from
 * @throws ClientError as `readExport`
 */
export async function readExportWith(options: ReadExportOptions & ImportEdge): Promise<ImportedExport> {
  const {
    grant,
    registry,
    scope,
    reader,
    take = 'data',
    maximumBytes = defaultMaximumBytes,
    now,
    signal,
  } = options
  const server = requireServerUrl(options.serverUrl, 'serverUrl')
  const status = await requireGrant(options)
  const path = `/v1/data/${scope}`
  const { grantId } = grant
  const readAt = now()
  const authorization = await readAuthorization({
    ...options,
    reader,
    audience: server,
    path,
    grantId,
    now: readAt,
  })
  const answer = await options.get({
    ...options,
    url: `${server}${path}`,
    headers: { authorization },
    place,
    maximumBytes,
    signal,
  })
  if (answer.status !== 200) throw refusal(answer)
  const envelope = readEnvelope(answer, scope)
  return {
    bytes: take === 'envelope' ? answer.bytes : dataBytes(envelope.data),
    mediaType: 'application/json',
    provenance: {
      format: 'sealpool/import',
      version: 1,
      server,
      scope,
      collectedAt: envelope.collectedAt,
      schema: envelope.schemaId,
      readAt: readAt.toISOString(),
      take,
      grant: {
        chainId: registry.chainId,
        permissions: registry.permissions,
        grantId,
        grantor: grant.grantorAddress,
        granteeId: grant.granteeId,
        version: grant.grantVersion.toString(),
        expiresAt: grant.expiresAt.toString(),
        status,
      },
    },
  }
}

function readEnvelope(answer: LimitedAnswer, scope: string): Envelope {
  const json = jsonOf(answer, place)
  // A server may answer with the row of what was deleted.
  if (typeof json === 'object' && json !== null && 'deletedAt' in json && json.deletedAt !== null)
    throw deleted()
  const read = readAs(envelopeSchema(), json)
  if (!read.ok)
    throw new ClientError('IMPORT_INVALID', place, `the answer has another shape at ${known(read.place)}`)
  if (read.answer.scope !== scope)
    throw new ClientError('IMPORT_INVALID', place, 'the answer is about another scope than was asked for')
  if (Number.isNaN(Date.parse(read.answer.collectedAt)))
    throw new ClientError('IMPORT_INVALID', place, 'the answer has another shape at collectedAt')
  return read.answer
}

/** Names of the envelope's own fields alone. */
function known(at: string): string {
  return ['version', 'scope', 'collectedAt', 'schemaId', 'data'].includes(at) ? at : 'its top'
}

function dataBytes(data: JsonObject): Uint8Array {
  const remedy = 'take the envelope, whose bytes stay as they are'
  let bytes: Uint8Array
  try {
    bytes = canonicalBytes(data)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    // Not as the cause: it may name members of the person's data.
    throw new ClientError(
      'IMPORT_INVALID',
      place,
      `the data has no canonical form (${error.code}); ${remedy}`,
    )
  }
  // The depth is bounded by now. A number that JSON's readers round would be contributed as another one.
  if (hasRoundedNumber(data))
    throw new ClientError('IMPORT_INVALID', place, `the data has a whole number beyond 2^53; ${remedy}`)
  return bytes
}

function hasRoundedNumber(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasRoundedNumber)
}

/** What the protocol's servers say, and what it is here. */
const serverCodes: Readonly<Record<string, readonly [ClientErrorCode, string]>> = {
  GRANT_REVOKED: ['GRANT_REVOKED', 'the server says that the grant was taken back'],
  GRANT_EXPIRED: ['GRANT_EXPIRED', 'the server says that the grant is over'],
  SCOPE_MISMATCH: ['GRANT_SCOPE', 'the server says that the scope is not granted'],
  GRANT_OWNER_MISMATCH: ['GRANT_OF_ANOTHER', 'the server is not of the wallet that gave the grant'],
  FEE_REQUIRED: ['IMPORT_REFUSED', 'the server asks for a fee; pay it with the protocol’s own tools'],
  UNREGISTERED_BUILDER: ['IMPORT_REFUSED', 'the reader’s wallet is not registered as a grantee'],
}

function refusal(answer: LimitedAnswer): ClientError {
  const { status } = answer
  if (status === 410) return deleted()
  const [code, message] = serverCodes[serverCodeOf(answer) ?? ''] ?? [undefined, undefined]
  if (code !== undefined) return new ClientError(code, place, `${message} (HTTP ${status})`)
  if (status === 402)
    return new ClientError('IMPORT_REFUSED', place, 'the server asks for a payment, which is not made here')
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return new ClientError('IMPORT_UNREACHABLE', place, `the server answered ${status}; try again later`)
  return new ClientError('IMPORT_REFUSED', place, `the server answered ${status}`)
}

function deleted(): ClientError {
  return new ClientError('IMPORT_REFUSED', place, 'the person has deleted this data from the server')
}

const refusalSchema = () => answerSchema(record({ error: record({ errorCode: text() }) }))

/** A refusal's own code; a refusal that is not JSON has none. */
function serverCodeOf(answer: LimitedAnswer): string | undefined {
  let json: unknown
  try {
    json = jsonOf(answer, place)
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    return undefined
  }
  const read = readAs(refusalSchema(), json)
  return read.ok && Object.hasOwn(serverCodes, read.answer.error.errorCode)
    ? read.answer.error.errorCode
    : undefined
}
