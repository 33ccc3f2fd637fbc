import { certificatesOf } from './encodings.mjs'
import { uncounted } from './tally.mjs'

// Real DCAP quotes with real collateral; statuses come from an independent implementation of Intel's algorithm.
const kindOf = ({ version, tee, bodyType }) =>
  `DCAP ${tee.toUpperCase()} v${version}${version === 5 ? ` body type ${bodyType}` : ''}`

/** Intel's certificates of the folder, real and fake, with the names of their files. */
export function intelCertificates({ files, library, tally = uncounted }) {
  return certificatesOf('_certs/intel', { files, library, tally })
}

/** SHA-256 of the key of Intel's production root, which two certificates carry; written out, so that no name decides. */
const intelRootKey = 'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e'

/** All cases, quotes' signatures, roots; every n-th case only when `every` says so. */
export function dcapCases({ files, library, tally, every }) {
  const certificates = intelCertificates({ files, library, tally })
  const collateralOf = collateralReader({ files, library, certificates })
  const prepared = new Map()
  const dcapCase = (entry) => {
    const quote = files.evidence(entry.quote)
    const { parsed, code } = readable(library, quote)
    if (parsed === undefined) {
      tally.count(
        'DCAP quote that cannot be read',
        // Nothing is known of the signature (null) where the origin could not read it either.
        (entry.quoteSig === false || entry.quoteSig === null) && code === 'BAD_QUOTE',
        entry.quote,
      )
      return
    }
    const collateral = collateralOf(entry)
    const plain = verify(library, entry, quote, collateral)
    tally.count(kindOf(parsed), ...judge(entry, plain))
    tally.attempt('DCAP status parts', entry.quote, () =>
      statusParts({ entry, parsed, plain, files, library, tally }),
    )
    // The same question to prepared collateral must have the same answer, word by word.
    const key = JSON.stringify([
      entry.tcbInfo,
      entry.qeIdentity,
      entry.rootCaCrl,
      entry.pckCrl,
      collateral.chains,
    ])
    if (!prepared.has(key)) prepared.set(key, library.prepareCollateral(collateral.value))
    const again = verify(library, entry, quote, { value: prepared.get(key) })
    tally.count('prepared collateral', JSON.stringify(again) === JSON.stringify(plain), entry.quote)
  }
  tally.expect('DCAP')
  for (const entry of files.json('cases-dcap.json').filter((_, index) => index % every === 0)) {
    tally.attempt('DCAP', `${entry.quote} at ${entry.at ?? entry.atUnix}`, () => {
      // Seconds count where the text is missing.
      dcapCase({ ...entry, at: entry.at ?? new Date(entry.atUnix * 1000).toISOString() })
    })
  }
  for (const entry of files.json('index.json').filter(({ kind }) => kind === 'quote')) {
    tally.attempt('quote fields', entry.path, () => quoteFacts({ entry, files, library, tally }))
  }
  for (const { name, certificate } of certificates) {
    if (!certificate.commonName.includes('Root CA')) continue
    const expected = library.hex(library.sha256Bytes(certificate.spki)) === intelRootKey
    const { vendor } = library.rootClaim(certificate)
    const kind = expected ? 'Intel root accepted' : 'fake Intel root refused'
    tally.count(kind, (vendor === 'intel') === expected, name)
  }
}

/**
 * The statuses that lead to one: of platform, quoting enclave and module, and what a relaunch would give (TEE_TCB_SVN2); the date
 * where the case tells one, and debug.
 */
