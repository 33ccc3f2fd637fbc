import { bytesToHex } from '../encoding/hex.js'
import type { Claims, Hex, IntelClaims } from '../verdict/verdict.js'
import type { Quote } from './quote.js'

/** Bit 1 of SGX ATTRIBUTES: DEBUG. */
const sgxDebug = 0x02
/** Bits 0 to 7 of TD ATTRIBUTES are the "TUD" group: any of them set puts the TD under debug (TDX module specification). */
const tdUnderDebug = 0xff

/**
 * What the quote's body says, whether or not it can be believed.
 *
 * @param quote a parsed quote
 * @param context what certificates and collateral say, null while unread
 */
export function quoteClaims(
  quote: Quote,
  context: Pick<IntelClaims, 'platform' | 'collateral' | 'root'>,
): Claims {
  const { report } = quote
  const common = { quoteVersion: quote.version, reportData: hex(report.reportData), ...context }
  if (report.kind === 'sgx') {
    return {
      tee: 'sgx',
      ...common,
      debug: ((report.attributes[0] ?? 0) & sgxDebug) !== 0,
      mrEnclave: hex(report.mrEnclave),
      mrSigner: hex(report.mrSigner),
      isvProdId: report.isvProdId,
      isvSvn: report.isvSvn,
      attributes: hex(report.attributes),
    }
  }
  const rtmr = (index: number) => hex(report.rtmrs[index] ?? new Uint8Array(48))
  return {
    tee: 'tdx',
    ...common,
    debug: ((report.tdAttributes[0] ?? 0) & tdUnderDebug) !== 0,
    mrTd: hex(report.mrTd),
    rtmrs: [rtmr(0), rtmr(1), rtmr(2), rtmr(3)],
    mrSeam: hex(report.mrSeam),
    mrSignerSeam: hex(report.mrSignerSeam),
    mrConfigId: hex(report.mrConfigId),
    mrOwner: hex(report.mrOwner),
    mrOwnerConfig: hex(report.mrOwnerConfig),
    mrServiceTd: report.mrServiceTd === undefined ? null : hex(report.mrServiceTd),
    tdAttributes: hex(report.tdAttributes),
    seamAttributes: hex(report.seamAttributes),
    xfam: hex(report.xfam),
    teeTcbSvn: hex(report.teeTcbSvn),
    teeTcbSvn2: report.teeTcbSvn2 === undefined ? null : hex(report.teeTcbSvn2),
  }
}

function hex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`
}
