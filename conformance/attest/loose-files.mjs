// Files of files.json that no case names: those for which there is a reader are read, all others are named.
const unpacked = (path) => path.replace(/\.gz$/, '')
const starts = (bytes, ...octets) => octets.every((octet, i) => bytes[i] === octet)
const isCoseEs384 = (bytes) =>
  starts(bytes, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x22) || starts(bytes, 0xd2, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x22)
/** What an origin says is broken, by the name of the file. */
const isBroken = (path) => /corrupt|invalid|bad_sig|broken/i.test(path)

/** AWS Nitro documents, bare or in dstack's container. */
export function nitroCases({ files, library, tally }) {
  const kind = 'AWS Nitro document'
  tally.expect(kind)
  for (const path of files.json('files.json').map((entry) => unpacked(entry.path))) {
    const bytes = files.peek(path)
    if (bytes === undefined || !/\.(?:bin|cbor|cose|dat)$/.test(path)) continue
    const document = isCoseEs384(bytes) ? bytes : contained(bytes, library)
    if (document === undefined) continue
    tally.attempt(kind, path, () => {
      files.bytes(path)
      const judge = (options) => {
        const { checks, claims } = library.verifyNitroDocument(document, options)
        const of = (result) => checks.filter((check) => check.result === result).map(({ id }) => id)
        return { claims, failed: of('fail').join(), open: of('not-checked').join() }
      }
      const { timestamp } = judge({ at: new Date(0) }).claims
      const made = new Date(timestamp)
      const { claims, failed, open } = judge({ at: made })
      const debug = /dbg|debug/.test(path)
      const agreements = isBroken(path)
        ? [failed !== '']
        : [
            failed === (debug ? 'debug' : ''),
            open === 'nonce',
            claims.debug === debug,
            judge({ at: new Date(made.getTime() + 301_000), allowDebug: true }).failed === 'fresh',
            judge({ at: made, allowDebug: true, nonce: Uint8Array.of(1) }).failed === 'nonce',
          ]
      tally.count(kind, agreements.every(Boolean), `${path}: ${agreements}; failed ${failed}, open ${open}`)
    })
  }
}

function contained(bytes, { parseDstackAttestation }) {
  if (bytes[0] !== 0) return undefined
  try {
    const { evidence } = parseDstackAttestation(bytes)
    return evidence.platform === 'nitro' ? evidence.document : undefined
  } catch {
    return undefined
  }
}

