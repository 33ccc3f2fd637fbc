import { encodeHex } from '@sealpool/crypto'
import { lineOf, reportProduct } from '../amd/claims.js'
import { parseSnpReport, type SnpReport } from '../amd/report.js'
import { readTcb } from '../amd/tcb-version.js'
import { bundledCollateral, collateralBundleSchema } from '../collateral-source/bundle.js'
import { type AmdMaterial, intelRequest } from '../collateral-source/port.js'
import { verifyBundle } from '../collateral-source/verify-bundle.js'
import { AttestError } from '../errors.js'
import { type Collateral, parseCollateral } from '../intel/collateral.js'
import { type Appraisal, appraise } from '../policy/appraise.js'
import { parsePlatformPolicy } from '../policy/platform-policy.js'
import { type AttestationPolicy, defaultAttestationPolicy, parseAttestationPolicy } from '../policy/policy.js'
import type { ReceiptBundle } from '../receipt/bundle.js'
import type { ReceiptDeployment } from '../receipt/consistency.js'
import type { ReceiptVerdict } from '../receipt/verify.js'
import { computationProof } from '../steps/computation-proof.js'
import { verificationSteps } from '../steps/verification-steps.js'
import type { SnpProductLine } from '../trust-anchor/amd.js'
import type { Check } from '../verdict/check-list.js'
import type { Verdict } from '../verdict/verdict.js'
import { verifyNodeEvidence, verifyQuote, verifyReceipt, verifySnpReport } from '../with-platform.js'
import { type Command, readArguments } from './arguments.js'
import { judgeGpus } from './gpu-question.js'
import { verifyLogFile } from './log-question.js'
import { momentOf } from './moment-argument.js'
import { ownVersion } from './own-version.js'
import { type CliOutput, harmless, harmlessJson, printAnswer, printChecks } from './print.js'
import { readEvidence } from './read-evidence.js'
import { readBytes, readJson, UnreadableError } from './read-file.js'
import { readReceiptBundle } from './read-receipt-bundle.js'
import { UsageError, usage } from './usage.js'

/** What {@link runVerifyCli} needs from the process. */
export interface VerifyCliIo extends CliOutput {
  /** The moment used without `--at`. */
  readonly now: () => Date
}

/** 0: everything was checked and holds. 1: something does not hold. 2: the question cannot be answered. */
export type VerifyExitCode = 0 | 1 | 2

interface Options {
  readonly policy: AttestationPolicy | undefined
  /** The policy's file: GPUs are judged by one of another form. */
  readonly policyFile: string | undefined
  readonly eventLog: string | undefined
  readonly token: string | undefined
  readonly keys: string | undefined
  readonly at: Date
  readonly json: boolean
  readonly collateral: string | undefined
  readonly bundle: string | undefined
  readonly certificates: string | undefined
  readonly crl: string | undefined
  readonly trust: string | undefined
  readonly nonce: string | undefined
  readonly partner: string | undefined
  readonly deployment: ReceiptDeployment | undefined
}

/** The contracts that the verifier means, as `deployAll` writes them: only chain and NodeRegistry are read. */
function deploymentOf(json: unknown): ReceiptDeployment {
  const { chainId, nodeRegistry } = (json ?? {}) as {
    readonly chainId?: unknown
    readonly nodeRegistry?: unknown
  }
  if (
    typeof chainId !== 'number' ||
    typeof nodeRegistry !== 'string' ||
    !/^0x[0-9a-fA-F]{40}$/.test(nodeRegistry)
  ) {
    throw new UsageError('--deployment must name a JSON file with chainId and nodeRegistry.')
  }
  return { chainId, registry: nodeRegistry as `0x${string}` }
}

/**
 * Runs `sealpool-verify`.
 *
 * @param args the arguments after the command's name
 * @param io where to write, whether in colours, and the clock
 * @returns the exit code; never throws for bad input
 */
