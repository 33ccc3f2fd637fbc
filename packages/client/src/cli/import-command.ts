import type { Hex } from '@sealpool/crypto'
import { createClient, http } from 'viem'
import { contributionSteps, type OnContributionProgress } from '../contribute/progress.js'
import { ClientError } from '../errors.js'
import {
  contractSignature,
  type GrantDemand,
  gatewayGrantStatus,
  type ImportOptions,
  importContribution,
  type PortabilityGrant,
  parseGrant,
  type TakenPart,
  verifyGrant,
} from '../import/index.js'
import { type Given, usage, wholeNumber } from './arguments.js'
import type { Command, CommandAnswer } from './command.js'
import { consentArgument } from './consent-argument.js'
import { ownCopyKey, schemaArgument } from './contribution-arguments.js'
import { checkMarks, table } from './io.js'
import { intoNewFile } from './new-file.js'
import { loadChecks } from './preflight-checks.js'
import { accountOf, addressOf, readJsonObject, readSecret } from './settings.js'

async function demandOf(given: Given, grantor: GrantDemand['grantor']) {
  const chainId = Number(wholeNumber(given.need('grant-chain'), '--grant-chain'))
  if (!Number.isSafeInteger(chainId) || chainId === 0)
    throw usage('--grant-chain', 'expected the number of a chain')
  const gateway = given.get('gateway')
  const byServer = given.get('status-by-server') !== undefined
  if ((gateway === undefined) !== byServer)
    throw usage(
      '--gateway',
      'say who tells whether the grant was revoked: --gateway URL, or --status-by-server',
    )
  const rpc = given.get('grant-rpc')
  const other = given.get('grantor')
  const demand: Omit<GrantDemand, 'now'> = {
    grant: await grantArgument(given.positionals[0] ?? ''),
    registry: { chainId, permissions: addressOf(given.need('grant-contract'), '--grant-contract') },
    grantor: other === undefined ? grantor : addressOf(other, '--grantor'),
    granteeId: granteeArgument(given.need('grantee')),
    scope: given.need('scope'),
    status: gateway === undefined ? 'server' : gatewayGrantStatus({ url: gateway }),
    ...(rpc === undefined
      ? {}
      : { contractSignature: contractSignature(createClient({ transport: http(rpc) })) }),
  }
  return demand
}

async function grantArgument(path: string): Promise<PortabilityGrant> {
  return parseGrant(await readJsonObject(path, '<grant>'))
}

function granteeArgument(text: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text as Hex
  throw usage('--grantee', 'expected 0x and 64 hexadecimal digits')
}

function takeArgument(text: string | undefined): TakenPart {
  if (text === undefined || text === 'data' || text === 'envelope') return text ?? 'data'
  throw usage('--take', 'expected data or envelope')
}

async function verdictOf(demand: Omit<GrantDemand, 'now'>): Promise<CommandAnswer> {
  const { ok, checks } = await verifyGrant(demand)
  const lines = checks.map(({ id, result, detail }) => `${checkMarks[result]} ${id}: ${detail}`)
  return {
    json: { ok, read: false, checks: checks.map(({ cause: _cause, ...check }) => check) },
    text: [
      ...lines,
      '',
      ok ? 'HOLDS: nothing was read, as you asked' : 'DOES NOT HOLD: nothing was read',
    ].join('\n'),
    exitCode: ok ? 0 : 1,
  }
}

/** Imports, and writes the record of it beside. */
function importWithRecord(options: ImportOptions, file: string) {
  return intoNewFile(file, '--provenance', async () => {
    const done = await importContribution(options)
    return { ...done, content: `${JSON.stringify(done.provenance, undefined, 2)}\n` }
  })
}

