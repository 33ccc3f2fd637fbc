import { encodeHex, platformRandom } from '@sealpool/crypto'
import { attenuateCapability, type Capability, type Caveat, parseCapability } from '../access/capability.js'
import { platformNow } from '../platform.js'
import { type Given, type OptionSpec, usage, wholeNumber } from './arguments.js'
import type { Command, CommandContext } from './command.js'
import { dateOf, table } from './io.js'
import { intoNewFile } from './new-file.js'
import { addressOf, readSecret } from './settings.js'

const caveatOptions: Readonly<Record<string, OptionSpec>> = {
  pools: { value: 'ADDRESSES', help: 'only calls about these pools, with commas' },
  jobs: { value: 'NUMBERS', help: 'only calls about these jobs, with commas' },
  endpoints: { value: 'CALLS', help: "only these calls, with commas: 'POST /v1/plan,GET /v1/jobs/{id}'" },
}

function caveatsOf(given: Given): Caveat[] {
  const parts = (name: string): string[] | undefined =>
    given
      .get(name)
      ?.split(',')
      .map((part) => part.trim())
  const pools = parts('pools')?.map((text) => addressOf(text, '--pools'))
  const jobs = parts('jobs')?.map((text) => `${wholeNumber(text, '--jobs')}`)
  const endpoints = parts('endpoints')
  return [
    ...(pools === undefined ? [] : [{ pools }]),
    ...(jobs === undefined ? [] : [{ jobs }]),
    ...(endpoints === undefined ? [] : [{ endpoints }]),
  ]
}

/** Unix seconds. @throws ClientError `OPTION_INVALID` */
function inSeconds(text: string, place: string): number {
  const seconds = Number(wholeNumber(text, place))
  if (seconds >= 1 && seconds <= 90 * 86_400) return Math.floor(platformNow().getTime() / 1000) + seconds
  throw usage(place, 'expected 1 to 7776000 seconds (90 days)')
}

const tokenOf = async ({ given, io }: Pick<CommandContext, 'given' | 'io'>): Promise<string> =>
  (await readSecret(given.positionals[0] ?? '', '<token-file>', io)).trim()

const give: Command = {
  name: 'give-token',
  summary: 'make a token for an agent; it goes into a new file',
  example: "sealpool give-token agent.token --lifetime 86400 --endpoints 'POST /v1/plan,GET /v1/jobs/{id}'",
  positionals: ['new-file'],
  options: {
    lifetime: { value: 'SECONDS', help: 'how long it is good, at most 90 days; default: a day' },
    ...caveatOptions,
  },
  details:
    'The account signs in and gives an agent a part of what it may call itself. The file gets the token (mode 600) and is never\nwritten over: whoever holds the token can use it. Without limits it allows all that the node lets agents call.',
  needs: 'send',
  async run({ given, opened }) {
    const caveats = caveatsOf(given)
    const expiresAt = inSeconds(given.get('lifetime') ?? '86400', '--lifetime')
    const { id, until } = await intoNewFile(given.positionals[0] ?? '', '<new-file>', async () => {
      const made = await opened().tokens.create({ expiresAt, caveats })
      return { content: `${made.token}\n`, id: made.id, until: made.expiresAt }
    })
    return {
      json: { id, expiresAt: until, caveats },
      text: table([
        ['token', id],
        ['good until', dateOf(until)],
      ]),
    }
  },
}

const narrow: Command = {
  name: 'narrow-token',
  summary: 'make a narrower token of a token, without asking the node; it goes into a new file',
  example: 'sealpool narrow-token agent.token helper.token --jobs 4 --named',
  positionals: ['token-file', 'new-file'],
  options: {
    lifetime: { value: 'SECONDS', help: 'how long it is good from now on; never longer than the other one' },
    named: { help: 'gives it a name of its own, by which it can be revoked alone' },
    ...caveatOptions,
  },
  details: 'The other token stays as good as it was. A token of - is read from standard input.',
  needs: 'none',
  async run(context) {
    const { given } = context
    const lifetime = given.get('lifetime')
    const name = given.get('named') === undefined ? undefined : encodeHex(platformRandom(16)).slice(2)
    const caveats: Caveat[] = [
      ...(name === undefined ? [] : [{ id: name }]),
      ...(lifetime === undefined ? [] : [{ expires: inSeconds(lifetime, '--lifetime') }]),
      ...caveatsOf(given),
    ]
    if (caveats.length === 0) throw usage('arguments', 'say what it shall be narrowed by')
    const token = await tokenOf(context)
    const { said } = await intoNewFile(given.positionals[1] ?? '', '<new-file>', async () => {
      const narrower = attenuateCapability(token, caveats)
      return { content: `${narrower}\n`, said: parseCapability(narrower) }
    })
    return shown(said)
  },
}

const show: Command = {
  name: 'show-token',
  summary: 'what a token says, which only its node can check',
  example: 'sealpool show-token helper.token',
  positionals: ['token-file'],
  options: {},
  needs: 'none',
  run: async (context) => shown(parseCapability(await tokenOf(context))),
}

const revoke: Command = {
  name: 'revoke-token',
  summary: 'end a token, and all that were narrowed from it, from its last name on',
  example: 'sealpool revoke-token helper.token',
  positionals: ['token-file'],
  options: {},
  needs: 'send',
  async run(context) {
    const revoked = await context.opened().tokens.revoke(await tokenOf(context))
    return { json: { revoked }, text: table([['revoked', revoked]]) }
  },
}

/** What a token says; never the token, nor its last link, without which it is worth nothing. */
function shown({ head, caveats }: Capability) {
  const names = [head.id, ...caveats.flatMap((caveat) => ('id' in caveat ? [caveat.id] : []))]
  const ends = [head.expiresAt, ...caveats.flatMap((caveat) => ('expires' in caveat ? [caveat.expires] : []))]
  const expiresAt = Math.min(...ends)
  const limits = caveats.flatMap((caveat) => {
    if ('pools' in caveat) return [['only pools', caveat.pools.join(', ')]]
    if ('jobs' in caveat) return [['only jobs', caveat.jobs.join(', ')]]
    return 'endpoints' in caveat ? [['only calls', caveat.endpoints.join(', ')]] : []
  })
  return {
    json: { names, use: head.use, address: head.address, roles: head.roles, expiresAt, caveats },
    text: table([
      ['token', names.join(' > ')],
      ['for', `${head.address} (${head.roles.join(', ')})`],
      ['good until', dateOf(expiresAt)],
      ...limits,
    ]),
  }
}

/** What a wallet's owner does for agents. */
export const accessCommands: readonly Command[] = [give, narrow, show, revoke]