const readers = [
  {
    kind: 'Azure HCL report',
    takes: (_path, bytes) => starts(bytes, 0x48, 0x43, 0x4c, 0x41),
    agrees: (path, { files, library }) => {
      const report = library.parseHclReport(files.bytes(path))
      const named = JSON.parse(new TextDecoder().decode(report.runtimeData)).keys.map(({ kid }) => kid)
      const { reportData, runtimeData } = report
      const bound = library.hex(reportData).startsWith(library.hex(library.sha256Bytes(runtimeData)))
      return bound && named.includes('HCLAkPub')
    },
  },
  {
    kind: 'quote outside the index, read',
    takes: (path, bytes) =>
      /quote[^/]*\.(?:bin|dat|hex)$/i.test(path) &&
      bytes[1] === 0 &&
      [3, 4, 5].includes(bytes[0]) &&
      bytes.length > 436,
    agrees: (path, { files, library }) => {
      const { attestationKey, signed, signature } = library.parseQuote(files.evidence(path))
      return library.verifyP256(attestationKey, signed, signature) !== isBroken(path)
    },
  },
  {
    kind: 'certificate text, read',
    takes: (path, bytes) =>
      /\.(?:pem|crt|cer|cert|txt)$/.test(path) && /-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(textOf(bytes)),
    agrees: (path, { files, library }) => files.certificates(path).map(library.parseCertificate).length > 0,
  },
  {
    kind: 'revocation list text, read',
    takes: (path, bytes) => /\.(?:pem|crl)$/.test(path) && /-----BEGIN X509 CRL-----/.test(textOf(bytes)),
    agrees: (path, { files, library }) => library.parseRevocationList(files.evidence(path)).revoked.size >= 0,
  },
  {
    kind: 'Intel document that must be refused',
    takes: (path, bytes) =>
      /\.json$/.test(path) && /^\s*\{\s*"(?:tcbInfo|enclaveIdentity)"/.test(textOf(bytes)),
    agrees: (path, { files, library }) => {
      const text = files.text(path)
      const parse = /^\s*\{\s*"tcbInfo"/.test(text) ? library.parseTcbInfo : library.parseQeIdentity
      // Of Intel's test PKI, in another form than its service gives, or changed: none may carry a signature of Intel's own.
      let document
      try {
        document = parse(text)
      } catch (error) {
        if (error.code === 'BAD_COLLATERAL') return true
        throw error
      }
      const all = files
        .json('index.json')
        .filter(({ kind, path: one }) => kind === 'cert' && one.startsWith('_certs/intel/'))
        .map((entry) => library.parseCertificate(files.evidence(entry.path)))
      const roots = all.filter((one) => library.rootClaim(one).vendor === 'intel')
      const intels = all.filter(
        (one) =>
          one.commonName.includes('TCB Signing') &&
          roots.some((root) => library.chainProblem([one, root], library.verifyP256) === undefined),
      )
      const signed = intels.some((one) =>
        library.verifyP256(one.publicKey, document.signed, document.signature),
      )
      return intels.length > 0 && !signed
    },
  },
]

const textOf = (bytes) => new TextDecoder().decode(bytes.subarray(0, 4096))

/** What there is no reader for, with the reason; whatever is not on this list and not read is a difference. */
const exceptions = [
  [/tpm_eventlog\.bin$|tpm_evidence\.json$/, 'bare TPM evidence: no such verifier here'],
  [/app-compose\.json$|sys-config\.json$|eventlog\.json$/, 'parts of a vector under dstack-vectors'],
  [/encrypted_ppid\.bin$/, 'an encrypted platform id by itself: proves nothing'],
  [/qveIdentity\.json$/, 'identity of the quote verification enclave: not used'],
  [/fmspcs[^/]*\.json$/, 'a list of platforms: nothing is signed'],
  [
    /tpm-quote[^/]*$|az-[^/]*-vtpm\/[^/]*\.bin$|az_[^/]*\/[^/]*\.bin$/,
    'parts of the evidence files beside them',
  ],
  [/az-cvm-vtpm\/test\/(?:var-data\.bin|akpub\.pem|quote\.bin)$/, 'parts of an HCL report'],
  [/tdreport[^/]*\.bin$|testdata\/report\.dat$/, 'TDREPORT: its MAC can be checked on its own machine only'],
  [/x5c_chain\.json$/, 'a chain of NVIDIA’s service: no chain of its keys is judged'],
  [/hopperClaimsv3_decoded\.json$/, 'claims without a token: a test of the package signs them'],
  [/AttestationReport-claims\.txt$|parse_tdx_claims_expected\.json$/, 'what another program prints'],
  [/csv_evidence\.json$/, 'Hygon CSV: no such verifier here'],
  [/e2e\/evidence\.json$/, 'a sample TEE of trustee, no hardware'],
  [
    /ccel_table\.dat$|\.table\.bin$|\/CCEL\.bin$|ccel\/nonce\.dat$/,
    'ACPI tables and nonces beside event logs',
  ],
  [/ovmf_img_[0-9]+\.json$/, 'descriptions for another port; the images are measured'],
  [
    /test_(?:id|auth)_[^/]*\.bin$|id_block\.b64$|auth_info\.b64$/,
    'ID blocks: the host’s input, not evidence',
  ],
  [/snp_report_msg_resp\.bin$/, 'the firmware’s answer around a report'],
  [/vmlinuz\.cmdline$/, 'a command line by itself'],
]

/** The last word about every file of files.json. Call it when all other groups have run. */
export function looseFiles({ files, library, tally, print }) {
  const index = files.json('index.json')
  const [origins, sums] = [
    new Set(index.flatMap(({ origin }) => origin ?? [])),
    new Set(index.map(({ sha256 }) => sha256)),
  ]
  const left = new Map()
  for (const entry of files.json('files.json')) {
    const path = unpacked(entry.path)
    // Other kinds are named by themselves; what the index holds was read there, under the name that it has there.
    const named = entry.kind !== undefined && entry.kind !== 'file'
    if (named || files.wasRead(path) || sums.has(entry.sha256) || origins.has(entry.origin)) continue
    const bytes = files.peek(path)
    if (bytes === undefined) {
      tally.count('not read', false, `${path} is not there`)
      continue
    }
    const reader = readers.find(({ takes }) => takes(path, bytes))
    if (reader !== undefined) {
      tally.attempt(reader.kind, path, () =>
        tally.count(reader.kind, reader.agrees(path, { files, library }), path),
      )
      continue
    }
    const reason = exceptions.find(([pattern]) => pattern.test(path))?.[1]
    if (reason === undefined)
      tally.count('not read', false, `${path} (${entry.what ?? 'nothing said of it'})`)
    else left.set(reason, [...(left.get(reason) ?? []), path])
  }
  for (const [reason, paths] of left) print(`not read: ${paths.length} (${reason}): ${paths.join(' ')}`)
}
