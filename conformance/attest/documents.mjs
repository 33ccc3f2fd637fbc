// Intel's and AMD's certificates, lists and documents one by one: every entry of the index is read and compared with it.
const seconds = (text) => Date.parse(text.includes('T') ? text : text.replace(' ', 'T')) / 1000

/** Whether the call gives a typed error; anything else is passed on. */
function attempt(ask) {
  try {
    return { value: ask() }
  } catch (error) {
    if (error.code === undefined) throw error
    return { code: error.code }
  }
}

export function documentCases({ files, library, tally }) {
  const entries = files.json('index.json')
  for (const kind of [
    'certificate',
    'revocation list',
    ...Object.keys(readers).map((one) => `document ${one}`),
  ]) {
    tally.expect(kind)
  }
  const certificates = entries
    .filter(({ kind }) => kind === 'cert')
    .map((entry) => tally.attempt('certificate', entry.path, () => certificate(entry, files, library, tally)))
  const known = certificates.filter((one) => one !== undefined)
  for (const entry of entries.filter(({ kind }) => kind === 'crl')) {
    tally.attempt('revocation list', entry.path, () => list(entry, files, library, tally, known))
  }
  for (const entry of entries) {
    const read = readers[entry.kind]
    if (read === undefined) continue
    tally.attempt(`document ${entry.kind}`, entry.path, () =>
      document(entry, read, files, library, tally, known),
    )
  }
}

function certificate(entry, files, library, tally) {
  const { value, code } = attempt(() => library.parseCertificate(files.evidence(entry.path)))
  const digest = entry.spkiSha256 ?? value?.spkiDigest
  const agrees =
    value !== undefined &&
    value.commonName === entry.subject &&
    value.spkiDigest === digest &&
    value.notBefore === seconds(entry.notBefore) &&
    value.notAfter === seconds(entry.notAfter)
  tally.count('certificate', agrees, `${entry.path}: ${code ?? value.commonName}`)
  return value
}

function list(entry, files, library, tally, certificates) {
  const { value, code } = attempt(() => library.parseRevocationList(files.evidence(entry.path)))
  const issued = certificates.filter(
    (one) =>
      value !== undefined && library.revocationListProblem(value, one, verifierOf(library)) === undefined,
  )
  const agrees =
    value !== undefined &&
    value.revoked.size === entry.revoked &&
    value.thisUpdate === seconds(entry.thisUpdate) &&
    value.nextUpdate === seconds(entry.nextUpdate) &&
    issued.every(({ commonName }) => commonName === entry.issuer) &&
    issued.length > 0
  tally.count('revocation list', agrees, `${entry.path}: ${code ?? [...issued.map((one) => one.commonName)]}`)
}

const verifierOf =
  ({ verifyP256, verifyAmdSignature }) =>
  (publicKey, message, signature) =>
    (publicKey.length === 65 ? verifyP256 : verifyAmdSignature)(publicKey, message, signature)

const readers = {
  tcbInfo: (library, text) => library.parseTcbInfo(text),
  enclaveIdentity: (library, text) => library.parseQeIdentity(text),
  tcbEvaluationDataNumbers: (library, text) => library.parseTcbEvaluationDataNumbers(text),
}

function document(entry, read, files, library, tally, certificates) {
  const { value: parsed, code } = attempt(() => read(library, files.text(entry.path)))
  const { value } = parsed ?? {}
  const signed =
    parsed !== undefined &&
    certificates.some(
      (one) =>
        one.commonName === 'Intel SGX TCB Signing' &&
        library.verifyP256(one.publicKey, parsed.signed, parsed.signature),
    )
  const agrees =
    value !== undefined &&
    value.id === (entry.id ?? 'SGX') &&
    (value.fmspc ?? null) === (entry.fmspc?.toLowerCase() ?? null) &&
    value.issueDate === entry.issueDate &&
    value.nextUpdate === entry.nextUpdate &&
    (entry.eval === null || value.tcbEvaluationDataNumber === entry.eval) &&
    (signed || !entry.productionSigner)
  tally.count(`document ${entry.kind}`, agrees, `${entry.path}: ${code ?? `signed ${signed}`}`)
}
