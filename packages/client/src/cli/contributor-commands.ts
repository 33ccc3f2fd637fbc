import type { Contributed } from '../contribute/contribute.js'
import { contributionSteps, type OnContributionProgress } from '../contribute/progress.js'
import { ClientError } from '../errors.js'
import type { Readiness } from '../verify/verified-pool.js'
import { type ContributedVersion, contributeVersion, type VersionOptions } from '../versions/index.js'
import { usage, wholeNumber } from './arguments.js'
import type { Command, CommandAnswer } from './command.js'
import { consentArgument } from './consent-argument.js'
import { mediaTypeArgument, ownCopyKey, schemaArgument } from './contribution-arguments.js'
import { checkMarks, table } from './io.js'
import { nodeSays } from './node-says.js'
import { checkedAnswer, findingsText, loadChecks } from './preflight-checks.js'
import { addressOf, type Opened, readBytes } from './settings.js'

function readinessText({ ok, simulated, summary, checks }: Readiness): string {
  const lines = summary.flatMap(({ title, result, detail }) => [
    `${checkMarks[result]} ${title}`,
    `      ${detail}`,
  ])
  const passed = checks.filter(({ result }) => result === 'pass').length
  return [
    ...(simulated ? ['SIMULATED: no hardware protects the data. Fit for development only.', ''] : []),
    ...lines,
    '',
    `${ok ? 'READY' : 'NOT READY: nothing may be sent'} (${passed} of ${checks.length} checks passed; --json lists them)`,
  ].join('\n')
}

const ready: Command = {
  name: 'ready',
  summary: 'verify node, code, keys and policy; nothing is sent but a random number',
  example: 'sealpool ready',
  positionals: [],
  options: {},
  needs: 'read',
  async run({ opened }) {
    const answer = await opened().client.ready()
    const { ok, simulated, summary, checks } = answer
    return { json: { ok, simulated, summary, checks }, text: readinessText(answer), exitCode: ok ? 0 : 1 }
  },
}

const contribute: Command = {
  name: 'contribute',
  summary: 'verify, seal, store, sign and send one export',
  example:
    'sealpool contribute payslips.csv --type text/csv --schema schema.json --consent consent.json --resume payslips-2026 --key-file me.key',
  positionals: ['file'],
  options: {
    type: { value: 'MEDIA-TYPE', help: 'such as text/csv', required: true },
    schema: {
      value: 'DIGEST',
      help: 'sha256:… of the pool’s table schema, or a JSON file of it',
      required: true,
    },
    consent: {
      value: 'FILE',
      help: 'the record (consent-record) or text that you agree to, or its sha256:…',
      required: true,
    },
    preflight: {
      value: 'FILE',
      help: 'a module of yours whose default export is a list of checks of the file, which run here first',
    },
    'check-only': { help: 'tells what the checks find and sends nothing' },
    nonce: { value: 'NUMBER', help: 'your number in the registry; default: random' },
    'own-store': {
      value: 'URL',
      help: 'where the node finds the file in your own store (--store), as URL/<64 hex digits>; a live pool takes nothing else',
    },
    supersedes: {
      value: 'ID',
      help: 'a contribution of yours for which this is a newer version: it counts no more, and its points end',
    },
    resume: { value: 'NAME', help: 'goes on with what was begun under this name; needs --journal' },
  },
  details:
    'The plaintext never leaves this machine: it is sealed to the pool and to your own wallet after the node was verified.\nWith --resume, run the same command again after a crash; the chain gets one contribution.',
  needs: 'send',
  async run({ given, opened, progress }) {
    const { client, account, deployment, policy } = opened()
    if (account === undefined) throw new ClientError('ACCOUNT_REQUIRED', 'account', 'give a key')
    const checks = await loadChecks(given.get('preflight'))
    const isCheck = given.get('check-only') !== undefined
    if (isCheck && checks.length === 0) throw usage('--check-only', 'name checks: --preflight FILE')
    const bytes = await readBytes(given.positionals[0] ?? '', '<file>')
    if (bytes.length === 0) throw usage('<file>', 'the file is empty')
    const nonce = given.get('nonce')
    const ownStore = given.get('own-store')
    const key = given.get('resume')
    const walletPublicKey = await ownCopyKey(account, deployment.chainId)
    const input = {
      bytes,
      mediaType: mediaTypeArgument(given.need('type')),
      schemaId: await schemaArgument(given.need('schema')),
      consentDigest: await consentArgument(given.need('consent'), policy),
      walletPublicKey,
      ...(nonce === undefined ? {} : { nonce: wholeNumber(nonce, '--nonce') }),
      ...(ownStore === undefined ? {} : { ownStore }),
    }
    if (checks.length > 0) {
      const findings = await client.preflight(input, { preflight: checks })
      if (isCheck || findings.some(({ result }) => result === 'fail')) return checkedAnswer(findings)
      progress(findingsText(findings))
    }
    const onProgress: OnContributionProgress = ({ step, state }) => {
      if (state !== 'started') progress(`${contributionSteps.indexOf(step) + 1}/6 ${step}: ${state}`)
    }
    const how = { ...(key === undefined ? {} : { key }), onProgress }
    const older = given.get('supersedes')
    const supersedes = older === undefined ? undefined : wholeNumber(older, '--supersedes')
    const { id, hash, resumed, contribution, sealedBytes, simulated } =
      supersedes === undefined
        ? await contributed(client.contribute(account, input, how))
        : await newVersion(opened(), { account, input, supersedes, ...how })
    return {
      json: {
        id,
        ...(supersedes === undefined ? {} : { supersedes }),
        transaction: hash,
        resumed,
        simulated,
        sealedBytes,
        locator: contribution.locator,
        epoch: contribution.epoch,
      },
      text: table([
        ['contribution', `${id}${resumed ? ' (begun earlier)' : ''}`],
        ...(supersedes === undefined ? [] : [['in the place of', `${supersedes}`]]),
        ['transaction', hash],
        ['stored as', `${contribution.locator} (${sealedBytes} bytes, sealed)`],
        ...(simulated ? [['SIMULATED', 'no hardware protects the data']] : []),
      ]),
    }
  },
}

