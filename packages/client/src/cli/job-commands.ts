import { parseAttestationPolicy } from '@sealpool/attest'
import {
  type Address,
  decodeBase64Url,
  deriveKeyPair,
  encodeBase64Url,
  type JsonValue,
  platformRandom,
} from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import type { JobRequest } from '../job/job-request.js'
import { decimal, type Given, type OptionSpec, usage, wholeNumber } from './arguments.js'
import type { Command, CommandContext } from './command.js'
import { sent } from './contributor-commands.js'
import { jsonText, table } from './io.js'
import { intoNewFile } from './new-file.js'
import { nodeSays } from './node-says.js'
import { receiptText } from './receipt-text.js'
import { addressOf, readAs, readBytes, readJsonObject, readSecret } from './settings.js'

const job: Command['positionals'] = ['job']
const jobId = ({ given }: Pick<CommandContext, 'given'>) => wholeNumber(given.positionals[0], '<job>')

const keygen: Command = {
  name: 'result-key',
  summary: 'make a key pair for results; the private key goes into a new file',
  example: 'sealpool result-key my-result.key',
  positionals: ['file'],
  options: {},
  details: 'The file gets the private key (mode 600) and is never written over. The public key is printed.',
  needs: 'none',
  async run({ given }) {
    const { publicKey } = await intoNewFile(given.positionals[0] ?? '', '<file>', async () => {
      const pair = deriveKeyPair(platformRandom(32))
      return { content: `${encodeBase64Url(pair.privateKey)}\n`, publicKey: pair.publicKey }
    })
    const text = encodeBase64Url(publicKey)
    return { json: { publicKey: text }, text }
  },
}

const requestOptions: Readonly<Record<string, OptionSpec>> = {
  title: { value: 'TEXT', help: 'one line for those who vote', required: true },
  purpose: { value: 'TEXT', help: 'as the pools’ policies name purposes', required: true },
  epsilon: { value: 'NUMBER', help: 'privacy budget that it may cost', required: true },
  delta: { value: 'NUMBER', help: 'default 0' },
  'result-key': {
    value: 'KEY',
    help: 'public key that the result is sealed to (from result-key)',
    required: true,
  },
  deadline: {
    value: 'SECONDS',
    help: 'unix time without a result by which everything returns; default: in a week',
  },
  'price-ceiling': { value: 'AMOUNT', help: 'protocol tokens in the smallest unit; default: no limit' },
}

function requestOf(given: Given): JobRequest {
  const delta = given.get('delta')
  return {
    title: given.need('title'),
    purpose: given.need('purpose'),
    privacy: {
      epsilon: decimal(given.need('epsilon'), '--epsilon'),
      ...(delta === undefined ? {} : { delta: decimal(delta, '--delta') }),
    },
    resultPublicKey: keyOf(given.need('result-key'), '--result-key'),
  }
}

function keyOf(text: string, place: string): Uint8Array {
  try {
    const key = decodeBase64Url(text.trim())
    if (key.length === 32) return key
  } catch {
    // Told below.
  }
  throw usage(place, 'expected 32 bytes in base64url')
}

function proposeOptions(given: Given) {
  const deadline = given.get('deadline')
  const ceiling = given.get('price-ceiling')
  return {
    ...(deadline === undefined ? {} : { deadline: wholeNumber(deadline, '--deadline', 64) }),
    ...(ceiling === undefined ? {} : { priceCeiling: wholeNumber(ceiling, '--price-ceiling') }),
  }
}

const query: Command = {
  name: 'query',
  summary: 'plan one SQL statement and, when the node would run it, propose it',
  example:
    "sealpool query mean.sql --title 'Mean wage' --purpose research --epsilon 1 --result-key KEY --key-file me.key",
  positionals: ['sql-file'],
  options: requestOptions,
  needs: 'send',
  async run({ given, opened }) {
    const sql = new TextDecoder().decode(await readBytes(given.positionals[0] ?? '', '<sql-file>'))
    const { client } = opened()
    const asked = await client.query({ ...requestOf(given), sql }, proposeOptions(given))
    return askedText(asked)
  },
}

