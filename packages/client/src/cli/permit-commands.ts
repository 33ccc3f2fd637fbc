import {
  type Appointment,
  appointIssuerCall,
  approveByGrant,
  formatPermit,
  getAppointment,
  getGrantedDigest,
  getJob,
  getPermit,
  getPool,
  parsePermit,
  propose,
  redeemPermit,
  revokePermit,
  type SignedPermit,
  signPermit,
  type Terms,
} from '@sealpool/contracts'
import { type Address, digestToHex, encodeHex, type Hex, platformRandom } from '@sealpool/crypto'
import { zeroHash } from 'viem'
import { platformNow } from '../platform.js'
import { digestArgument, type Given, type OptionSpec, usage, wholeNumber } from './arguments.js'
import type { Command, CommandAnswer, CommandContext } from './command.js'
import { sent } from './contributor-commands.js'
import { dateOf, jsonText, table } from './io.js'
import { intoNewFile } from './new-file.js'
import { addressOf, type Opened, readBytes } from './settings.js'

const termOptions: Readonly<Record<string, OptionSpec>> = {
  price: { value: 'AMOUNT', help: 'protocol tokens per run, smallest unit' },
  burn: { value: 'AMOUNT', help: 'pool tokens burned per run, smallest unit' },
  runs: { value: 'NUMBER', help: 'how many runs' },
  opens: { value: 'SECONDS', help: 'unix time' },
  closes: { value: 'SECONDS', help: 'unix time' },
}

/** Terms as the options say them; what they leave out as in `otherwise`. */
function termsOf(given: Given, otherwise: Required<Terms>): Required<Terms> {
  const number = (name: string, value: bigint, bits: 64 | 128) => {
    const text = given.get(name)
    return text === undefined ? value : wholeNumber(text, `--${name}`, bits)
  }
  const runs = number('runs', BigInt(otherwise.runs), 64)
  if (runs < 1n || runs > 4_294_967_295n) throw usage('--runs', 'expected 1 to 4,294,967,295')
  return {
    price: number('price', otherwise.price, 128),
    poolTokenBurn: number('burn', otherwise.poolTokenBurn, 128),
    runs: Number(runs),
    opensAt: number('opens', otherwise.opensAt, 64),
    closesAt: number('closes', otherwise.closesAt, 64),
    scopeDigest: otherwise.scopeDigest,
  }
}

const appoint: Command = {
  name: 'appoint-issuer',
  summary: 'propose that an issuer may sign permits for a job or template; writes the proposal to a new file',
  example:
    'sealpool appoint-issuer DIGEST appoint.json --issuer 0xe7f1725e7734ce288f8367e1bb143e90bb3f0512 --price 10 --runs 20 --closes 1790000000 --key-file me.key',
  positionals: ['digest', 'proposal-file'],
  options: {
    issuer: { value: 'ADDRESS', help: 'who may sign them', required: true },
    ...termOptions,
    price: {
      value: 'AMOUNT',
      help: 'the least protocol tokens that a permit asks for a run',
      required: true,
    },
    burn: { value: 'AMOUNT', help: 'the least pool tokens likewise; default 0' },
    runs: { value: 'NUMBER', help: 'the most runs of all permits together', required: true },
    opens: { value: 'SECONDS', help: 'unix time before which no permit opens; default: now' },
    closes: { value: 'SECONDS', help: 'unix time after which none is good', required: true },
    scope: {
      value: 'DIGEST',
      help: 'digest of the tables and columns that runs may touch; under a template, give it',
    },
    note: { value: 'TEXT', help: 'added to the description' },
  },
  details:
    'Members vote on it with vote, and carry-out carries it out, as with grant. It replaces the issuer’s appointment for this digest.\nThe digest of a job is what query and propose print.',
  needs: 'send',
  async run({ given, opened }) {
    const { chain, deployment, pool } = opened()
    const [digest = '', path = ''] = given.positionals
    const jobDigest = digestToHex(digestArgument(digest, '<digest>'))
    const scope = given.get('scope')
    const issuer = addressOf(given.need('issuer'), '--issuer')
    const bounds = termsOf(given, {
      price: 0n,
      poolTokenBurn: 0n,
      runs: 1,
      opensAt: BigInt(Math.floor(platformNow().getTime() / 1000)),
      closesAt: 0n,
      scopeDigest: scope === undefined ? zeroHash : digestToHex(digestArgument(scope, '--scope')),
    })
    const call = appointIssuerCall({ deployment, pool, issuer, jobDigest, bounds })
    const { governor } = await getPool(chain, { pool, deployment })
    const note = given.get('note')
    const description = [
      `Let ${issuer} sign permits for ${digest} of pool ${pool}`,
      `At most ${bounds.runs} runs in all, each at ${bounds.price} or more and ${bounds.poolTokenBurn} pool tokens or more`,
      ...(note === undefined ? [] : [note]),
    ].join('\n')
    const { hash, proposal } = await intoNewFile(path, '<proposal-file>', async () => {
      const made = await propose(chain, { governor, calls: [call], description })
      const { proposalId, calls, snapshot, deadline } = made
      const kept = { governor, proposalId, calls, description, snapshot, deadline }
      return { content: `${jsonText(kept)}\n`, proposal: kept, hash: made.hash }
    })
    const { proposalId, snapshot, deadline } = proposal
    const votes = `votes from second ${snapshot + 1n} to ${deadline}`
    return sent(`proposal ${proposalId} is open for ${votes}; kept in the file`, hash, { proposal })
  },
}

