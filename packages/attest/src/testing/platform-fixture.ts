import { createSign, generateKeyPairSync, sign } from 'node:crypto'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { encodeBase64Url } from '@sealpool/crypto'
import type { AzureEvidence } from '../azure/verify.js'
import { composeHash, type DstackEvent, dstackRuntimeEventType } from '../dstack/event-log.js'
import { mrConfigDigest } from '../dstack/mr-config.js'
import { formatPemCertificates } from '../encoding/pem.js'
import { parseCertificate } from '../encoding/x509.js'
import { replayRegister } from '../event-log/replay.js'
import { nvidiaTokenIssuer } from '../nvidia/token.js'
import { derOctets, derOid, derSequence } from '../simulator/der-writer.js'
import { createAmdSimulator } from '../simulator/index.js'
import { makeCertificate, publicKeyOf } from '../simulator/test-pki.js'
import { at, seededRandom, simulator } from './fixture.js'

// Evidence of the platforms above TDX and SEV-SNP, made on the simulators: no hardware stands behind any of it.

const utf8 = (text: string) => new TextEncoder().encode(text)
const padded = (bytes: Uint8Array, length: number) =>
  concatBytes(bytes, new Uint8Array(length - bytes.length))
const number = (value: number, bytes: number, little = false) => {
  const out = Uint8Array.from({ length: bytes }, (_, i) => (value / 2 ** (8 * (bytes - 1 - i))) & 0xff)
  return little ? out.reverse() : out
}

// --- Azure ---

const vtpm = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const vtpmKey = vtpm.publicKey.export({ format: 'jwk' }) as { n: string }
export const amd = createAmdSimulator({ random: seededRandom('azure'), at, product: 'Genoa' })

/** HCL report of an Azure VM on one of the simulators. */
function hclReport(tee: 'sev-snp' | 'tdx', runtimeData: Uint8Array, hardware: Uint8Array): Uint8Array {
  return concatBytes(
    padded(utf8('HCLA'), 32),
    padded(hardware, 1184),
    new Uint8Array(8),
    number(tee === 'sev-snp' ? 2 : 4, 4, true),
    number(1, 4, true),
    number(runtimeData.length, 4, true),
    runtimeData,
  )
}

/** What may be wrong with simulated Azure evidence. */
export interface AzureDefects {
  readonly tee?: 'sev-snp' | 'tdx'
  readonly runtimeText?: string
  readonly quoteReportData?: Uint8Array
  readonly bank?: number
  readonly selected?: readonly number[]
  readonly registers?: readonly Uint8Array[]
  readonly extraData?: Uint8Array
  readonly otherKey?: boolean
  readonly debug?: boolean
}

export const azureNonce = new Uint8Array(32).fill(5)
export const azureRegisters: readonly Uint8Array[] = Array.from({ length: 24 }, (_, i) =>
  new Uint8Array(32).fill(i),
)

const underDebug = ({ debug }: { readonly debug?: boolean }) =>
  debug === true ? { defect: 'debug' as const } : {}

/** Evidence of an Azure confidential VM. */
export function azureEvidence(defects: AzureDefects = {}): AzureEvidence {
  const { tee = 'sev-snp', bank = 0x000b, extraData = azureNonce } = defects
  const selected = defects.selected ?? azureRegisters.map((_, i) => i)
  const registers = defects.registers ?? azureRegisters
  const keys = [{ kid: 'HCLAkPub', kty: 'RSA', e: 'AQAB', n: vtpmKey.n }]
  const signedRuntime = utf8(JSON.stringify({ keys }))
  const reportData = padded(sha256(signedRuntime), 64)
  const runtimeData = defects.runtimeText === undefined ? signedRuntime : utf8(defects.runtimeText)
  const tdReport = new Uint8Array(1024)
  tdReport.set(reportData, 128)
  const hardware = tee === 'tdx' ? tdReport : amd.report({ reportData, ...underDebug(defects) })
  const mask = new Uint8Array(3)
  for (const i of selected) mask[i >> 3] = (mask[i >> 3] ?? 0) | (1 << (i & 7))
  const covered = selected.map((i) => azureRegisters[i] ?? new Uint8Array(32))
  const message = concatBytes(
    number(0xff544347, 4),
    number(0x8018, 2),
    number(0, 2),
    number(extraData.length, 2),
    extraData,
    new Uint8Array(25),
    number(1, 4),
    number(bank, 2),
    number(3, 1),
    mask,
    number(32, 2),
    sha256(concatBytes(...covered)),
  )
  const key = defects.otherKey === true ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : vtpm
  return {
    hclReport: hclReport(tee, runtimeData, hardware),
    tpmQuote: {
      message,
      signature: new Uint8Array(createSign('sha256').update(message).sign(key.privateKey)),
      registers,
    },
    ...(tee === 'tdx'
      ? {
          quote: simulator.quote({
            reportData: defects.quoteReportData ?? reportData,
            ...underDebug(defects),
          }),
        }
      : {}),
  }
}