export async function runVerifyCli(args: readonly string[], io: VerifyCliIo): Promise<VerifyExitCode> {
  // Alone only: elsewhere it may be a stranger's file name, and 0 says that everything holds.
  if (args.length === 1 && ['--help', '-h', 'help'].includes(args[0] ?? '')) {
    io.write(usage)
    return 0
  }
  if (args.length === 1 && ['--version', 'version'].includes(args[0] ?? '')) {
    io.write(`sealpool-verify ${ownVersion()}\n`)
    return 0
  }
  if (args.length === 0) {
    io.writeError(usage)
    return 2
  }
  try {
    const { command, target, values } = readArguments(args)
    return await commands[command](target, await readOptions(command, values, io), io)
  } catch (error) {
    if (error instanceof UsageError) {
      if (args.includes('--json')) io.write(noAnswer(error))
      io.writeError(`${harmless(error.message)}\nTry: sealpool-verify --help\n`)
      return 2
    }
    if (error instanceof UnreadableError || error instanceof AttestError) {
      // Programs read standard output: with --json they find there that there is no answer.
      if (args.includes('--json')) io.write(noAnswer(error))
      io.writeError(`Cannot tell: ${harmless(error.message)}\n`)
      return 2
    }
    throw error
  }
}

function noAnswer({ message }: Error): string {
  return harmlessJson({ ok: null, error: message })
}

async function readOptions(
  command: Command,
  values: ReturnType<typeof readArguments>['values'],
  io: VerifyCliIo,
): Promise<Options> {
  const at = values.at === undefined ? io.now() : momentOf(values.at)
  const policyFile = values.policy
  const policy =
    policyFile === undefined || command === 'gpu'
      ? undefined
      : parseAttestationPolicy(await readJson(policyFile))
  const deployment =
    values.deployment === undefined ? undefined : deploymentOf(await readJson(values.deployment))
  const { json, collateral, nonce, partner, bundle, certificates, crl, trust, token, keys } = values
  const guest = { policyFile, eventLog: values['event-log'], token, keys }
  const files = { collateral, nonce, partner, bundle, certificates, crl, trust, deployment, ...guest }
  return { policy, at, json: json === true, ...files }
}

async function receipt(folder: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  const read = await verifyFolder(folder, options)
  if ('error' in read) return unreadable(read.error, options, io)
  return answer(io, options, read.verdict, () => printReceipt(io, read.verdict))
}

async function steps(folder: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  const theirs = options.partner === undefined ? undefined : await readJson(options.partner)
  const read = await verifyFolder(folder, options)
  if ('error' in read) return unreadable(read.error, options, io)
  const { verdict, bundle } = read
  const checks = verificationSteps(
    verdict,
    theirs === undefined ? undefined : { own: bundle.receipt, theirs },
  )
  const ok = checks.every(({ result }) => result === 'pass')
  return answer(io, options, { ok, simulated: verdict.simulated, checks }, () => {
    for (const [when, heading] of [
      ['before', 'Before the computation'],
      ['after', 'After the computation'],
    ] as const)
      printChecks(
        io,
        heading,
        checks.filter((step) => step.when === when),
      )
    printAnswer(io, ok, verdict.simulated, receiptSummary(verdict))
  })
}

async function proof(folder: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  const read = await verifyFolder(folder, options)
  if ('error' in read) return unreadable(read.error, options, io)
  const { verdict, bundle } = read
  const short = computationProof(verdict, bundle)
  if (short !== undefined) {
    io.write(harmlessJson(short))
    return 0
  }
  // A refusal that verifies is no proof that anything was computed.
  const told = { ...verdict, ok: false }
  return answer(io, options, told, () => printReceipt(io, told))
}

/** The receipt of a folder with its verdict. A file that is not canonical was changed or never was a bundle's: that is an answer, not a missing file. */
async function verifyFolder(folder: string, { policy, at, deployment }: Options) {
  let bundle: ReceiptBundle
  try {
    bundle = await readReceiptBundle(folder)
  } catch (error) {
    if (!(error instanceof AttestError)) throw error
    return { error: error.message }
  }
  const trust = policy ?? defaultAttestationPolicy
  const meant = deployment === undefined ? {} : { deployment }
  return { bundle, verdict: verifyReceipt({ ...bundle, trust, at, ...meant }) }
}

function printReceipt(io: VerifyCliIo, verdict: ReceiptVerdict): void {
  const { ok, simulated, checks, evidence: node } = verdict
  if (node !== null) printChecks(io, 'The node’s evidence', node.checks)
  printChecks(io, 'The receipt', checks)
  printAnswer(io, ok, simulated, receiptSummary(verdict))
}

function unreadable(error: string, options: Options, io: VerifyCliIo): VerifyExitCode {
  const verdict = { ok: false, simulated: true, error, checks: [] }
  return answer(io, options, verdict, () => printAnswer(io, false, false, error))
}

function receiptSummary({ body }: ReceiptVerdict): string {
  return body === null ? 'receipt' : `receipt of job ${body.job.id} (${body.outcome})`
}

