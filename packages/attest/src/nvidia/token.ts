import { bytesToHex } from '@noble/hashes/utils.js'
import { decodeBase64Url } from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import { verifyAmdSignature } from '../signature/amd.js'
import type { VerifySignature } from '../signature/port.js'
import { sha256 } from '../signature/sha2.js'
import { askedNonce } from '../verdict/asked-nonce.js'
import { type Check, type CheckAnswer, checkList, fail, notChecked, pass } from '../verdict/check-list.js'
import { endOfTime, momentSeconds } from '../verdict/moment.js'
import type { Hex } from '../verdict/verdict.js'

/** Who issues the tokens, by its claim `iss`. */
export const nvidiaTokenIssuer = 'https://nras.attestation.nvidia.com'

/** A public key of the service as its JWKS lists it (RFC 7517); further fields are not looked at. */
export interface NvidiaServiceKey {
  readonly kty: string
  readonly crv?: string
  readonly kid?: string
  /** base64url, 48 bytes. */
  readonly x?: string
  /** base64url, 48 bytes. */
  readonly y?: string
}

/** What the service says about one device. */
export interface NvidiaTokenDevice {
  /** For example `GPU-0`. */
  readonly name: string
  readonly hardwareModel: string | null
  readonly driverVersion: string | null
  readonly vbiosVersion: string | null
  readonly ueid: string | null
}

/** Answer of {@link verifyNvidiaToken}. */
export interface NvidiaTokenVerdict {
  readonly ok: boolean
  /** ISO; the moment for which the answer holds. */
  readonly at: string
  readonly checks: readonly Check[]
  /** ISO; when the oldest of the tokens was issued, null when one of them does not tell. */
  readonly issuedAt: string | null
  /** The nonce that all tokens carry; null when they carry none, or not the same one. */
  readonly nonce: Hex | null
  readonly devices: readonly NvidiaTokenDevice[]
}

/** Every question of {@link verifyNvidiaToken}. */
export const nvidiaTokenCheckTitles = {
  signatures: 'The token and each device’s token are signed by a key of the service (ES384)',
  issuer: 'All of them are NVIDIA’s attestation service’s',
  'token-dates': 'All of them are valid at the moment that is asked for',
  devices: 'The token names exactly the devices’ tokens that came with it, by their digests',
  nonce: 'All of them were made for the nonce that was asked',
  result: 'The service says that all devices passed',
  measurements: 'Of each device the service says that its measurements are as published',
  certificates:
    'Of each device the service says that its certificates, and those of its references, are valid and not revoked',
  report: 'Of each device the service says that its report is signed, fresh, and in all else as it must be',
  'secure-boot': 'Of each device the service says that it booted securely',
  debug: 'Of each device the service says that debugging is disabled',
} as const

interface Token {
  readonly name: string
  readonly text: string
  readonly keyId: unknown
  readonly claims: Readonly<Record<string, unknown>>
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

const maximumLength = 1 << 20
const maximumDevices = 64
const utf8 = /* @__PURE__ */ new TextEncoder()

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_EVIDENCE', `nvidiaToken${place}`, `Not a token of NVIDIA’s service: ${what}`)
}

/** A JSON object in base64url. */
function objectOf(part: string, place: string): Record<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(decodeBase64Url(part)),
    )
  } catch {
    throw bad(place, 'a part is no JSON in base64url')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw bad(place, 'a part is no object')
  return json as Record<string, unknown>
}

/** A compact JWS (RFC 7515, 7.1) with ES384; a header that is critical is refused. */
function readToken(text: unknown, name: string): Token {
  const place = `.${name}`
  if (typeof text !== 'string' || text.length > maximumLength) throw bad(place, 'a text is expected')
  const [head = '', body = '', tail = '', ...others] = text.split('.')
  if (tail === '' || others.length > 0) throw bad(place, 'it has not three parts')
  const header = objectOf(head, place)
  if (header['alg'] !== 'ES384' || header['crit'] !== undefined)
    throw bad(place, 'its algorithm is not ES384')
  let signature: Uint8Array
  try {
    signature = decodeBase64Url(tail)
  } catch {
    throw bad(place, 'its signature is not base64url')
  }
  return {
    name,
    text,
    keyId: header['kid'],
    claims: objectOf(body, place),
    signed: utf8.encode(`${head}.${body}`),
    signature,
  }
}