// --- dstack ---

/** A runtime event of dstack with its digest of version 1. */
export function runtimeEvent(event: string, payload = ''): DstackEvent {
  const digest = sha384(concatBytes(Uint8Array.of(1, 0, 0, 8), utf8(`:${event}:`), hexToBytes(payload)))
  return {
    imr: 3,
    event_type: dstackRuntimeEventType,
    digest: bytesToHex(digest),
    event,
    event_payload: payload,
  }
}

export const compose = '{"name":"app"}'
export const appId = '0b'.repeat(20)
export const keyProvider = '{"name":"kms","id":"3059"}'
export const osImageHash = '0c'.repeat(32)
export const dstackLog: readonly DstackEvent[] = [
  ...[0, 1, 2].map((imr) => ({
    imr,
    event_type: 4,
    digest: bytesToHex(sha384(Uint8Array.of(imr))),
    event: '',
    event_payload: '',
  })),
  runtimeEvent('app-id', appId),
  runtimeEvent('compose-hash', composeHash(compose).slice(2)),
  runtimeEvent('os-image-hash', osImageHash),
  runtimeEvent('key-provider', bytesToHex(utf8(keyProvider))),
  runtimeEvent('system-ready'),
  runtimeEvent('app-says', '01'),
]

/** RTMR0 to RTMR3 after these events. */
export const logRegisters = (log: readonly DstackEvent[]) =>
  [0, 1, 2, 3].map((imr) =>
    replayRegister(log.filter((one) => one.imr === imr).map(({ digest }) => hexToBytes(digest))),
  )

/** What may be wrong with a simulated RA-TLS certificate. */
export interface CertificateDefects {
  /** The log in the certificate; null leaves it out. */
  readonly log?: readonly DstackEvent[] | string | null
  /** The log that the quote's registers were made of. */
  readonly measured?: readonly DstackEvent[]
  readonly reportData?: Uint8Array
  readonly appId?: string | null
  readonly quote?: Uint8Array | null
  readonly debug?: boolean
  readonly notAfter?: number
  /** Content of extension 8. */
  readonly container?: Uint8Array
}

/** DER of an RA-TLS certificate of dstack over a simulated quote. */
export function raTlsCertificate(defects: CertificateDefects = {}): Uint8Array {
  const { log = dstackLog, measured = dstackLog } = defects
  const privateKey = new Uint8Array(32).fill(3)
  const seconds = at.getTime() / 1000
  const text = typeof log === 'string' ? log : JSON.stringify(log)
  const make = (extensions: Uint8Array[]) =>
    makeCertificate({
      commonName: 'app',
      publicKey: publicKeyOf(privateKey),
      issuer: { commonName: 'dstack app CA', privateKey },
      notBefore: seconds - 60,
      notAfter: defects.notAfter ?? seconds + 60,
      extensions,
    })
  const { spki } = parseCertificate(make([]))
  const reportData = defects.reportData ?? sha512(concatBytes(utf8('ratls-cert:'), spki))
  const quote =
    defects.quote === undefined
      ? simulator.quote({
          reportData,
          rtmrs: logRegisters(measured),
          ...underDebug(defects),
        })
      : defects.quote
  const named = defects.appId === undefined ? appId : defects.appId
  const extension = (arc: string, content: Uint8Array) =>
    derSequence(derOid(`1.3.6.1.4.1.62397.1.${arc}`), derOctets(derOctets(content)))
  return make([
    ...(quote === null ? [] : [extension('1', quote)]),
    ...(defects.container === undefined ? [] : [extension('8', defects.container)]),
    ...(log === null ? [] : [extension('2', utf8(text))]),
    ...(named === null ? [] : [extension('3', hexToBytes(named))]),
  ])
}

/** What may be wrong with a simulated container of an SEV-SNP guest. */
export interface SnpContainerDefects {
  /** The document in the container, and what the report's host data name, when it is another one. */
  readonly document?: string
  readonly named?: string
  /** Report data in the report, and in the container. */
  readonly reportData?: Uint8Array
  readonly claimed?: Uint8Array
  readonly certificates?: readonly Uint8Array[]
  readonly debug?: boolean
}