const compute: Command = {
  name: 'compute',
  summary: 'plan a computation and, when the node would run it, propose it',
  example:
    "sealpool compute parameters.json --computation linear-regression --title 'Wage regression' --purpose research --epsilon 1 --result-key KEY --key-file me.key",
  positionals: ['parameters-file'],
  options: {
    ...requestOptions,
    computation: { value: 'NAME', help: 'such as linear-regression', required: true },
  },
  needs: 'send',
  async run({ given, opened }) {
    const parameters = await readJsonObject(given.positionals[0] ?? '', '<parameters-file>')
    const { client } = opened()
    const request = { ...requestOf(given), computation: given.need('computation'), parameters }
    return askedText(await client.compute(request, proposeOptions(given)))
  },
}

function askedText(asked: {
  readonly jobId: bigint
  readonly hash: string
  readonly manifestDigest: string
  readonly manifest: JsonValue
  readonly plan: { readonly explanation: JsonValue }
}) {
  const { jobId: id, hash, manifestDigest, manifest, plan } = asked
  const rows = [
    ['job', `${id}`],
    ['manifest', manifestDigest],
    ['transaction', hash],
    ['next', 'the pools vote on it (sealpool grant); then sealpool fund'],
  ]
  return {
    json: { jobId: id, transaction: hash, manifestDigest, manifest, explanation: plan.explanation },
    text: `${table(rows)}\n\nPlan:\n${jsonText(plan.explanation)}`,
  }
}

const plan: Command = {
  name: 'plan',
  summary: 'what a job would do and cost, before anybody votes',
  example: 'sealpool plan manifest.json',
  positionals: ['manifest-file'],
  options: {},
  needs: 'read',
  async run({ given, opened }) {
    const answer = await opened().client.plan(
      await readJsonObject(given.positionals[0] ?? '', '<manifest-file>'),
    )
    if (answer.ok) return { json: answer, text: jsonText(answer.explanation) }
    return { json: answer, text: `REFUSED by the node:\n${jsonText(answer.receipt)}`, exitCode: 1 }
  },
}

const propose: Command = {
  name: 'propose',
  summary: 'put a job on the board by its manifest',
  example: 'sealpool propose manifest.json --key-file me.key',
  positionals: ['manifest-file'],
  options: {
    deadline: requestOptions['deadline'] as OptionSpec,
    'price-ceiling': requestOptions['price-ceiling'] as OptionSpec,
  },
  needs: 'send',
  async run({ given, opened }) {
    const manifest = await readJsonObject(given.positionals[0] ?? '', '<manifest-file>')
    const proposed = await opened().client.propose(manifest, proposeOptions(given))
    return sent(`job ${proposed.jobId} is on the board`, proposed.hash, {
      jobId: proposed.jobId,
      manifestDigest: proposed.manifestDigest,
    })
  },
}

const simple = (name: 'fund' | 'cancel' | 'stop', summary: string, what: string): Command => ({
  name,
  summary,
  example: `sealpool ${name} 4 --key-file me.key`,
  positionals: job,
  options: {},
  needs: 'send',
  async run(context) {
    const id = jobId(context)
    const { hash } = await context.opened().client[name](id)
    return sent(`job ${id} ${what}`, hash, { jobId: id })
  },
})

const show: Command = {
  name: 'job',
  summary: 'where a job stands, on chain and at the node',
  example: 'sealpool job 4 --wait 600',
  positionals: job,
  options: { wait: { value: 'SECONDS', help: 'wait until it has ended, at most so long' } },
  needs: 'read',
  async run(context) {
    const { client } = context.opened()
    const id = jobId(context)
    const wait = context.given.get('wait')
    const found =
      wait === undefined
        ? await client.job(id)
        : await client.waitForJob(id, { timeoutMs: Number(wholeNumber(wait, '--wait')) * 1000 })
    const node = await client.node.job(id.toString()).catch((error: unknown) => {
      if (error instanceof ClientError) return null
      throw error
    })
    const rows = [
      ['job', `${id}`],
      ['on chain', `${found.state}${found.suspended ? ', stopped by a contributor' : ''}`],
      ['consumer', found.consumer],
      ...(node === null ? [['node says', 'nothing']] : nodeSays(node)),
      ...found.pools.map(({ pool, approved }) => [
        'pool',
        `${pool} ${approved ? 'has granted it' : 'has not granted it'}`,
      ]),
    ]
    return { json: { chain: found, node }, text: table(rows) }
  },
}