/** `[["JWT", overall], { "GPU-0": token, ... }]`, as the service and NVIDIA's SDK give it. */
function readBundle(bundle: unknown): { readonly overall: Token; readonly devices: readonly Token[] } {
  const [first, second, ...others] = Array.isArray(bundle) ? (bundle as unknown[]) : []
  const [kind, text] = Array.isArray(first) && first.length === 2 ? (first as unknown[]) : []
  if (kind !== 'JWT' || typeof second !== 'object' || second === null || Array.isArray(second))
    throw bad('', 'a list of ["JWT", token] and an object of tokens is expected')
  if (others.length > 0) throw bad('', 'there is more than a token and those of its devices')
  const entries = Object.entries(second)
  if (entries.length < 1 || entries.length > maximumDevices) throw bad('', 'it has no devices, or too many')
  return {
    overall: readToken(text, 'overall'),
    devices: entries.map(([name, token], i) => {
      // The name stands in details and reasons, and nobody has vouched for it yet.
      if (!/^[A-Za-z0-9_.:-]{1,64}$/.test(name))
        throw bad(`.devices.${i}`, 'a device’s name has other characters')
      return { ...readToken(token, `devices.${i}`), name }
    }),
  }
}

/** Keys that carry a token's key id; one that stands twice names no key. */
function serviceKey(keys: readonly NvidiaServiceKey[], token: Token): Uint8Array | undefined {
  const found = keys.filter(({ kid }) => kid === token.keyId)
  const [key] = found
  if (found.length !== 1 || key?.kty !== 'EC' || key.crv !== 'P-384') return undefined
  try {
    const [x, y] = [decodeBase64Url(key.x ?? ''), decodeBase64Url(key.y ?? '')]
    return x.length === 48 && y.length === 48 ? Uint8Array.of(4, ...x, ...y) : undefined
  } catch {
    return undefined
  }
}

