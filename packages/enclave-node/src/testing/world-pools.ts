/**
 * The pools of a world, with their policies and code.
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AttestationPolicy } from '@sealpool/attest'
import { type Deployment, foundPool, type PoolContracts } from '@sealpool/contracts'
import { type Address, digestOf, digestToHex, type JsonValue } from '@sealpool/crypto'
import { bundlePoc } from '@sealpool/poc/bundle'
import { bundleRefiner } from '@sealpool/refine/bundle'
import type { Account, Chain, Transport, WalletClient } from 'viem'

/** A wallet of the devnet. */
export type Wallet = WalletClient<Transport, Chain | undefined, Account>

/** One pool of the world. */
export interface WorldPool extends PoolContracts {
  readonly name: 'pay' | 'people' | 'rural' | 'notes'
  readonly policy: JsonValue
  readonly mediaType: string
}

const fixture = (name: string): string => fileURLToPath(new URL(`./fixture/${name}.ts`, import.meta.url))
const column = (name: string, more: object) => ({ name, nullable: false, ...more })

/**
 * Founds the pools and writes what a node's settings name of them into the folder.
 * @returns the pools by name
 */
export async function foundWorldPools(options: {
  readonly client: Wallet
  readonly deployment: Deployment
  readonly folder: string
  readonly attestation: AttestationPolicy
  /** A third pool as well: as `people`, under its own name. */
  readonly rural: boolean
  /** A fourth pool, whose columns hold words of their own. */
  readonly notes: boolean
}) {
  const { client, deployment, folder, attestation } = options
  const found = async (
    name: WorldPool['name'],
    others: readonly string[],
    mediaType: string,
    tables: JsonValue,
  ): Promise<WorldPool> => {
    const code = name === 'rural' ? 'people' : name
    const [poc, refiner] = await Promise.all([
      bundlePoc({ entry: fixture(`${code}-proof`) }),
      bundleRefiner({ entry: fixture(`${code}-refiner`) }),
    ])
    const policy = {
      format: 'sealpool/pool-policy',
      version: 1,
      name,
      description: `Test pool ${name}.`,
      purposes: ['research'],
      attestation,
      code: {
        poc: poc.digest,
        refiner: refiner.digest,
        computations: ['linear-regression', 'program'],
        programs: 'voted',
        rescoring: 'voted',
      },
      tables,
      privacy: {
        accounting: 'basic',
        // Far too much for real people: with a handful of workers, less would drown every answer.
        epsilon: 90,
        delta: 1e-6,
        perJob: { epsilon: 80, delta: 2.5e-7 },
        minimumContributors: 2,
        maximumGroups: 100,
      },
      joins: { allowed: true, with: others },
      views: { others: 'count' },
      economics: { price: '1000', poolTokenBurn: '0' },
    } as unknown as JsonValue
    const contracts = await foundPool(client, {
      deployment,
      name,
      symbol: name.toUpperCase(),
      policyDigest: digestToHex(digestOf(policy)),
      pocDigest: digestToHex(poc.digest),
      refinerDigest: digestToHex(refiner.digest),
      guardian: client.account.address,
      governance: { votingDelay: 1, votingPeriod: 60, timelockDelay: 1 },
    })
    for (const [part, value] of Object.entries({ policy, poc, refiner })) {
      await writeFile(join(folder, `${name}-${part}.json`), JSON.stringify(value))
    }
    const { pool, token, governor, timelock } = contracts
    return { pool: pool.toLowerCase() as Address, token, governor, timelock, name, policy, mediaType }
  }
  const rural = options.rural ? ['rural'] : []
  const persons = [
    {
      name: 'persons',
      rowsPerContributor: 1,
      columns: [column('education', { type: 'integer', min: 0, max: 30, use: ['measure'] })],
    },
  ]
  return {
    pay: await found('pay', ['people', ...rural], 'application/json', [
      {
        name: 'workers',
        rowsPerContributor: 1,
        columns: [
          column('wage', { type: 'decimal', decimals: 2, min: 0, max: 100, use: ['measure'] }),
          column('sector', { type: 'text', values: ['a', 'b'], use: ['group', 'filter'] }),
        ],
      },
    ]),
    people: await found('people', ['pay', ...rural], 'text/csv', persons),
    rural: options.rural ? await found('rural', ['pay', 'people'], 'text/csv', persons) : undefined,
    notes: options.notes
      ? await found('notes', [], 'application/json', [
          {
            name: 'visits',
            rowsPerContributor: 2,
            columns: [
              column('place', { type: 'text', open: true, use: ['group'] }),
              column('remark', { type: 'text', open: true, use: ['group'] }),
            ],
          },
        ])
      : undefined,
  }
}