function statusParts({ entry, parsed, plain, files, library, tally }) {
  const { platform, qe, module, svn2, tcbDate, debug } = entry
  const differing = []
  const compare = (name, has, wanted) => {
    if (wanted !== undefined && has !== wanted) differing.push(`${name} ${has}, expected ${wanted}`)
  }
  compare('debug', plain.claims.debug, debug)
  // A verdict without a status has no date either.
  if (plain.tcbStatus !== null) compare('date', plain.tcbDate?.slice(0, 10), tcbDate?.slice(0, 10))
  const chain =
    parsed.certificationType === 5 &&
    readableChain(new TextDecoder().decode(withoutZeros(parsed.certificationData)), library)
  // The origin tells no parts of a platform that reaches no level, be it at its launch or now.
  if (typeof platform === 'string' && chain) {
    const { report } = parsed
    const evaluate = (teeTcbSvn) =>
      library.evaluateTcb({
        info: library.parseTcbInfo(files.text(entry.tcbInfo)).value,
        identity: library.parseQeIdentity(files.text(entry.qeIdentity)).value,
        platform: library.pckPlatform(chain.find(({ authority: { ca } }) => !ca)),
        qeIsvSvn: parsed.qeReport.isvSvn,
        teeTcbSvn,
        teeTcbSvn2: undefined,
      })
    const launch = evaluate(report.teeTcbSvn)
    const part = (level) => level?.status ?? null
    compare('platform', part(launch.platform), platform)
    compare('quoting enclave', part(launch.qe), qe)
    compare('module', part(launch.module), module)
    const again = report.teeTcbSvn2 === undefined ? null : evaluate(report.teeTcbSvn2).status
    compare('relaunch', again, svn2)
  }
  tally.count(
    'DCAP status parts',
    differing.length === 0,
    `${entry.quote} at ${entry.at}: ${differing.join('; ')}`,
  )
}

function withoutZeros(bytes) {
  let end = bytes.length
  while (bytes[end - 1] === 0) end -= 1
  return bytes.subarray(0, end)
}

function readable(library, quote) {
  try {
    return { parsed: library.parseQuote(quote) }
  } catch (error) {
    if (error.code === undefined) throw error
    return { code: error.code }
  }
}

function quoteFacts({ entry, files, library, tally }) {
  const { facts = {}, path } = entry
  const { parsed: quote, code } = readable(library, files.evidence(path))
  if (quote === undefined) {
    tally.count('quote that cannot be read', facts.sig !== true && code === 'BAD_QUOTE', path)
    return
  }
  const signed = library.verifyP256(quote.attestationKey, quote.signed, quote.signature)
  tally.count('quote signature', signed === (facts.sig ?? true), path)
  const hex = (bytes) => library.hex(bytes)
  const { report } = quote
  const differing = Object.entries({
    ver: quote.version,
    tee: quote.tee.toUpperCase(),
    trailing: quote.trailing.length,
    ct: quote.certificationType,
    qeauthlen: quote.qeAuthenticationData.length,
    qeisvsvn: quote.qeReport.isvSvn,
    qeprod: quote.qeReport.isvProdId,
    trailingNonZero: quote.trailing.some((octet) => octet !== 0),
    qemrsigner: hex(quote.qeReport.mrSigner).slice(0, 8),
    ...(report.kind === 'td'
      ? {
          tee_tcb_svn: hex(report.teeTcbSvn),
          tdattr: hex(report.tdAttributes),
          xfam: hex(report.xfam),
          svn2: report.teeTcbSvn2 === undefined ? '' : hex(report.teeTcbSvn2),
          mrseam: hex(report.mrSeam).slice(0, 12),
          debug: (report.tdAttributes[0] ?? 0) & 1,
        }
      : { mrenclave: hex(report.mrEnclave).slice(0, 12), debug: ((report.attributes[0] ?? 0) >> 1) & 1 }),
  }).filter(([name, value]) => facts[name] !== undefined && facts[name] !== value)
  tally.count('quote fields', differing.length === 0, `${path}: ${differing}`)
  const bound = library.sha256Bytes(
    Uint8Array.of(...quote.attestationKey.slice(1), ...quote.qeAuthenticationData),
  )
  const vouched = hex(quote.qeReport.reportData.subarray(0, 32)) === hex(bound)
  tally.count('quote attestation key', vouched === (facts.qebind ?? true), path)
  if (quote.certificationType === 5) certificationFacts({ entry: { path, facts }, quote, library, tally })
}

