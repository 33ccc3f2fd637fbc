import { type Digest, parseDigest } from '@sealpool/crypto'
import { searchCatalogue, similarPools } from '../catalogue/catalogue.js'
import { type Given, usage } from './arguments.js'
import type { Command } from './command.js'
import { oneLine, table } from './io.js'
import { addressOf } from './settings.js'

function schemaOf(given: Given): { readonly schema?: Digest } {
  const text = given.get('schema')
  if (text === undefined) return {}
  try {
    return { schema: parseDigest(text) }
  } catch {
    throw usage('--schema', 'expected sha256: and 64 hexadecimal digits')
  }
}

/** Finds pools. */
export const catalogueCommand: Command = {
  name: 'catalogue',
  summary: 'pools that a node and its peers list; nothing is verified but who signed',
  example: "sealpool catalogue 'wages sweden' --node https://node.example",
  positionals: ['words'],
  options: {
    node: { value: 'URL', help: 'a node to ask', required: true },
    schema: { value: 'DIGEST', help: 'only pools with this table schema' },
    after: { value: 'CURSOR', help: 'the next page, as the page before names it' },
  },
  details:
    'Give one argument with all words, which must all occur; "" lists everything. Verify with sealpool ready before you send anything.',
  needs: 'none',
  async run({ given }) {
    const words = given.positionals[0] ?? ''
    const after = given.get('after')
    const page = await searchCatalogue({
      url: given.need('node'),
      ...(words === '' ? {} : { text: words }),
      ...schemaOf(given),
      ...(after === undefined ? {} : { after }),
    })
    const rows = page.entries.map((entry) => [
      entry.name,
      entry.pool,
      `${entry.contributions}+`,
      entry.price,
      `${entry.url}${entry.simulated ? ' (SIMULATED)' : ''}`,
    ])
    const text = [
      table([['pool', 'contract', 'contributions', 'price', 'node'], ...rows]),
      `${page.entries.length} of ${page.total}${page.next === null ? '' : `; go on with --after ${oneLine(page.next)}`}`,
    ]
    return { json: page, text: text.join('\n') }
  },
}

/** Finds pools that are like one. */
export const similarCommand: Command = {
  name: 'similar',
  summary: 'pools of a catalogue that declare most in common with one of it',
  example: 'sealpool similar 0xe7f1725e7734ce288f8367e1bb143e90bb3f0512 --node https://node.example',
  positionals: ['pool'],
  options: { node: { value: 'URL', help: 'a node to ask', required: true } },
  details:
    'Alike is what is declared: schema, columns with type and unit, words. It says nothing about the data. Give the address of the pool’s contract.',
  needs: 'none',
  async run({ given }) {
    const pool = addressOf(given.positionals[0] ?? '', 'pool')
    const similar = await similarPools({ url: given.need('node'), pool })
    const rows = similar.map(({ likeness, entry }) => [
      `${(likeness / 10).toFixed(1)} %`,
      entry.name,
      entry.pool,
      `${entry.url}${entry.simulated ? ' (SIMULATED)' : ''}`,
    ])
    return { json: { pool, similar }, text: table([['alike', 'pool', 'contract', 'node'], ...rows]) }
  },
}