async function evidence(path: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  const json = await readJson(path)
  const { nonce } = options
  if (nonce !== undefined && !/^0x[0-9a-fA-F]{64}$/.test(nonce)) {
    throw new UsageError('--nonce must be 0x and 64 hexadecimal digits.')
  }
  const verdict = verifyNodeEvidence({
    evidence: json,
    policy: options.policy ?? defaultAttestationPolicy,
    at: options.at,
    ...(nonce === undefined ? {} : { nonce: nonce as `0x${string}` }),
  })
  return answer(io, options, { simulated: verdict.verdict.simulated, ...verdict }, () => {
    printChecks(io, 'The node’s evidence', verdict.checks)
    printAnswer(io, verdict.ok, verdict.verdict.simulated, `node ${verdict.keySet.statement.address}`)
  })
}

function namedRoots(policy: AttestationPolicy | undefined): `sha256:${string}`[] {
  if (policy?.allowSimulator !== true) return []
  return policy.roots.filter((root) => root !== 'intel' && root !== 'amd')
}

async function collateralFor(quote: Uint8Array, options: Options): Promise<Collateral> {
  if (options.bundle !== undefined)
    return bundledCollateral(await readJson(options.bundle)).intel(intelRequest(quote))
  if (options.collateral !== undefined) return parseCollateral(await readJson(options.collateral))
  throw new UsageError('A quote needs --collateral <file> or --bundle <file>.')
}

async function gpu(path: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  const { policyFile, eventLog, token, keys, at } = options
  if (policyFile === undefined || eventLog === undefined || token === undefined || keys === undefined)
    throw new UsageError('GPUs need --policy, --event-log, --token and --keys, each with a file.')
  const policy = parsePlatformPolicy(await readJson(policyFile))
  if (policy.gpu === undefined) throw new UsageError('The platform policy has no rules for gpu.')
  const bytes = await readEvidence(path)
  const collateral = await collateralFor(bytes, options)
  const trustedRoots = namedRoots(policy.dstack?.hardware)
  const hardware = verifyQuote(bytes, { collateral, at, trustedRoots })
  const judged = judgeGpus({
    hardware,
    policy,
    at,
    eventLog: await readJson(eventLog),
    token: await readJson(token),
    keys: await readJson(keys),
  })
  const { appraisal, parts } = judged
  const { simulated } = hardware
  const ok = appraisal.answer === 'allowed'
  const checks = parts.flatMap((part) => part.checks)
  const spoken = { ok, simulated, checks, appraisal }
  return answer(io, options, spoken, () => {
    for (const part of parts) printChecks(io, part.heading, part.checks)
    printAppraisal(io, appraisal)
    io.write('\nWhat this does not prove:\n')
    for (const limit of appraisal.limits) io.write(`  - ${limit}\n`)
    printAnswer(io, ok, simulated, 'GPUs of a guest')
  })
}

async function quote(path: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  const bytes = await readEvidence(path)
  const collateral = await collateralFor(bytes, options)
  const trustedRoots = namedRoots(options.policy)
  const verdict = verifyQuote(bytes, { collateral, at: options.at, trustedRoots })
  return appraised(verdict, 'The quote', options, io)
}

async function snp(path: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  const bytes = await readEvidence(path)
  const trustedRoots = namedRoots(options.policy)
  let material: { certificates: string | readonly Uint8Array[]; crl?: Uint8Array }
  if (options.bundle !== undefined) {
    material = await bundledMaterial(parseSnpReport(bytes), await readJson(options.bundle))
  } else if (options.certificates !== undefined) {
    const certificates = new TextDecoder().decode(await readBytes(options.certificates))
    material = { certificates, ...(options.crl === undefined ? {} : { crl: await readBytes(options.crl) }) }
  } else throw new UsageError('A report needs --certificates <pem> and --crl <der>, or --bundle <file>.')
  const verdict = verifySnpReport(bytes, { ...material, at: options.at, trustedRoots })
  return appraised(verdict, 'The report', options, io)
}

/** Reports of version 2 do not name their processor, which may be a Milan or a Genoa then. */
async function bundledMaterial(report: SnpReport, json: unknown): Promise<AmdMaterial> {
  const product = reportProduct(report) ?? undefined
  const source = bundledCollateral(json)
  const ask = (line: SnpProductLine) => {
    const hwid = encodeHex(report.chipId.subarray(0, line === 'Turin' ? 8 : 64)).slice(2)
    return source.amd({ line, hwid, tcb: readTcb(report.reportedTcb, line) })
  }
  if (product !== undefined) return ask(lineOf(product))
  return ask('Milan').catch(() => ask('Genoa'))
}