export const askedData = new Uint8Array(64).fill(11)
export const mrConfigFields = {
  app_id: appId,
  compose_hash: composeHash(compose).slice(2),
  instance_id: '0e'.repeat(20),
  key_provider: 'kms',
  key_provider_id: '3059',
  version: 3,
}
export const mrConfigText = JSON.stringify(mrConfigFields)

/** Bytes behind their length in SCALE's compact form of one, two or four bytes. */
function scaleBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const [mode, size] = length < 1 << 6 ? [0, 1] : length < 1 << 14 ? [1, 2] : [2, 4]
  return concatBytes(number(length * 4 + mode, size, true), bytes)
}

/** dstack's container (version 0) of evidence of a simulated SEV-SNP guest. */
export function dstackSnpContainer(defects: SnpContainerDefects = {}): Uint8Array {
  const { document = mrConfigText, reportData = askedData } = defects
  const hostData = hexToBytes(mrConfigDigest(defects.named ?? document).slice(2))
  const carried = defects.certificates ?? amd.certificates().map((der) => utf8(formatPemCertificates([der])))
  return concatBytes(
    Uint8Array.of(0, 3),
    scaleBytes(amd.report({ reportData, hostData, ...underDebug(defects) })),
    Uint8Array.of(carried.length << 2),
    ...carried.map(scaleBytes),
    scaleBytes(utf8(document)),
    Uint8Array.of(0),
    defects.claimed ?? reportData,
    scaleBytes(utf8('{}')),
  )
}

// --- NVIDIA's attestation service ---

const service = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const jwk = service.publicKey.export({ format: 'jwk' }) as { kty: string; crv: string; x: string; y: string }
export const serviceKeys = [{ ...jwk, kid: 'key-1' }]
export const gpuNonce = new Uint8Array(32).fill(6)

/** A token with these claims, or their JSON text, signed by the simulated service. */
export function serviceToken(
  claims: object | string,
  header: object = { alg: 'ES384', kid: 'key-1', typ: 'JWT' },
): string {
  const part = (value: object | string) =>
    encodeBase64Url(utf8(typeof value === 'string' ? value : JSON.stringify(value)))
  const text = `${part(header)}.${part(claims)}`
  const signature = sign('sha384', utf8(text), { key: service.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${text}.${encodeBase64Url(new Uint8Array(signature))}`
}

/** Changes to the claims of a simulated answer of the service. */
export interface TokenDefects {
  readonly overall?: object
  readonly device?: object
  readonly header?: object
  readonly devices?: Readonly<Record<string, string>>
}

/** What the service says of a chain with which nothing is wrong. */
export const goodChain = {
  'x-nvidia-cert-status': 'valid',
  'x-nvidia-cert-ocsp-status': 'good',
  'x-nvidia-cert-expiration-date': '9999-12-31T23:59:59Z',
  'x-nvidia-cert-revocation-reason': null,
}

/** What the service answers about one GPU. */
export function serviceAnswer(defects: TokenDefects = {}): unknown[] {
  const seconds = at.getTime() / 1000
  const common = {
    iss: nvidiaTokenIssuer,
    nbf: seconds - 60,
    iat: seconds - 60,
    exp: seconds + 3600,
    eat_nonce: bytesToHex(gpuNonce),
  }
  const device = serviceToken(
    {
      ...common,
      hwmodel: 'GH100 A01 GSP BROM',
      ueid: '4781',
      measres: 'success',
      secboot: true,
      dbgstat: 'disabled',
      'x-nvidia-gpu-driver-version': '550.90.07',
      'x-nvidia-gpu-vbios-version': '96.00.9F.00.01',
      'x-nvidia-attestation-warning': null,
      'x-nvidia-gpu-arch-check': true,
      'x-nvidia-gpu-attestation-report-cert-chain': goodChain,
      'x-nvidia-gpu-attestation-report-cert-chain-fwid-match': true,
      'x-nvidia-gpu-attestation-report-nonce-match': true,
      'x-nvidia-gpu-attestation-report-signature-verified': true,
      'x-nvidia-gpu-driver-rim-cert-chain': goodChain,
      ...defects.device,
    },
    defects.header,
  )
  const submods = { 'GPU-0': ['DIGEST', ['SHA-256', bytesToHex(sha256(utf8(device)))]] }
  const overall = serviceToken({
    ...common,
    'x-nvidia-overall-att-result': true,
    submods,
    ...defects.overall,
  })
  return [['JWT', overall], defects.devices ?? { 'GPU-0': device }]
}