/** The certificates that a quote carries, by their position as in the facts. */
function certificationFacts({ entry: { facts, path }, quote, library, tally }) {
  const chain = readableChain(new TextDecoder().decode(withoutZeros(quote.certificationData)), library)
  if (chain === undefined) {
    tally.count('quote certificate chain', facts.chain === false, `${path}: it cannot be read`)
    return
  }
  const [pck, authority, root] = [chain.find(({ authority: { ca } }) => !ca), chain[1], chain.at(-1)]
  const signed = library.verifyP256(pck.publicKey, quote.qeReport.raw, quote.qeReportSignature)
  tally.count('quoting enclave report signature', signed === (facts.qesig ?? true), path)
  const whole = library.chainProblem(chain, library.verifyP256) === undefined
  const holds = whole && library.rootClaim(root).vendor === 'intel'
  tally.count('quote certificate chain', holds === (facts.chain ?? true), path)
  const platform = library.pckPlatform(pck)
  const differing = Object.entries({
    nchain: chain.length,
    pckserial: BigInt(`0x${pck.serial}`).toString(16),
    fmspc: platform.fmspc,
    pceid: platform.pceId,
    pcesvn: platform.pceSvn,
    sgxcomps: library.hex(Uint8Array.from(platform.sgxComponents)),
    // The facts name the second certificate, which is the authority when the order is the usual one.
    ...(whole ? { pckca: authority.commonName } : {}),
  }).filter(([name, value]) => facts[name] !== undefined && facts[name] !== value)
  tally.count('quote platform', differing.length === 0, `${path}: ${differing}`)
}

function readableChain(text, { parseCertificate, parsePemCertificates }) {
  try {
    return parsePemCertificates(text).map((der) => parseCertificate(der))
  } catch (error) {
    if (error.code === undefined) throw error
    return undefined
  }
}

function verify({ verifyQuote }, entry, quote, collateral) {
  // Trailing bytes of other layers are some origins' framing; the cases are about the quotes.
  return verifyQuote(quote, { collateral: collateral.value, at: new Date(entry.at), trailingBytes: 'any' })
}

function judge(entry, verdict) {
  const failed = verdict.checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
  const note = entry.note ?? ''
  const advisories = entry.advisories ?? []
  const expect = statusOf(entry.expect)
  const refusal = refusals[bare(entry.expect)]
  const what = `${entry.quote} at ${entry.at}: ${verdict.tcbStatus}, expected ${entry.expect} ${note}; ${failed}`
  const forged = forgeries(entry)
  if (forged.length > 0) {
    const named = forged.every((ids) => ids.some((id) => failed.includes(id)))
    return [!verdict.ok && verdict.tcbStatus === null && named, what]
  }
  if (note.includes('pck-not-yet-valid') || note.includes('pck-expired')) {
    const allowed = entry.pckRevoked ? ['certificate-dates', 'not-revoked'] : ['certificate-dates']
    const named = failed.includes('certificate-dates') && failed.every((id) => allowed.includes(id))
    return [!verdict.ok && verdict.tcbStatus === null && named, what]
  }
  if (refusal !== undefined) return [!verdict.ok && failed.includes(refusal), what]
  if (expect === undefined) return [false, `${what}; not read: the status ${entry.expect} is not known`]
  const good = expect !== 'TCB_NOT_SUPPORTED' && expect !== 'Revoked' && !entry.pckRevoked
  if (entry.pckRevoked) return [!verdict.ok && failed.includes('not-revoked'), what]
  const sameAdvisories = verdict.advisories.join() === [...advisories].sort().join()
  return [verdict.tcbStatus === expect && sameAdvisories && verdict.ok === good, what]
}

const statuses = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
  'TCB_NOT_SUPPORTED',
  'TD_RELAUNCH_ADVISED',
  'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED',
]
const letters = (text) =>
  String(text)
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '')
/** The words of Intel's libraries for some of them (`TCB_OUT_OF_DATE`, `SGX_QL_QV_RESULT_SW_HARDENING_NEEDED`). */
const bare = (text) =>
  letters(text).replace(/^(?:sgxql|tee)qvresult|^statustcb|^tcb(?!notsupported)|^status/, '')