function appraised(verdict: Verdict, heading: string, options: Options, io: VerifyCliIo): VerifyExitCode {
  const { policy } = options
  const appraisal = policy === undefined ? null : appraise(verdict, policy)
  // Whoever reads only the exit code must never take evidence of a debug mode for good: that needs no policy to say.
  const checks = appraisal === null ? [...verdict.checks, debugCheck(verdict)] : verdict.checks
  const ok =
    appraisal === null ? checks.every(({ result }) => result === 'pass') : appraisal.answer === 'allowed'
  const spoken = { ...verdict, ok, checks, appraisal }
  return answer(io, options, spoken, () => {
    printChecks(io, heading, checks)
    if (appraisal === null)
      io.write(`\nPolicy: none was applied; only whether the evidence verifies is said.\n`)
    else printAppraisal(io, appraisal)
    printAnswer(io, ok, verdict.simulated, quoteSummary(verdict))
  })
}

function debugCheck({ claims }: Verdict): Check {
  const title = 'It does not run under debug'
  return claims.debug
    ? { id: 'debug', title, result: 'fail', detail: 'it runs under debug: its host can read its memory' }
    : { id: 'debug', title, result: 'pass', detail: 'It does not.' }
}

async function log(path: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  if (options.trust === undefined) throw new UsageError('A logged entry needs --trust <file>.')
  const verdict = verifyLogFile(await readJson(path), await readJson(options.trust), options.at)
  const { checkpoint } = verdict
  // Roots have hex in JSON, as everything binary here.
  const shown = checkpoint === null ? null : { ...checkpoint, root: encodeHex(checkpoint.root) }
  const spoken = { ...verdict, checkpoint: shown, simulated: false }
  return answer(io, options, spoken, () => {
    printChecks(io, 'The logged entry', verdict.checks)
    printAnswer(io, verdict.ok, false, `entry of ${checkpoint?.origin ?? 'an unknown log'}`)
  })
}

async function bundle(path: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  const parsed = collateralBundleSchema.parse(await readJson(path))
  const entries = verifyBundle(parsed, { at: options.at, trustedRoots: namedRoots(options.policy) })
  const checks = entries.flatMap((entry) => entry.checks)
  const ok = entries.length > 0 && entries.every((entry) => entry.ok)
  const simulated = entries.some((entry) => entry.simulated)
  const spoken = { ok, simulated, checks, entries }
  return answer(io, options, spoken, () => {
    for (const { name, checks: list, nextUpdate } of entries)
      printChecks(io, nextUpdate === null ? name : `${name}, until ${nextUpdate}`, list)
    printAnswer(io, ok, simulated, `bundle of ${entries.length} entries`)
  })
}

const commands: Readonly<Record<Command, typeof quote>> = {
  receipt,
  steps,
  proof,
  evidence,
  quote,
  snp,
  gpu,
  log,
  bundle,
}

function quoteSummary({ tee, claims, tcbStatus }: Verdict): string {
  const debug = claims.debug ? ', DEBUG' : ''
  const version = claims.tee === 'sev-snp' ? claims.reportVersion : claims.quoteVersion
  if (claims.tee === 'sev-snp')
    return `SEV-SNP report version ${version} of ${claims.product ?? 'an unknown processor'}${debug}`
  return `${tee.toUpperCase()} quote version ${version}, TCB status ${tcbStatus ?? 'unknown'}${debug}`
}

function printAppraisal(io: VerifyCliIo, appraisal: Appraisal): void {
  io.write(`\nPolicy: ${appraisal.answer}\n`)
  for (const reason of appraisal.reasons) io.write(`  - ${harmless(reason)}\n`)
}

function answer(
  io: VerifyCliIo,
  options: Options,
  verdict: { readonly ok: boolean; readonly simulated: boolean; readonly checks: readonly Check[] },
  print: () => void,
): VerifyExitCode {
  if (options.json) io.write(harmlessJson(verdict))
  else print()
  if (verdict.ok) return 0
  // Nothing speaks against it, but something could not be looked at (a file that is not there): that is no "no".
  const open = verdict.checks.every(({ result }) => result !== 'fail')
  return open && verdict.checks.some(({ result }) => result === 'not-checked') ? 2 : 1
}
