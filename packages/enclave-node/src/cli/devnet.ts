/**
 * What `sealpool-node devnet` prints, and how long it runs.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type DevnetNode, startDevnetNode } from '../devnet/start-devnet-node.js'
import { nodeLogger } from '../runtime/logger.js'

/** Flags of the command. */
export interface DevnetFlags {
  readonly port: number
  /** One line of JSON instead of words. */
  readonly json: boolean
  /** The node's log on standard error. */
  readonly verbose: boolean
  /** Folder of this program, where the command `sealpool` may lie as well. */
  readonly programs: string
}

/** Where it tells what. */
export interface DevnetOutput {
  /** The answer: once, when everything runs. */
  readonly say: (line: string) => void
  /** What is being started; it takes a while. */
  readonly progress: (line: string) => void
}

/**
 * Runs a devnet until it is told to stop, and removes everything that it made.
 * @param flags how
 * @param stopped resolves when it shall end
 * @param output where it tells what
 * @returns after everything is gone: 0, or 1 when the node ended by itself
 * @throws ContractsError `ANVIL_NOT_FOUND`, naming the remedy
 */
export async function runDevnet(
  flags: DevnetFlags,
  stopped: Promise<unknown>,
  output: DevnetOutput,
): Promise<0 | 1> {
  const devnet = await startDevnetNode({
    port: flags.port,
    onStep: output.progress,
    log: nodeLogger({ level: flags.verbose ? 'info' : 'silent', simulated: true }),
  })
  try {
    output.say(flags.json ? JSON.stringify(summaryOf(devnet)) : textOf(devnet, flags.programs))
    const failed = await Promise.race([stopped.then(() => undefined), devnet.node().failed])
    return failed === undefined ? 0 : 1
  } finally {
    await devnet.stop()
  }
}

function summaryOf({ folder, chain, pool, node }: DevnetNode): object {
  const { url, simulated, isolation } = node()
  const { contributors, consumer, operator, founder } = chain
  return {
    ready: true,
    simulated,
    isolation,
    url,
    rpc: chain.rpcUrl,
    chainId: chain.chainId,
    folder,
    pool: pool.pool,
    token: pool.token,
    governor: pool.governor,
    contracts: { ...chain.deployment, blockNumber: String(chain.deployment.blockNumber) },
    accounts: {
      founder: founder.address,
      operator: operator.address,
      consumer: consumer.address,
      contributors: contributors.map(({ address }) => address),
    },
    pid: process.pid,
  }
}

function textOf({ folder, chain, pool, node }: DevnetNode, programs: string): string {
  const { url, isolation } = node()
  const people = chain.contributors.length
  return `SIMULATED: no hardware stands behind this node, and every key below is public knowledge. Use made-up data.

node       ${url}
chain      ${chain.rpcUrl} (chain ${chain.chainId}; a block each second)
pool       ${pool.pool}
token      ${pool.token}
governor   ${pool.governor}
registry   ${chain.deployment.nodeRegistry}
job board  ${chain.deployment.jobBoard}
isolation  ${isolation}
folder     ${folder} (settings, keys, payslips; removed at the end)

${existsSync(join(programs, 'sealpool')) ? `  export PATH="${programs}:$PATH"\n` : ''}  cd ${folder}
  sealpool ready
Contribute (numbers 1 to ${people}, at least 3 of them):
  sealpool contribute payslip-1.json --type application/json --schema schema.json --consent consent.txt --key-file contributor-1.key
Ask (KEY and JOB are what the commands before print), have it granted by vote, pay, fetch, verify:
  sealpool result-key result.key
  sealpool query question.sql --title 'Mean wage' --purpose research --epsilon 10 --result-key KEY --key-file consumer.key
  sealpool grant JOB proposal.json --price 0 --closes $(($(date +%s) + 86400)) --key-file contributor-1.key
  sealpool vote proposal.json for --key-file contributor-1.key        (within 10 seconds; one vote is enough here)
  sealpool carry-out proposal.json --key-file contributor-1.key       (after 10 seconds; twice, 2 seconds apart)
  sealpool fund JOB --key-file consumer.key
  sealpool job JOB --wait 600
  sealpool result JOB --result-key-file result.key --out result.json
  sealpool verify-receipt JOB --result result.json
Ctrl-C ends everything and leaves nothing.`
}
