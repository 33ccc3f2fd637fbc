import { certificatesOf } from './encodings.mjs'
import { uncounted } from './tally.mjs'

// Real SEV-SNP reports with the certificates that signed them, and launch digests of virtee's tool.

/** Certificates and lists of AMD, found by their own names. */
export function amdMaterial({ files, library, tally = uncounted }) {
  const certificates = certificatesOf('_certs/amd', { files, library, tally }).map(
    ({ certificate }) => certificate,
  )
  const lists = files
    .list('_crls')
    .filter((name) => name.startsWith('ARK-'))
    .flatMap((name) => {
      const list = tally.attempt('revocation list file', name, () => {
        const der = files.evidence(`_crls/${name}`)
        return { der, ...library.parseRevocationList(der) }
      })
      return list === undefined ? [] : [list]
    })
  const same = (a, b) => library.hex(a) === library.hex(b)
  // AMD has had two keys of one name: the signature tells which of them issued a certificate.
  const issuerOf = (certificate) => {
    const named = certificates.filter(({ subject }) => same(subject, certificate.issuer))
    const signed = named.find(({ publicKey }) =>
      library.verifyAmdSignature(publicKey, certificate.tbs, certificate.signature),
    )
    return signed ?? named[0]
  }
  return { certificates, lists, same, issuerOf }
}

/** A moment at which certificate and list are current, if there is one. */
export function commonMoment(vek, list) {
  const from = Math.max(vek.notBefore, list?.thisUpdate ?? 0)
  const to = Math.min(vek.notAfter, list?.nextUpdate ?? Number.MAX_SAFE_INTEGER)
  return from <= to ? from : undefined
}

export function snpReportCases({ files, library, tally }) {
  tally.expect('SEV-SNP report fields')
  const material = amdMaterial({ files, library, tally })
  negativeCases({ files, library, tally, material })
  for (const entry of files.json('index.json').filter(({ kind }) => kind === 'snp-report')) {
    const bytes = tally.attempt('SEV-SNP report fields', entry.path, () => files.evidence(entry.path))
    if (bytes === undefined) continue
    let report
    try {
      report = library.parseSnpReport(bytes)
    } catch (error) {
      if (error.code === undefined) {
        tally.count('SEV-SNP report fields', false, `${entry.path}: ${error}`)
        continue
      }
      const short = bytes.length < library.snpReportLength || ![2, 3, 4, 5].includes(entry.version)
      tally.count('SEV-SNP report that cannot be read', short && error.code === 'BAD_REPORT', entry.path)
      continue
    }
    // Without certificates the verdict knows only what the report says of itself.
    const alone = library.verifySnpReport(bytes, { certificates: [], at: new Date(0), trailingBytes: 'any' })
    tally.count('SEV-SNP report fields', ...fields(entry, report, alone, library))
    const kind = `SEV-SNP report v${report.version}`
    if (entry.vek)
      tally.attempt(kind, entry.path, () =>
        tally.count(kind, ...judge(entry, bytes, { files, library, material })),
      )
  }
}