const run: Command = {
  name: 'run',
  summary: 'ask the node to look at a job now',
  example: 'sealpool run 4',
  positionals: job,
  options: {},
  needs: 'read',
  async run(context) {
    const status = await context.opened().client.run(jobId(context))
    return {
      json: status,
      text: table(nodeSays(status)),
    }
  },
}

const recipientOption = {
  value: 'ADDRESS',
  help: 'whose view of the result, where the job’s manifest gives views; default: the consumer’s',
}

/** Whose view is meant, for calls that take one. */
function recipientOf(given: Given): { readonly recipient?: Address } {
  const recipient = given.get('recipient')
  return recipient === undefined ? {} : { recipient: addressOf(recipient, '--recipient') }
}

const result: Command = {
  name: 'result',
  summary: 'fetch and open a job’s result; it must be the one on chain',
  example: 'sealpool result 4 --result-key-file my-result.key --out result.json',
  positionals: job,
  options: {
    'result-key-file': {
      value: 'FILE',
      help: 'private key from result-key; - reads standard input',
      required: true,
    },
    recipient: recipientOption,
    out: { value: 'FILE', help: 'a new file (mode 600) for the opened bytes; default: printed' },
  },
  needs: 'read',
  async run(context) {
    const { given, io, opened } = context
    const privateKey = keyOf(
      await readSecret(given.need('result-key-file'), '--result-key-file', io),
      '--result-key-file',
    )
    const fetchResult = () => opened().client.result(jobId(context), privateKey, recipientOf(given))
    const out = given.get('out')
    if (out === undefined) {
      const { digest, value } = await fetchResult()
      return { json: { digest, value }, text: jsonText(value) }
    }
    const { bytes, digest } = await intoNewFile(out, '--out', async () => {
      const fetched = await fetchResult()
      return { ...fetched, content: fetched.bytes }
    })
    return {
      json: { digest, bytes: bytes.length },
      text: table([
        ['digest', digest],
        ['bytes', `${bytes.length}`],
      ]),
    }
  },
}

const verifyReceipt: Command = {
  name: 'verify-receipt',
  summary: 'follow a job’s whole chain of trust',
  example: 'sealpool verify-receipt 4 --result result.json',
  positionals: job,
  options: {
    result: { value: 'FILE', help: 'the opened result, without which a released job is not wholly checked' },
    recipient: recipientOption,
    trust: { value: 'FILE', help: 'attestation rules; default: those of the policy that you gave' },
  },
  needs: 'read',
  async run(context) {
    const { given, opened } = context
    const { client, policy } = opened()
    const trustFile = given.get('trust')
    const trust =
      trustFile === undefined
        ? parseAttestationPolicy(policy['attestation'])
        : await readAs('--trust', trustFile, parseAttestationPolicy)
    const path = given.get('result')
    const verdict = await client.verifyReceipt(jobId(context), {
      trust,
      ...recipientOf(given),
      ...(path === undefined ? {} : { result: await readBytes(path, '--result') }),
    })
    const { ok, simulated, state, recordedBlock, homesBlock, checks } = verdict
    return {
      json: { ok, state, simulated, recordedBlock, homesBlock, checks },
      text: receiptText(verdict),
      exitCode: ok || state === 'receipt-verified' ? 0 : 1,
    }
  },
}

/** What consumers do, and contributors who stop a job. */
export const jobCommands: readonly Command[] = [
  keygen,
  query,
  compute,
  plan,
  propose,
  simple('fund', 'pay for an approved job', 'is paid'),
  simple('cancel', 'withdraw a job that has not started', 'is withdrawn'),
  simple('stop', 'as a contributor, stop a job that has not started', 'is stopped'),
  show,
  run,
  result,
  verifyReceipt,
]