async function contributed(sent: Promise<Contributed>) {
  const { prepared, ...rest } = await sent
  return { ...rest, ...prepared }
}

function newVersion(
  { client, chain, deployment, pool, blobStore, journal }: Opened,
  version: Pick<VersionOptions, 'account' | 'input' | 'supersedes' | 'key' | 'onProgress'>,
): Promise<ContributedVersion> {
  const known = journal === undefined ? {} : { journal }
  return contributeVersion({ client, chain, deployment, pool, blobStore, ...known, ...version })
}

const status: Command = {
  name: 'status',
  summary: 'where a contribution stands',
  example: 'sealpool status 17',
  positionals: ['id'],
  options: {},
  needs: 'read',
  async run({ given, opened }) {
    const { chain, node } = await opened().client.contributionStatus(
      wholeNumber(given.positionals[0], '<id>'),
    )
    const rows = [
      ['contribution', `${chain.id}`],
      ['on chain', `${chain.state}${chain.state === 'Accepted' ? `, score ${chain.score / 100} %` : ''}`],
      ['owner', chain.owner],
      ['key epoch', `${chain.epoch}`],
      ...(node === null ? [['node says', 'nothing: it is away or has not seen it']] : nodeSays(node)),
    ]
    return { json: { chain, node }, text: table(rows) }
  },
}

const sent = (what: string, hash: string, more: object = {}): CommandAnswer => ({
  json: { transaction: hash, ...more },
  text: table([
    ['done', what],
    ['transaction', hash],
  ]),
})

const withdraw: Command = {
  name: 'withdraw',
  summary: 'take a contribution back: later jobs do not work on it',
  example: 'sealpool withdraw 17 --key-file me.key',
  positionals: ['id'],
  options: {},
  needs: 'send',
  async run({ given, opened }) {
    const id = wholeNumber(given.positionals[0], '<id>')
    const { hash } = await opened().client.withdraw(id)
    return sent(`contribution ${id} is withdrawn`, hash, { id })
  },
}

const claim: Command = {
  name: 'claim',
  summary: 'have your share of job fees paid out',
  example: 'sealpool claim --key-file me.key',
  positionals: [],
  options: { for: { value: 'ADDRESS', help: 'another contributor, who gets the money; default: you' } },
  needs: 'send',
  async run({ given, opened }) {
    const other = given.get('for')
    const { hash } = await opened().client.claim(
      other === undefined ? {} : { contributor: addressOf(other, '--for') },
    )
    return sent('paid out', hash)
  },
}

const usedMyData: Command = {
  name: 'who-used-my-data',
  summary: 'which released jobs worked on your contributions, by receipts that verify',
  example: 'sealpool who-used-my-data --owner 0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
  positionals: [],
  options: { owner: { value: 'ADDRESS', help: 'whose data', required: true } },
  needs: 'read',
  async run({ given, opened }) {
    const uses = await opened().client.whoUsedMyData({ owner: addressOf(given.need('owner'), '--owner') })
    const rows = uses.map((use) => [
      `${use.jobId}`,
      use.used,
      use.contributions.join(', ') || '-',
      use.consumer,
      use.title ?? use.reason ?? '-',
    ])
    const text =
      uses.length === 0
        ? 'No job over this pool has released a result.'
        : table([['job', 'used', 'contributions', 'consumer', 'what for'], ...rows])
    return { json: uses, text }
  },
}

/** What contributors do. */
export const contributorCommands: readonly Command[] = [
  ready,
  contribute,
  status,
  withdraw,
  claim,
  usedMyData,
]
export { sent }