/** Reports and VCEKs of the origins' own negative tests, by what their names and `files.json` say is wrong with them. */
function negativeCases({ files, library, tally, material }) {
  const veks = material.certificates.filter(({ commonName }) => /VCEK|VLEK/.test(commonName))
  for (const path of files.json('files.json').map((entry) => entry.path)) {
    if (!files.has(path)) continue
    if (/report[^/]*(?:bad_sig|corrupt|invalid)[^/]*\.bin$/.test(path)) {
      const kind = 'SEV-SNP report that must be refused'
      tally.attempt(kind, path, () => {
        const bytes = files.evidence(path)
        const strict = codeOf(() => library.parseSnpReport(bytes))
        const signers = veks.filter((vek) => {
          if (bytes.length < library.snpReportLength) return false
          const authority = material.issuerOf(vek)
          const root = authority && material.issuerOf(authority)
          const verdict = library.verifySnpReport(bytes, {
            certificates: [vek, authority, root].filter((one) => one !== undefined).map(({ raw }) => raw),
            at: new Date(vek.notBefore * 1000),
            trailingBytes: 'any',
          })
          return verdict.checks.find(({ id }) => id === 'report-signature')?.result === 'pass'
        })
        const refused =
          strict === 'BAD_REPORT' || (bytes.length >= library.snpReportLength && veks.length > 0)
        tally.count(kind, refused && signers.length === 0, `${path}: ${strict}, ${signers.length} signers`)
      })
    }
    if (/vcek[^/]*(?:invalid|corrupt|bad)[^/]*\.(?:der|pem)$/.test(path)) {
      const kind = 'VCEK that must be refused'
      tally.attempt(kind, path, () => {
        const vek = library.parseCertificate(files.evidence(path))
        const issuers = material.certificates.filter(
          (one) => library.chainProblem([vek, one], library.verifyAmdSignature) === undefined,
        )
        const named = material.certificates.some((one) => material.same(one.subject, vek.issuer))
        tally.count(kind, named && issuers.length === 0, `${path}: ${issuers.length} issuers, named ${named}`)
      })
    }
  }
}

function codeOf(ask) {
  try {
    ask()
    return undefined
  } catch (error) {
    if (error.code === undefined) throw error
    return error.code
  }
}

/** A product by the library's name for it: the index writes `Bergamo/Siena(Genoa)`, with the line in brackets. */
const productOf = (name) => {
  const told = name?.replace(/\(.*\)$/, '').replace('/', '-') ?? name
  // The library has one name for both.
  return told === 'Bergamo' || told === 'Siena' ? 'Bergamo-Siena' : told
}

function fields(entry, report, verdict, { hex }) {
  const facts = {
    version: report.version,
    policy: `0x${report.policy.toString(16)}`,
    vmpl: report.vmpl,
    guestSvn: report.guestSvn,
    platformInfo: `0x${report.platformInfo.toString(16)}`,
    keyInfo: report.keyInfo,
    product: verdict.claims.product,
    measurement: hex(report.measurement),
    reportedTcb: hex(report.reportedTcb),
    fw: report.currentFirmware.join(),
    committedFw: report.committedFirmware.join(),
    launchMit: Number(report.mitigations?.launch ?? 0n),
    authorKey: (report.keyInfo & 1) === 1,
    idBlock: report.idKeyDigest.some((octet) => octet !== 0),
    currentEqCommitted: hex(report.currentTcb) === hex(report.committedTcb),
    currentMit: Number(report.mitigations?.current ?? 0n),
  }
  const told = { ...entry, product: productOf(entry.product) }
  const differing = Object.entries(facts).filter(
    ([name, value]) => told[name] !== undefined && String(told[name]) !== String(value),
  )
  return [differing.length === 0, `${entry.path}: ${differing}`]
}

/** Certificates, list and a moment for one entry of the index. */
export function snpMaterial(
  entry,
  { files, library, tally, material = amdMaterial({ files, library, tally }) },
) {
  const vek = library.parseCertificate(files.evidence(entry.vek.cert))
  const authority = material.issuerOf(vek)
  const root = authority && material.issuerOf(authority)
  const list = material.lists.find(
    (candidate) =>
      root && material.same(candidate.issuer, root.subject) && commonMoment(vek, candidate) !== undefined,
  )
  return {
    certificates: [vek, authority, root].filter((one) => one !== undefined).map(({ raw }) => raw),
    crl: list?.der,
    at: new Date((commonMoment(vek, list) ?? vek.notBefore) * 1000),
  }
}

