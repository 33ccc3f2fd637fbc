// Real DCAP quotes with real collateral; statuses come from an independent implementation of Intel's algorithm.
const kindOf = ({ version, tee, bodyType }) =>
  `DCAP ${tee.toUpperCase()} v${version}${version === 5 ? ` body type ${bodyType}` : ''}`

/** Intel's certificates of the folder, real and fake, with the names of their files. */
export function intelCertificates({ files, library }) {
  return files
    .list('_certs/intel')
    .filter((name) => name.endsWith('.der'))
    .map((name) => ({ name, certificate: library.parseCertificate(files.bytes(`_certs/intel/${name}`)) }))
}

/** All cases, quotes' signatures, roots; every n-th case only when `every` says so. */
export function dcapCases({ files, library, tally, every }) {
  const certificates = intelCertificates({ files, library })
  const collateralOf = collateralReader({ files, library, certificates })
  const prepared = new Map()
  for (const entry of files.json('cases-dcap.json').filter((_, index) => index % every === 0)) {
    const quote = files.bytes(entry.quote)
    const kind = kindOf(library.parseQuote(quote))
    const collateral = collateralOf(entry)
    const plain = verify(library, entry, quote, collateral)
    tally.count(kind, ...judge(entry, plain))
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
  for (const entry of files.json('index.json').filter(({ kind }) => kind === 'quote')) {
    quoteFacts({ entry, files, library, tally })
  }
  for (const { name, certificate } of certificates) {
    if (!certificate.commonName.includes('Root CA')) continue
    const expected = /_(44a0196b|fc64f807)\.der$/.test(name)
    const { vendor } = library.rootClaim(certificate)
    const kind = expected ? 'Intel root accepted' : 'fake Intel root refused'
    tally.count(kind, (vendor === 'intel') === expected, name)
  }
}

function quoteFacts({ entry, files, library, tally }) {
  const { facts, path } = entry
  let quote
  try {
    quote = library.parseQuote(files.bytes(path))
  } catch (error) {
    tally.count('quote that cannot be read', facts?.sig !== true && error.code === 'BAD_QUOTE', path)
    return
  }
  const signed = library.verifyP256(quote.attestationKey, quote.signed, quote.signature)
  tally.count('quote signature', signed === facts.sig, path)
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
    ...(report.kind === 'td'
      ? { tee_tcb_svn: hex(report.teeTcbSvn), tdattr: hex(report.tdAttributes), xfam: hex(report.xfam) }
      : {}),
  }).filter(([name, value]) => facts[name] !== undefined && facts[name] !== value)
  tally.count('quote fields', differing.length === 0, `${path}: ${differing}`)
}

function verify({ verifyQuote }, entry, quote, collateral) {
  // Trailing bytes of other layers are some origins' framing; the cases are about the quotes.
  return verifyQuote(quote, { collateral: collateral.value, at: new Date(entry.at), trailingBytes: 'any' })
}

function judge(entry, verdict) {
  const failed = verdict.checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
  const what = `${entry.quote} at ${entry.at}: ${verdict.tcbStatus}, expected ${entry.expect} ${entry.note}; ${failed}`
  if (entry.note.includes('pck-not-yet-valid')) {
    return [!verdict.ok && verdict.tcbStatus === null && failed.join() === 'certificate-dates', what]
  }
  const good = entry.expect !== 'TCB_NOT_SUPPORTED' && entry.expect !== 'Revoked' && !entry.pckRevoked
  if (entry.pckRevoked) return [!verdict.ok && failed.includes('not-revoked'), what]
  const sameAdvisories = verdict.advisories.join() === [...entry.advisories].sort().join()
  return [verdict.tcbStatus === entry.expect && sameAdvisories && verdict.ok === good, what]
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
      const list = parseRevocationList(files.bytes(path))
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
      rootCaCrl: library.encodeHex(files.bytes(entry.rootCaCrl)),
      pckCrl: library.encodeHex(files.bytes(entry.pckCrl)),
      pckCrlIssuerChain,
    }
    return { value, chains }
  }
}