const sign: Command = {
  name: 'sign-permit',
  summary: 'as an issuer, sign a permit into a new file; nothing is sent, no gas',
  example: 'sealpool sign-permit permit.json --job 4 --key-file issuer.key',
  positionals: ['new-file'],
  options: {
    job: { value: 'NUMBER', help: 'a proposed job: its consumer and digest' },
    grantee: { value: 'ADDRESS', help: 'who may redeem it; instead of --job, with --digest' },
    digest: { value: 'DIGEST', help: 'of a job or template; instead of --job, with --grantee' },
    ...termOptions,
    runs: { value: 'NUMBER', help: 'how many runs; default 1' },
  },
  details:
    'Price, pool tokens and window are those that the pool’s vote set for this issuer, where an option does not say otherwise. The file\nis no secret: nobody but the grantee can redeem it, once.\nExit code 1: the contract would not take it, for the reason that is told.',
  needs: 'send',
  async run(context) {
    const { given, opened } = context
    const { chain, deployment, pool, account } = opened()
    if (account === undefined) throw usage('--key-file', 'this needs an account')
    const issuer = account.address
    const { grantee, jobDigest } = await subjectOf(context)
    const appointment = await getAppointment(chain, { deployment, pool, issuer, jobDigest })
    if (appointment === null || appointment.ended)
      throw usage(
        '--key-file',
        'the pool’s vote has not appointed this account for this digest; propose it with appoint-issuer',
      )
    const permit = {
      ...{ issuer, appointment: appointment.number, pool, grantee, jobDigest },
      terms: termsOf(given, { ...appointment.bounds, runs: 1 }),
      salt: encodeHex(platformRandom(32)),
    }
    const { signed } = await intoNewFile(given.positionals[0] ?? '', '<new-file>', async () => {
      const made = await signPermit({ account, deployment, permit })
      return { content: `${formatPermit(made)}\n`, signed: made }
    })
    return standingAnswer(opened(), signed, 'signed, and kept in the file')
  },
}

/** Whom a permit is for, and which digest. */
async function subjectOf({
  given,
  opened,
}: CommandContext): Promise<{ readonly grantee: Address; readonly jobDigest: Hex }> {
  const { chain, deployment } = opened()
  const [job, grantee, digest] = ['job', 'grantee', 'digest'].map((name) => given.get(name))
  if (job !== undefined && grantee === undefined && digest === undefined) {
    const jobId = wholeNumber(job, '--job')
    const { consumer } = await getJob(chain, { deployment, jobId })
    return { grantee: consumer, jobDigest: await getGrantedDigest(chain, { deployment, jobId }) }
  }
  if (job !== undefined || grantee === undefined || digest === undefined)
    throw usage('--job', 'give --job, or --grantee and --digest')
  return {
    grantee: addressOf(grantee, '--grantee'),
    jobDigest: digestToHex(digestArgument(digest, '--digest')),
  }
}

const permitFile = '<permit-file>'