function judge(entry, bytes, { files, library, material }) {
  const { vek: facts } = entry
  const { certificates, crl, at } = snpMaterial(entry, { files, library, material })
  const verdict = library.verifySnpReport(bytes, {
    certificates,
    at,
    trailingBytes: 'any',
    ...(crl ? { crl } : {}),
  })
  const passed = (id) => verdict.checks.find((check) => check.id === id)?.result === 'pass'
  const bad = verdict.checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)
  const { sigOk = true, chainOk = true, tcbMatch = true, hwidMatch = null } = facts
  const agreements = [
    passed('report-signature') === sigOk,
    (passed('vek-chain') && passed('root-trusted')) === chainOk,
    passed('tcb-match') === tcbMatch,
    hwidMatch === null ? true : passed('chip-id') === hwidMatch,
  ]
  const allGood = sigOk && chainOk && tcbMatch && hwidMatch !== false
  const open = crl ? '' : 'crl,crl-dates,not-revoked'
  if (allGood) agreements.push(bad.join() === open, verdict.ok === (open === ''))
  else agreements.push(!verdict.ok)
  return [
    agreements.every(Boolean),
    `${entry.path} at ${at.toISOString()}: ${agreements}; not passed: ${bad}`,
  ]
}

const folder = 'virtee__sev-snp-measure'

/** Launch digests of every mode that the tool has; a mode that is not known here is a difference. */
export function launchDigestCases({ files, library, tally }) {
  tally.expect('launch digest')
  if (!files.has(`${folder}/vectors.json`)) return
  const { upstream = [], generated = [] } = files.json(`${folder}/vectors.json`)
  for (const entry of [...upstream, ...generated]) {
    const { mode, vmm_type: vmm } = entry
    const kind = `launch digest ${String(mode).replaceAll('_', '-')} ${vmm}`
    const what = entry.test ?? 'generated'
    tally.attempt(kind, what, () => {
      const digest = launchDigest(library, entry, files)
      tally.count(kind, digest === entry.digest, `${what}: ${digest}`)
    })
  }
}

/** Null for a launch that the library refuses, which is what some cases expect. */
function launchDigest(library, entry, files) {
  const compute = digests[entry.mode]
  if (compute === undefined) throw new Error(`mode ${entry.mode} is not known here`)
  try {
    return library.hex(compute(library, entry, files))
  } catch (error) {
    if (error.code === undefined || entry.digest !== null) throw error
    return null
  }
}

const digests = {
  SEV_SNP: (library, entry, files) => library.snpLaunchDigest(launch(entry, files)),
  SEV: (library, entry, files) => library.sevLaunchDigest({ ...launch(entry, files), mode: 'SEV' }),
  SEV_ES: (library, entry, files) => library.sevLaunchDigest({ ...launch(entry, files), mode: 'SEV-ES' }),
  SEV_SNP_SVSM: (library, entry, files) =>
    library.svsmLaunchDigest({
      ...launch(entry, files),
      svsm: image(entry.svsm_file, files),
      ovmfVariablesLength: entry.ovmf_vars_size,
    }),
}

/** Images are named as in the tool's own tests. */
function image(name, files) {
  const places = [`${folder}/${name}`, `${folder}/tests/fixtures/${name}`]
  return files.bytes(places.find((place) => files.has(place)) ?? places[0])
}

function launch(entry, files) {
  const content = (name) => {
    if (name === null || name === '/dev/null' || name === undefined) return new Uint8Array()
    return Uint8Array.from(name.slice('hex:'.length).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  }
  const hex = entry.snp_ovmf_hash_str
  return {
    ovmf: image(entry.ovmf_file, files),
    ...(hex ? { ovmfDigest: content(`hex:${hex}`) } : {}),
    ...(entry.kernel === null
      ? {}
      : {
          kernel: {
            image: content(entry.kernel),
            initrd: content(entry.initrd),
            commandLine: entry.append ?? '',
          },
        }),
    vcpus: entry.vcpus,
    vcpu: entry.vcpu_sig ?? 0,
    features: BigInt(entry.guest_features),
    vmm: entry.vmm_type,
  }
}