const otherWords = {
  ok: 'UpToDate',
  notsupported: 'TCB_NOT_SUPPORTED',
  tdxtcbnotsupported: 'TCB_NOT_SUPPORTED',
  sgxqltcbnotsupported: 'TCB_NOT_SUPPORTED',
  configneeded: 'ConfigurationNeeded',
  configandswhardeningneeded: 'ConfigurationAndSWHardeningNeeded',
  configurationandswhardeningneeded: 'ConfigurationAndSWHardeningNeeded',
  outofdateconfigneeded: 'OutOfDateConfigurationNeeded',
  tdrelaunchadvisedconfigneeded: 'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED',
}

/** Words of Intel's libraries for evidence that reaches no status, each with the check that must fail. */
const refusals = {
  tdxmodulemismatch: 'tdx-module',
  infomismatch: 'platform-match',
  tcbinfomismatch: 'platform-match',
  qeidentitymismatch: 'qe-identity',
  invalidquotesignature: 'quote-signature',
  invalidqereportsignature: 'qe-report-signature',
  invalidqereportdata: 'attestation-key',
  pckrevoked: 'not-revoked',
  sgxpckrevoked: 'not-revoked',
}

/** A status by any of its spellings; undefined for one that is not known. */
export function statusOf(text) {
  const word = bare(text)
  return statuses.find((status) => letters(status) === word) ?? otherWords[word]
}

/** For each fact that speaks against a case, the checks of which one must fail. */
function forgeries({ quoteSig, qeSig, chainOk, chainRoot }) {
  return [
    ...(quoteSig === false ? [['quote-signature']] : []),
    ...(qeSig === false ? [['qe-report-signature']] : []),
    ...(chainOk === false ? [['certificates', 'pck-chain', 'root-trusted']] : []),
    ...((chainRoot ?? 'Intel') === 'Intel' ? [] : [['certificates', 'root-trusted']]),
  ]
}

/** Builds the collateral of a case; issuer chains are found among the certificates by whose key signed. */
export function collateralReader({ files, library, certificates }) {
  const { chainProblem, formatPemCertificates, parseQeIdentity, parseRevocationList, parseTcbInfo } = library
  const { revocationListProblem, verifyP256 } = library
  const all = certificates.map(({ certificate }) => certificate)
  const remembered = new Map()
  const once = (key, make) => {
    if (!remembered.has(key)) remembered.set(key, make())
    return remembered.get(key)
  }
  const chainFor = (signers, at) => {
    const inDate = signers.filter(({ notBefore, notAfter }) => notBefore <= at && at <= notAfter)
    const [signer] = inDate.length > 0 ? inDate : signers
    const root = all
      .filter((candidate) => signer && chainProblem([signer, candidate], verifyP256) === undefined)
      .sort((a, b) => b.notAfter - a.notAfter)[0]
    if (signer === undefined || root === undefined) return ''
    return formatPemCertificates([signer.raw, root.raw])
  }
  const signersOf = (path, parse) =>
    once(path, () => {
      const { signed, signature } = parse(files.text(path))
      return all.filter(({ publicKey }) => verifyP256(publicKey, signed, signature))
    })
  const issuersOf = (path) =>
    once(path, () => {
      const list = parseRevocationList(files.evidence(path))
      return all.filter((certificate) => revocationListProblem(list, certificate, verifyP256) === undefined)
    })
  const chain = (path, signers, at) =>
    once(`${path} ${signers.length > 1 ? at : ''}`, () => chainFor(signers, at))
  return (entry) => {
    const at = Date.parse(entry.at) / 1000
    const chains = [
      chain(entry.tcbInfo, signersOf(entry.tcbInfo, parseTcbInfo), at),
      chain(entry.qeIdentity, signersOf(entry.qeIdentity, parseQeIdentity), at),
      chain(entry.pckCrl, issuersOf(entry.pckCrl), at),
    ]
    const [tcbInfoIssuerChain, qeIdentityIssuerChain, pckCrlIssuerChain] = chains
    const value = {
      tcbInfo: files.text(entry.tcbInfo),
      tcbInfoIssuerChain,
      qeIdentity: files.text(entry.qeIdentity),
      qeIdentityIssuerChain,
      rootCaCrl: library.encodeHex(files.evidence(entry.rootCaCrl)),
      pckCrl: library.encodeHex(files.evidence(entry.pckCrl)),
      pckCrlIssuerChain,
    }
    return { value, chains }
  }
}
