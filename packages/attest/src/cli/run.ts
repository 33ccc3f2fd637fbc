import { parseArgs } from 'node:util'
import { AttestError } from '../errors.js'
import { verifyNodeEvidence } from '../evidence/node-evidence.js'
import { parseCollateral } from '../intel/collateral.js'
import { verifyQuote } from '../intel/verify.js'
import { type Appraisal, appraise } from '../policy/appraise.js'
import { type AttestationPolicy, defaultAttestationPolicy, parseAttestationPolicy } from '../policy/policy.js'
import type { ReceiptDeployment } from '../receipt/consistency.js'
import { verifyReceipt } from '../receipt/verify.js'
import type { Check } from '../verdict/check-list.js'
import type { Verdict } from '../verdict/verdict.js'
import { type CliOutput, printAnswer, printChecks } from './print.js'
import { readBytes, readJson, UnreadableError } from './read-file.js'
import { readReceiptBundle } from './read-receipt-bundle.js'

/** What {@link runVerifyCli} needs from the process. */
export interface VerifyCliIo extends CliOutput {
  /** The moment used without `--at`. */
  readonly now: () => Date
}

/** 0: everything was checked and holds. 1: something does not hold. 2: the question cannot be answered. */
export type VerifyExitCode = 0 | 1 | 2

const usage = `Usage:
  sealpool-verify receipt <folder> --deployment <file> [--policy attestation-policy.json] [--at ISO] [--json]
  sealpool-verify evidence <file>  [--policy attestation-policy.json] [--nonce 0x...] [--at ISO] [--json]
  sealpool-verify quote <file> --collateral <file> [--policy attestation-policy.json] [--at ISO] [--json]

Works offline, from files alone. Without --policy the default policy holds: Intel's root, no simulator, no measurement
named, so that nothing is allowed; "quote" without --policy says only whether the quote verifies. --deployment is the
JSON file with the contracts that you trust (chainId, nodeRegistry); without it a receipt could be another chain's.
Exit code: 0 ok, 1 not ok, 2 cannot tell (missing or unreadable files, wrong arguments).
`

/** Wrong arguments: said with the usage, answered with 2. */
class UsageError extends Error {
  override readonly name = 'UsageError'
}

interface Options {
  readonly policy: AttestationPolicy | undefined
  readonly at: Date
  readonly json: boolean
  readonly collateral: string | undefined
  readonly nonce: string | undefined
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
  try {
    const { command, target, options } = await readArguments(args, io)
    if (command === 'receipt') return await receipt(target, options, io)
    if (command === 'evidence') return await evidence(target, options, io)
    return await quote(target, options, io)
  } catch (error) {
    if (error instanceof UsageError) {
      io.writeError(`${error.message}\n\n${usage}`)
      return 2
    }
    if (error instanceof UnreadableError || error instanceof AttestError) {
      io.writeError(`Cannot tell: ${error.message}\n`)
      return 2
    }
    throw error
  }
}

async function readArguments(args: readonly string[], io: VerifyCliIo) {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'Wrong arguments.')
  }
  const { values, positionals } = parsed
  const [command, target, ...rest] = positionals
  const known = command === 'receipt' || command === 'evidence' || command === 'quote'
  if (!known || target === undefined || rest.length > 0) {
    throw new UsageError('Say what to verify: receipt, evidence or quote, and one path.')
  }
  const at = values.at === undefined ? io.now() : new Date(values.at)
  if (Number.isNaN(at.getTime()))
    throw new UsageError('--at must be an ISO time, for example 2026-11-20T12:00:00Z.')
  const policy =
    values.policy === undefined ? undefined : parseAttestationPolicy(await readJson(values.policy))
  const deployment =
    values.deployment === undefined ? undefined : deploymentOf(await readJson(values.deployment))
  const { json, collateral, nonce } = values
  return { command, target, options: { policy, at, json: json === true, collateral, nonce, deployment } }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      policy: { type: 'string' },
      at: { type: 'string' },
      json: { type: 'boolean' },
      collateral: { type: 'string' },
      nonce: { type: 'string' },
      deployment: { type: 'string' },
    },
  })
}

async function receipt(folder: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  let bundle: Awaited<ReturnType<typeof readReceiptBundle>>
  try {
    bundle = await readReceiptBundle(folder)
  } catch (error) {
    // A file that is there and not canonical was changed or never was a bundle's: that is an answer, not a missing file.
    if (!(error instanceof AttestError)) throw error
    const verdict = { ok: false, simulated: true, error: error.message, checks: [] }
    return answer(io, options, verdict, () => printAnswer(io, false, false, error.message))
  }
  const trust = options.policy ?? defaultAttestationPolicy
  const { deployment } = options
  const verdict = verifyReceipt({
    ...bundle,
    trust,
    at: options.at,
    ...(deployment === undefined ? {} : { deployment }),
  })
  const { body, evidence: node } = verdict
  return answer(io, options, verdict, () => {
    if (node !== null) printChecks(io, 'The node’s evidence', node.checks)
    printChecks(io, 'The receipt', verdict.checks)
    const what = body === null ? 'receipt' : `receipt of job ${body.job.id} (${body.outcome})`
    printAnswer(io, verdict.ok, verdict.simulated, what)
  })
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

async function quote(path: string, options: Options, io: VerifyCliIo): Promise<VerifyExitCode> {
  if (options.collateral === undefined) throw new UsageError('A quote needs --collateral <file>.')
  const collateral = parseCollateral(await readJson(options.collateral))
  const { policy } = options
  const roots = policy?.allowSimulator === true ? policy.roots.filter((root) => root !== 'intel') : []
  const verdict = verifyQuote(await readBytes(path), { collateral, at: options.at, trustedRoots: roots })
  const appraisal = policy === undefined ? undefined : appraise(verdict, policy)
  const ok = appraisal === undefined ? verdict.ok : appraisal.answer === 'allowed'
  return answer(io, options, { ...verdict, ok, ...(appraisal === undefined ? {} : { appraisal }) }, () => {
    printChecks(io, 'The quote', verdict.checks)
    printAppraisal(io, appraisal)
    printAnswer(io, ok, verdict.simulated, quoteSummary(verdict))
  })
}

function quoteSummary({ tee, claims, tcbStatus }: Verdict): string {
  return `${tee.toUpperCase()} quote version ${claims.quoteVersion}, TCB status ${tcbStatus ?? 'unknown'}`
}

function printAppraisal(io: VerifyCliIo, appraisal: Appraisal | undefined): void {
  if (appraisal === undefined) return
  io.write(`\nPolicy: ${appraisal.answer}\n`)
  for (const reason of appraisal.reasons) io.write(`  - ${reason}\n`)
}

function answer(
  io: VerifyCliIo,
  options: Options,
  verdict: { readonly ok: boolean; readonly simulated: boolean; readonly checks: readonly Check[] },
  print: () => void,
): VerifyExitCode {
  if (options.json) io.write(`${JSON.stringify(verdict, null, 2)}\n`)
  else print()
  if (verdict.ok) return 0
  // Nothing speaks against it, but something could not be looked at (a file that is not there): that is no "no".
  const open = verdict.checks.every(({ result }) => result !== 'fail')
  return open && verdict.checks.some(({ result }) => result === 'not-checked') ? 2 : 1
}
