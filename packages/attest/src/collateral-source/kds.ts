import { parsePemCertificates } from '../encoding/pem.js'
import { get, type HttpOptions } from './http.js'
import { type AmdMaterial, type AmdRequest, unavailable } from './port.js'

/** Where and how to ask for AMD's certificates. */
export interface KdsOptions extends HttpOptions {
  /** Base URL up to the host: AMD's when absent, or a mirror with the same paths. */
  readonly baseUrl?: string
  /** Milliseconds between two requests; 10,000 when absent: AMD's server answers about one request in ten seconds. */
  readonly interval?: number
  /** Waits; replaced in tests. */
  readonly wait?: (milliseconds: number) => Promise<void>
  /** The clock; replaced in tests. */
  readonly now?: () => number
}

const amdHost = 'https://kdsintf.amd.com'
const defaultInterval = 10_000
const attempts = 4

/**
 * Fetches a chip's certificate, its issuers and the revocation list from AMD's key distribution service. Requests stand in one
 * queue with the distance that the server asks for; an answer 429 is waited out, longer each time.
 *
 * @param options where the service is and how to ask it
 * @returns a function that fetches the certificates and the list for one request
 * @throws AttestError `COLLATERAL_UNAVAILABLE`
 * @see AMD 57230, VCEK certificate and KDS interface specification
 */
export function kdsCertificates(options: KdsOptions = {}): (request: AmdRequest) => Promise<AmdMaterial> {
  const base = (options.baseUrl ?? amdHost).replace(/\/$/, '')
  const interval = options.interval ?? defaultInterval
  const wait = options.wait ?? ((milliseconds) => new Promise<void>((done) => setTimeout(done, milliseconds)))
  const now = options.now ?? Date.now
  let queue: Promise<unknown> = Promise.resolve()
  let next = 0
  const ask = async (path: string): Promise<Uint8Array> => {
    for (let attempt = 1; ; attempt += 1) {
      if (now() < next) await wait(next - now())
      next = now() + interval
      const { status, headers, body } = await get(new URL(`${base}/${path}`), options)
      if (status === 200) return body
      if (status === 404) throw unavailable('kds', 'AMD knows no such chip or TCB')
      if (status !== 429 || attempt === attempts) throw unavailable('kds', `the server answered ${status}`)
      const asked = Number(headers.get('retry-after')) * 1000
      next = now() + (asked > 0 && asked < 600_000 ? asked : interval * 2 ** attempt)
    }
  }
  const queued = (path: string): Promise<Uint8Array> => {
    const answer = queue.then(() => ask(path))
    queue = answer.catch(() => undefined)
    return answer
  }
  return async ({ line, hwid, tcb }) => {
    if (!/^[0-9a-f]+$/.test(hwid)) throw unavailable('kds', 'the chip’s id is hidden or no hex')
    const level = (name: string, value: number | undefined) =>
      value === undefined ? [] : [`${name}=${String(value).padStart(2, '0')}`]
    const query = [
      ...level('fmcSPL', tcb.fmc),
      ...level('blSPL', tcb.bootloader),
      ...level('teeSPL', tcb.tee),
      ...level('snpSPL', tcb.snp),
      ...level('ucodeSPL', tcb.microcode),
    ].join('&')
    const vcek = await queued(`vcek/v1/${line}/${hwid}?${query}`)
    const issuers = await queued(`vcek/v1/${line}/cert_chain`)
    const crl = await queued(`vcek/v1/${line}/crl`)
    try {
      return { certificates: [vcek, ...parsePemCertificates(new TextDecoder().decode(issuers))], crl }
    } catch (cause) {
      throw unavailable('kds', 'the issuers’ certificates cannot be read', cause)
    }
  }
}
