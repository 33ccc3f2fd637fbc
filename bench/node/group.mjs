import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { register } from 'tsx/esm/api'
import { openStage } from './stage.mjs'

register()
const source = '../../packages/enclave-node/src'
const { simulatorFile } = await import(`${source}/evidence/simulator-quote-provider.ts`)
const { developmentKeyFile } = await import(`${source}/key/development-key-release.ts`)
const { postgresPrograms, startPostgres } = await import(`${source}/testing/postgresql-server.ts`)
const { track } = await import('../../chaos/process-list.ts')

/**
 * Feeds a group of one, two and three nodes on one PostgreSQL server, then kills the one that leads.
 *
 * @param contributions how many for each size of the group
 * @returns seconds for each size, and from the kill until the next one is ready; undefined where there is no PostgreSQL
 */
export async function group(contributions) {
  if (postgresPrograms === undefined) return undefined
  const server = await startPostgres(postgresPrograms, track)
  const url = await server.database('bench')
  const stage = await openStage({
    settings: (given) => ({
      ...given,
      state: { kind: 'postgresql', group: 'bench', tablesDirectory: 'tables' },
    }),
    secrets: { SEALPOOL_DATABASE_URL: url },
  })
  const { world, workload } = stage
  const others = []
  try {
    await workload.contributeFirst()
    let refined = 8
    await stage.refined(refined)
    const sizes = []
    for (let size = 1; size <= 3; size++) {
      if (size > 1) others.push(await standby(stage, world, size))
      const began = performance.now()
      for (let sent = 0; sent < contributions; sent += 50)
        await workload.contribute(Math.min(50, contributions - sent))
      refined += contributions
      await stage.refined(refined)
      sizes.push({ size, seconds: (performance.now() - began) / 1000 })
    }
    const leader = stage.node()
    const began = performance.now()
    const heirs = others.map(async (one) => {
      await one.url
      return one
    })
    await leader.kill()
    await Promise.any(heirs)
    return { sizes, takeover: (performance.now() - began) / 1000 }
  } finally {
    for (const one of others) await one.kill()
    await stage.close()
    await server.stop()
  }
}

/** A node with the keys of the first and a folder of its own, once it stands by. */
async function standby(stage, world, number) {
  const folder = join(world.folder, `node-${number}`)
  await mkdir(folder)
  for (const file of [simulatorFile, developmentKeyFile]) await cp(join(world.data, file), join(folder, file))
  const config = join(world.folder, `node-${number}.json`)
  const settings = JSON.parse(await readFile(world.config, 'utf8'))
  await writeFile(config, JSON.stringify({ ...settings, dataDirectory: `node-${number}` }))
  const node = stage.start(config)
  await new Promise((resolve) => {
    node.onLine(({ msg }) => msg.startsWith('another node leads') && resolve())
  })
  return node
}