/** A wrong signature is the token's fault; a key that the list does not have (it may be old) is the verifier's. */
function signaturesAnswer(
  tokens: readonly Token[],
  keys: readonly NvidiaServiceKey[],
  verify: VerifySignature,
): CheckAnswer {
  if (keys.length === 0) return notChecked('No keys of the service were given.')
  let unknown: Token | undefined
  for (const token of tokens) {
    if (typeof token.keyId !== 'string') return fail(`the token of ${token.name} names no key`)
    const key = serviceKey(keys, token)
    if (key === undefined) unknown ??= token
    else if (!verify(key, token.signed, token.signature))
      return fail(`the token of ${token.name} is not signed by the key that it names`)
  }
  return unknown === undefined
    ? pass(`${tokens.length} signatures verify.`)
    : notChecked(
        `The list has not one usable key of the id that the token of ${unknown.name} names; it may be old.`,
      )
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyNvidiaToken(
  bundle: unknown,
  options: {
    readonly keys: readonly NvidiaServiceKey[]
    readonly at: Date
    readonly nonce?: Uint8Array
    readonly verifySignature?: VerifySignature
  },
): NvidiaTokenVerdict {
  const at = momentSeconds(options.at)
  const keys: unknown = options.keys
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'object' && key !== null))
    throw new AttestError('BAD_ARGUMENT', 'options.keys', 'The list `keys` of the service’s JWKS is expected')
  const nonce = askedNonce(options.nonce)
  const { overall, devices } = readBundle(bundle)
  const all = [overall, ...devices]
  const verify = options.verifySignature ?? verifyAmdSignature
  const checks = checkList(nvidiaTokenCheckTitles)
  /** The first token of which something does not hold. */
  const each = (
    tokens: readonly Token[],
    holds: (token: Token) => boolean,
    problem: string,
    good: string,
  ): CheckAnswer => {
    const wrong = tokens.find((token) => !holds(token))
    return wrong === undefined ? pass(good) : fail(`the token of ${wrong.name} ${problem}`)
  }
  checks.run('signatures', [], () => signaturesAnswer(all, options.keys, verify))
  checks.run('issuer', [], () =>
    each(all, ({ claims }) => claims['iss'] === nvidiaTokenIssuer, 'has another issuer', 'It is.'),
  )
  checks.run('token-dates', [], () => {
    const current = ({ claims: { nbf, exp } }: Token) =>
      typeof exp === 'number' && at < exp && (nbf === undefined || (typeof nbf === 'number' && nbf <= at))
    return each(all, current, 'is not valid then', 'All are.')
  })
  checks.run('devices', ['signatures'], () => devicesAnswer(overall, devices))
  checks.run('nonce', ['signatures'], () => {
    if (nonce === undefined) return notChecked('No nonce was asked for: the token may be old.')
    const asked = `0x${bytesToHex(nonce)}`
    return each(all, (token) => nonceOf(token) === asked, 'was made for another nonce', 'It is fresh.')
  })
  checks.run('result', ['signatures'], () =>
    overall.claims['x-nvidia-overall-att-result'] === true
      ? pass('It says so.')
      : fail('the service says that a device did not pass'),
  )
  checks.run('measurements', ['signatures'], () => {
    const good = ({ claims: { measres } }: Token) => measres === 'success' || measres === 'Success'
    return each(devices, good, 'says that they are not', 'It says so.')
  })
  checks.run('certificates', ['signatures'], () => claimsAnswer(devices, certificateProblem))
  checks.run('report', ['signatures'], () => claimsAnswer(devices, reportProblem))
  checks.run('secure-boot', ['signatures'], () =>
    each(devices, ({ claims }) => claims['secboot'] === true, 'does not say so', 'It says so.'),
  )
  checks.run('debug', ['signatures'], () =>
    each(devices, ({ claims }) => claims['dbgstat'] === 'disabled', 'does not say so', 'It says so.'),
  )
  return {
    ok: checks.ok(),
    at: new Date(at * 1000).toISOString(),
    checks: checks.list(),
    issuedAt: oldestIssue(all),
    nonce: all.every((token) => nonceOf(token) === nonceOf(overall)) ? nonceOf(overall) : null,
    devices: devices.map(deviceFacts),
  }
}

/** `eat_nonce` of a token, which the service writes as hex; null when it is anything else. */
function nonceOf({ claims: { eat_nonce: given } }: Token): Hex | null {
  if (typeof given !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(given)) return null
  return `0x${given.toLowerCase()}`
}

/** The earliest `iat` of the tokens; null when one of them does not tell. */
function oldestIssue(tokens: readonly Token[]): string | null {
  const issued = tokens.map(({ claims: { iat } }) => iat)
  const told = issued.filter((one) => typeof one === 'number' && one >= 0 && one < endOfTime)
  if (told.length !== issued.length) return null
  return new Date(Math.min(...(told as number[])) * 1000).toISOString()
}

/** What is wrong with a device's claims, or what they do not tell. */
interface ClaimsProblem {
  readonly wrong?: string
  readonly untold?: string
}

function claimsAnswer(
  devices: readonly Token[],
  problemOf: (claims: Token['claims']) => ClaimsProblem,
): CheckAnswer {
  const problems = devices.map(({ name, claims }) => ({ name, ...problemOf(claims) }))
  const wrong = problems.find((problem) => problem.wrong !== undefined)
  if (wrong !== undefined) return fail(`the token of ${wrong.name} says otherwise: ${wrong.wrong}`)
  const untold = problems.find((problem) => problem.untold !== undefined)
  if (untold !== undefined) return notChecked(`The token of ${untold.name} does not tell: ${untold.untold}.`)
  return pass('It says so.')
}

