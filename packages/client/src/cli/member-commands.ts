import type { Proposal, Support } from '@sealpool/contracts'
import { digestArgument, usage, wholeNumber } from './arguments.js'
import type { Command } from './command.js'
import { sent } from './contributor-commands.js'
import { dateOf, jsonText, table } from './io.js'
import { intoNewFile } from './new-file.js'
import { readJsonObject } from './settings.js'

const grant: Command = {
  name: 'grant',
  summary: 'propose that the pool grants a job; writes the proposal to a new file',
  example: 'sealpool grant 4 proposal.json --price 10 --closes 1790000000 --key-file me.key',
  positionals: ['job', 'proposal-file'],
  options: {
    price: { value: 'AMOUNT', help: 'protocol tokens per run, smallest unit', required: true },
    burn: { value: 'AMOUNT', help: 'pool tokens burned per run, smallest unit; default 0' },
    runs: { value: 'NUMBER', help: 'default 1' },
    opens: { value: 'SECONDS', help: 'unix time; default: now' },
    closes: { value: 'SECONDS', help: 'unix time', required: true },
    note: { value: 'TEXT', help: 'added to the description' },
  },
  needs: 'send',
  async run(context) {
    const { given, opened } = context
    const [, path = ''] = given.positionals
    const opens = given.get('opens')
    const note = given.get('note')
    const runs = wholeNumber(given.get('runs') ?? '1', '--runs')
    if (runs < 1n || runs > 4_294_967_295n) throw usage('--runs', 'expected 1 to 4,294,967,295')
    const terms = {
      price: wholeNumber(given.need('price'), '--price', 128),
      poolTokenBurn: wholeNumber(given.get('burn') ?? '0', '--burn', 128),
      runs: Number(runs),
      opensAt:
        opens === undefined ? BigInt(Math.floor(Date.now() / 1000)) : wholeNumber(opens, '--opens', 64),
      closesAt: wholeNumber(given.need('closes'), '--closes', 64),
    }
    const { proposal, hash } = await intoNewFile(path, '<proposal-file>', async () => {
      const made = await opened().client.grant(
        wholeNumber(given.positionals[0], '<job>'),
        terms,
        note === undefined ? {} : { note },
      )
      const { governor, proposalId, calls, description, snapshot, deadline } = made
      const kept = { governor, proposalId, calls, description, snapshot, deadline }
      return { content: `${jsonText(kept)}\n`, proposal: kept, hash: made.hash }
    })
    const { proposalId, snapshot, deadline } = proposal
    return sent(
      `proposal ${proposalId} is open for votes from ${dateOf(Number(snapshot) + 1)} to ${dateOf(Number(deadline))}; kept in the file`,
      hash,
      { proposal },
    )
  },
}

async function proposalOf(path: string): Promise<Proposal> {
  const json = await readJsonObject(path, '<proposal-file>')
  const text = (value: unknown, pattern: RegExp) => {
    if (typeof value === 'string' && pattern.test(value)) return value
    throw usage('<proposal-file>', 'this is not a proposal that `sealpool grant` wrote')
  }
  const number = (name: string) => BigInt(text(json[name], /^\d{1,78}$/))
  const address = (value: unknown) => text(value, /^0x[0-9a-fA-F]{40}$/) as `0x${string}`
  const calls: unknown = json['calls']
  return {
    governor: address(json['governor']),
    proposalId: number('proposalId'),
    calls: (Array.isArray(calls) ? calls : []).map((call: unknown) => {
      const { target, data } = (call ?? {}) as Record<string, unknown>
      return { target: address(target), data: text(data, /^0x([0-9a-fA-F]{2})*$/) as `0x${string}` }
    }),
    description: text(json['description'], /^[\s\S]*$/),
    snapshot: number('snapshot'),
    deadline: number('deadline'),
  }
}

const vote: Command = {
  name: 'vote',
  summary: 'vote on a proposal: for, against or abstain',
  example: 'sealpool vote proposal.json for --key-file me.key',
  positionals: ['proposal-file', 'for|against|abstain'],
  options: {},
  needs: 'send',
  async run({ given, opened }) {
    const [path = '', support = ''] = given.positionals
    if (!['for', 'against', 'abstain'].includes(support))
      throw usage('<for|against|abstain>', 'say for, against or abstain')
    const { hash } = await opened().client.vote(await proposalOf(path), support as Support)
    return sent(`voted ${support}`, hash)
  },
}

const proposal: Command = {
  name: 'proposal',
  summary: 'where a proposal stands, and its votes',
  example: 'sealpool proposal proposal.json',
  positionals: ['proposal-file'],
  options: {},
  needs: 'read',
  async run({ given, opened }) {
    const { state, votes } = await opened().client.proposal(await proposalOf(given.positionals[0] ?? ''))
    const rows = [['state', state], ...Object.entries(votes).map(([name, count]) => [name, `${count}`])]
    return { json: { state, votes }, text: table(rows) }
  },
}

const carryOut: Command = {
  name: 'carry-out',
  summary: 'take a passed proposal one step further (queue, then execute)',
  example: 'sealpool carry-out proposal.json --key-file me.key',
  positionals: ['proposal-file'],
  options: {},
  needs: 'send',
  async run({ given, opened }) {
    const { hash } = await opened().client.carryOut(await proposalOf(given.positionals[0] ?? ''))
    return sent('the proposal is one step further', hash)
  },
}

const approval = (name: 'consent' | 'withdraw-consent', summary: string, done: string): Command => ({
  name,
  summary,
  example: `sealpool ${name} DIGEST --key-file me.key`,
  positionals: ['digest'],
  options: {},
  needs: 'send',
  async run({ given, opened }) {
    const digest = digestArgument(given.positionals[0] ?? '', '<digest>')
    const { client } = opened()
    const { hash } = await (name === 'consent' ? client.consent(digest) : client.withdrawConsent(digest))
    return sent(done, hash, { digest })
  },
})

/** What a pool's members do. */
export const memberCommands: readonly Command[] = [
  grant,
  vote,
  proposal,
  carryOut,
  approval(
    'consent',
    'as a contributor, consent to exactly this code or plan, where the pool asks for that',
    'you have consented to it',
  ),
  approval('withdraw-consent', 'take such a consent back', 'your consent is taken back'),
]
