/**
 * Reports by Linux' trusted security module interface (`/sys/kernel/config/tsm/report`, Linux 6.7 and newer): TDX quotes and
 * SEV-SNP reports through the same few files.
 *
 * An entry is a folder that the kernel fills: `inblob` takes 64 bytes, `outblob` gives the report over them, `auxblob` what
 * the platform adds (certificates on SNP), `provider` names the driver. Whoever else writes to the entry raises its
 * `generation`; a report is only taken when nobody did.
 * @module
 */
import { parseQuote, parseSnpReport, snpReportLength } from '@sealpool/attest'
import { NodeError } from '../errors.js'

/** The files of one entry. A read gives a part; an empty one ends the file. Failures carry the system's `code`. */
export interface TsmEntry {
  write(attribute: 'inblob', bytes: Uint8Array): Promise<void>
  read(attribute: TsmAttribute, offset: number): Promise<Uint8Array>
}

/** Files that are read. */
export type TsmAttribute = 'outblob' | 'auxblob' | 'provider' | 'generation'

/** A report with what the platform added. */
export interface TsmReport {
  readonly tee: 'tdx' | 'sev-snp'
  /** TDX quote or SNP report. */
  readonly report: Uint8Array
  /** Certificate table on SNP; null where the platform gives none. */
  readonly auxiliary: Uint8Array | null
}

/** Largest file that is read, in bytes: TDX quotes are about 5 kB, certificate tables less than 64 kB. */
const maximumBytes = 1 << 20

const tees: Readonly<Record<string, TsmReport['tee']>> = { tdx_guest: 'tdx', sev_guest: 'sev-snp' }

/**
 * Takes a report over 64 bytes.
 * @param options `pause` waits before another try; `tries` bounds them
 * @throws NodeError `QUOTE_FAILED`: another provider, a report over other data, or no undisturbed try
 */
export async function takeTsmReport(
  entry: TsmEntry,
  reportData: Uint8Array,
  options: { readonly tries: number; readonly pause: () => Promise<void> },
): Promise<TsmReport> {
  let last: unknown
  for (let attempt = 0; attempt < options.tries; attempt++) {
    if (attempt > 0) await options.pause()
    try {
      const report = await undisturbed(entry, reportData)
      if (report !== undefined) return report
    } catch (error) {
      if (!isBusy(error))
        throw error instanceof NodeError ? error : failed('the kernel gave no report', error)
      last = error
    }
  }
  throw failed(`no undisturbed report in ${options.tries} tries; another program uses the entry`, last)
}

/** One try. @returns undefined when somebody else wrote to the entry meanwhile */
async function undisturbed(entry: TsmEntry, reportData: Uint8Array): Promise<TsmReport | undefined> {
  const before = await generationOf(entry)
  await entry.write('inblob', reportData)
  const report = await whole(entry, 'outblob')
  const auxiliary = await optional(entry)
  const provider = textOf(await whole(entry, 'provider'))
  if ((await generationOf(entry)) !== before + 1n) return undefined
  const tee = Object.hasOwn(tees, provider) ? tees[provider] : undefined
  if (tee === undefined) throw failed('the provider is neither tdx_guest nor sev_guest')
  requireData(tee, report, reportData)
  return { tee, report, auxiliary }
}

async function generationOf(entry: TsmEntry): Promise<bigint> {
  const text = textOf(await whole(entry, 'generation'))
  if (!/^\d{1,19}$/.test(text)) throw failed('the generation is not a number')
  return BigInt(text)
}

/** Older kernels and some drivers have no auxiliary data. */
async function optional(entry: TsmEntry): Promise<Uint8Array | null> {
  try {
    const bytes = await whole(entry, 'auxblob')
    return bytes.length === 0 ? null : bytes
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENXIO') return null
    throw error
  }
}

async function whole(entry: TsmEntry, attribute: TsmAttribute): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const part = await entry.read(attribute, length)
    if (part.length === 0) break
    parts.push(part)
    length += part.length
    if (length > maximumBytes) throw failed(`${attribute} is larger than ${maximumBytes} bytes`)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** The report must be over what was asked, and not over what another program asked. */
function requireData(tee: TsmReport['tee'], report: Uint8Array, asked: Uint8Array): void {
  let found: Uint8Array
  try {
    found =
      tee === 'tdx'
        ? parseQuote(report).report.reportData
        : parseSnpReport(report.subarray(0, snpReportLength)).reportData
  } catch (cause) {
    throw failed('what the kernel gave is not a report of this provider', cause)
  }
  if (found.length !== asked.length || !found.every((byte, index) => byte === asked[index])) {
    throw failed('the report is over other data than was asked')
  }
}

function isBusy(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'EBUSY' || code === 'EAGAIN' || code === 'EINTR'
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim()
}

function failed(message: string, cause?: unknown): NodeError {
  return new NodeError('QUOTE_FAILED', 'configfs-tsm', message, { cause })
}