const chainClaim = /^x-nvidia-.*-cert-chain$/
/** Older tokens (version 2 of the claims) have one yes or no instead of a chain's status. */
const ownChainClaim = /^x-nvidia-.*-attestation-report-cert-chain(?:-validated)?$/

/** A certificate on hold is told by the warning alone: the service goes on. */
function certificateProblem(claims: Token['claims']): ClaimsProblem {
  const warning = claims['x-nvidia-attestation-warning'] ?? null
  if (warning !== null) return { wrong: 'it has a warning (a certificate on hold)' }
  const told = Object.entries(claims).filter(([, value]) => value !== null)
  for (const [name, value] of told.filter(([one]) => chainClaim.test(one))) {
    const chain = typeof value === 'object' ? (value as Readonly<Record<string, unknown>>) : {}
    const valid = chain['x-nvidia-cert-status'] === 'valid' && chain['x-nvidia-cert-ocsp-status'] === 'good'
    const answered = ['nonce-matches', 'response-valid'].every(
      (one) => chain[`x-nvidia-cert-ocsp-${one}`] !== false,
    )
    if (!valid || !answered || (chain['x-nvidia-cert-revocation-reason'] ?? null) !== null)
      return { wrong: name.replace(/[^a-z-]/g, '') }
  }
  return told.some(([name]) => ownChainClaim.test(name)) ? {} : { untold: 'the device’s certificates' }
}

const statement = /^x-nvidia-.*-(?:parsed|match|verified|validated|fetched|available|no-conflict)$/

/** Every statement that is made must be true; those about signature and nonce must be made. */
function reportProblem(claims: Token['claims']): ClaimsProblem {
  const told = Object.entries(claims).filter(([, value]) => value !== null)
  const wrong = told.find(
    ([name, value]) =>
      (statement.test(name) && value !== true) || (/^x-nvidia-.*-arch-check$/.test(name) && value === false),
  )
  if (wrong !== undefined) return { wrong: wrong[0].replace(/[^a-z-]/g, '') }
  const mismatches = claims['x-nvidia-mismatch-measurement-records'] ?? []
  if (!Array.isArray(mismatches) || mismatches.length > 0) return { wrong: 'measurements do not match' }
  const untold = ['signature-verified', 'nonce-match'].find(
    (end) =>
      !told.some(([name]) => name.startsWith('x-nvidia-') && name.endsWith(`-attestation-report-${end}`)),
  )
  return untold === undefined ? {} : { untold }
}

/** A list of two; nothing of anything else, however deep it is. */
function pairOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.length === 2 ? value : []
}

/** `submods`: by name, `["DIGEST", ["SHA-256", hex of the token's text]]` (RFC 9711, 4.2.18). */
function devicesAnswer(overall: Token, devices: readonly Token[]): CheckAnswer {
  const named: unknown = overall.claims['submods']
  if (typeof named !== 'object' || named === null) return fail('the token names no devices')
  const entries = new Map(Object.entries(named))
  for (const { name, text } of devices) {
    const [kind, value] = pairOf(entries.get(name))
    const [algorithm, digest] = pairOf(value)
    const expected = bytesToHex(sha256(utf8.encode(text)))
    if (kind !== 'DIGEST' || algorithm !== 'SHA-256' || digest !== expected)
      return fail('a device’s token is not the one that the token names')
  }
  return entries.size === devices.length
    ? pass(`${devices.length} devices.`)
    : fail('the token names devices whose tokens are missing')
}

function deviceFacts({ name, claims }: Token): NvidiaTokenDevice {
  const text = (...fields: string[]): string | null => {
    const value = fields.map((field) => claims[field]).find((one) => typeof one === 'string')
    return typeof value === 'string' ? value : null
  }
  return {
    name,
    hardwareModel: text('hwmodel'),
    driverVersion: text('x-nvidia-gpu-driver-version'),
    vbiosVersion: text('x-nvidia-gpu-vbios-version', 'x-nvidia-switch-bios-version'),
    ueid: text('ueid'),
  }
}