/** Contributes what a personal server holds. */
export const importCommand: Command = {
  name: 'import',
  summary: 'contribute an export from your personal server, by a grant with scopes',
  example:
    'sealpool import grant.json --server https://server.example --scope bank.payslips --grantee GRANTEE_ID --grant-contract 0xe7f1725e7734ce288f8367e1bb143e90bb3f0512 --grant-chain 1480 --gateway https://gateway.example --schema schema.json --consent consent.json --key-file me.key',
  positionals: ['grant'],
  options: {
    server: { value: 'URL', help: 'the personal server', required: true },
    scope: { value: 'SCOPE', help: 'what is read, such as bank.payslips', required: true },
    grantee: {
      value: 'ID',
      help: 'the reader’s number in the registry, which the grant must name: 0x and 64 hexadecimal digits',
      required: true,
    },
    'grant-contract': { value: 'ADDRESS', help: 'the contract for which grants are signed', required: true },
    'grant-chain': { value: 'NUMBER', help: 'the chain of that contract', required: true },
    gateway: { value: 'URL', help: 'is asked whether the grant was revoked or replaced' },
    'status-by-server': {
      help: 'instead: nobody is asked, the personal server refuses a revoked grant or does not',
    },
    'reader-key-file': { value: 'FILE', help: 'the grantee’s private key; default: the account’s own' },
    'grant-rpc': {
      value: 'URL',
      help: 'a node of the grants’ chain, to ask a contract wallet whether it signed',
    },
    grantor: { value: 'ADDRESS', help: 'whose data it is, if not yours' },
    take: { value: 'PART', help: 'data (default) or envelope: the answer as it came' },
    schema: {
      value: 'DIGEST',
      help: 'sha256:… of the pool’s table schema, or a JSON file of it',
      required: true,
    },
    consent: { value: 'FILE', help: 'the record or text that you agree to, or its sha256:…', required: true },
    preflight: {
      value: 'FILE',
      help: 'a module of yours whose default export is a list of checks of the export',
    },
    'check-only': { help: 'tells whether the grant holds, and reads nothing' },
    'own-store': { value: 'URL', help: 'where the node finds the file in your own store' },
    provenance: { value: 'FILE', help: 'where the record of the import is written; a new file' },
    resume: { value: 'NAME', help: 'goes on with what was begun under this name; needs --journal' },
  },
  details:
    'The grant is a file as server or gateway give it. It must be yours: signed by the account that contributes. The record of --provenance is for\nyour own files: it says where the export came from, and nothing of what is in it.',
  needs: 'send',
  async run({ given, io, opened, progress }) {
    const { client, account, deployment, policy } = opened()
    if (account === undefined) throw new ClientError('ACCOUNT_REQUIRED', 'account', 'give a key')
    const demand = await demandOf(given, account.address)
    const take = takeArgument(given.get('take'))
    if (given.get('check-only') !== undefined) return verdictOf(demand)
    const readerKey = given.get('reader-key-file')
    const reader =
      readerKey === undefined ? account : accountOf(await readSecret(readerKey, '--reader-key-file', io))
    const key = given.get('resume')
    const ownStore = given.get('own-store')
    const preflight = await loadChecks(given.get('preflight'))
    const onProgress: OnContributionProgress = ({ step, state }) => {
      if (state !== 'started') progress(`${contributionSteps.indexOf(step) + 1}/6 ${step}: ${state}`)
    }
    const options: ImportOptions = {
      ...demand,
      client,
      account,
      reader,
      take,
      serverUrl: given.need('server'),
      input: {
        schemaId: await schemaArgument(given.need('schema')),
        consentDigest: await consentArgument(given.need('consent'), policy),
        walletPublicKey: await ownCopyKey(account, deployment.chainId),
        ...(ownStore === undefined ? {} : { ownStore }),
      },
      contribute: { onProgress, preflight, ...(key === undefined ? {} : { key }) },
    }
    const file = given.get('provenance')
    const { contributed, provenance } =
      file === undefined ? await importContribution(options) : await importWithRecord(options, file)
    const { id, hash, resumed, prepared } = contributed
    const { simulated } = prepared
    return {
      json: { id, transaction: hash, resumed, simulated, provenance },
      text: table([
        ['contribution', `${id}${resumed ? ' (begun earlier)' : ''}`],
        ['transaction', hash],
        ['read from', `${provenance.server}, collected ${provenance.collectedAt}`],
        [
          'revocation',
          provenance.grant.status === 'active' ? 'asked for: the grant counts' : 'NOT CHECKED here',
        ],
        ...(simulated ? [['SIMULATED', 'no hardware protects the data']] : []),
      ]),
    }
  },
}