/** A permit of the settings' pool. */
async function permitOf({ given, opened }: CommandContext): Promise<SignedPermit> {
  const bytes = await readBytes(given.positionals[0] ?? '', permitFile)
  const signed = parsePermit(new TextDecoder().decode(bytes))
  if (signed.permit.pool.toLowerCase() !== opened().pool)
    throw usage(permitFile, 'the permit is of another pool than --pool')
  return signed
}

const redeem: Command = {
  name: 'redeem-permit',
  summary: 'as its grantee, turn a permit into a grant; with --job, have it approve a job that waits',
  example: 'sealpool redeem-permit permit.json --job 4 --key-file me.key',
  positionals: ['permit-file'],
  options: {
    job: { value: 'NUMBER', help: 'a job that was proposed before; a later one is approved at once' },
  },
  needs: 'send',
  async run(context) {
    const { given, opened } = context
    const { chain, deployment, pool } = opened()
    const job = given.get('job')
    const jobId = job === undefined ? undefined : wholeNumber(job, '--job')
    const signed = await permitOf(context)
    if (jobId === undefined) {
      const { digest, hash } = await redeemPermit(chain, { deployment, signed })
      return sent('the permit is a grant now', hash, { digest })
    }
    // Whoever was stopped between the two steps goes on with the second one.
    const { state, digest } = await getPermit(chain, { deployment, signed })
    if (state !== 'redeemed') await redeemPermit(chain, { deployment, signed })
    const { hash } = await approveByGrant(chain, { deployment, jobId, pool })
    return sent(`the permit is a grant now, and approves job ${jobId}`, hash, { digest, jobId })
  },
}

const revoke: Command = {
  name: 'revoke-permit',
  summary: 'as its issuer, end a permit and the grant that came of it',
  example: 'sealpool revoke-permit permit.json --key-file issuer.key',
  positionals: ['permit-file'],
  options: {},
  needs: 'send',
  async run(context) {
    const { chain, deployment } = context.opened()
    const { permit } = await permitOf(context)
    const { digest, hash } = await revokePermit(chain, { deployment, permit })
    return sent('the permit is revoked', hash, { digest })
  },
}

const show: Command = {
  name: 'show-permit',
  summary: 'what a permit allows, how it stands, and whether its grantee could redeem it now',
  example: 'sealpool show-permit permit.json',
  positionals: ['permit-file'],
  options: {},
  details: 'Exit code 1: it cannot be redeemed now, for the reason that is told.',
  needs: 'read',
  async run(context) {
    return standingAnswer(context.opened(), await permitOf(context), undefined)
  },
}

async function standingAnswer(
  { chain, deployment }: Pick<Opened, 'chain' | 'deployment'>,
  signed: SignedPermit,
  done: string | undefined,
): Promise<CommandAnswer> {
  const { digest, state, redeemed, appointment, obstacle } = await getPermit(chain, { deployment, signed })
  const { issuer, grantee, jobDigest, terms } = signed.permit
  const { price, poolTokenBurn, runs, opensAt, closesAt } = terms
  const rows = [
    ['permit', `${digest}${done === undefined ? '' : `, ${done}`}`],
    ['issuer', issuer],
    ['grantee', grantee],
    ['for', jobDigest],
    ['runs', `${runs}, each ${price} protocol tokens and ${poolTokenBurn} pool tokens`],
    ['good', `from ${dateOf(Number(opensAt))} to ${dateOf(Number(closesAt))}`],
    ['state', state],
    ['left to the issuer', leftText(appointment)],
    ['can be redeemed', obstacle === null ? 'yes' : `no: ${obstacle.text}`],
  ]
  return {
    json: {
      ...{ digest, state, redeemed, appointment, permit: signed.permit },
      obstacle: obstacle?.revert.name ?? null,
    },
    text: table(rows),
    exitCode: obstacle === null ? 0 : 1,
  }
}

function leftText(appointment: Appointment | null): string {
  if (appointment === null) return 'nothing: it was never appointed for this digest'
  const { left, bounds, ended } = appointment
  return ended ? 'nothing: its appointment is over' : `${left} of ${bounds.runs} runs`
}

/** Grants that an issuer signs. */
export const permitCommands: readonly Command[] = [appoint, sign, redeem, revoke, show]
