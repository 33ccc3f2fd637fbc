// A process of its own: fills a sealed state and tells its parent what it takes. See state-memory.mjs.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { register } from 'tsx/esm/api'

register()
/** Every database that is opened here, with the memory that its files lie in. */
const databases = []
const { PGlite } = await import('@electric-sql/pglite')
const create = PGlite.create.bind(PGlite)
PGlite.create = async (options) => {
  const database = await create(options)
  databases.push({ database, memory: options.fs })
  return database
}
const state = '../../packages/enclave-node/src/state'
const { aesRowCipher } = await import(`${state}/aes-row-cipher.ts`)
const { noteBlock, forgetOldBlocks } = await import(`${state}/block-table.ts`)
const { storeContent } = await import(`${state}/content-table.ts`)
const { insertContribution, markBatchRecorded, markJudged, markRefined } = await import(
  `${state}/contribution-table.ts`
)
const { memoryImages } = await import(`${state}/memory-image.ts`)
const { noteBlob, setCursor } = await import(`${state}/meta-table.ts`)
const { migrate } = await import(`${state}/migration.ts`)
const { openPgliteStore } = await import(`${state}/pglite-store.ts`)
const { insertRefinement, markRefinementRecorded } = await import(`${state}/refinement-table.ts`)
const { openSealedStore } = await import(`${state}/sealed-store.ts`)
const { claimFingerprint, insertVerdict, insertVerdictBatch, markVerdictBatchRecorded } = await import(
  `${state}/verdict-table.ts`
)
const { openWorkingDatabase } = await import(`${state}/working-template.ts`)

const [count, steps] = process.argv.slice(2).map(Number)
const atOnce = 50
const owners = 12

/** The same in every run, and nothing that compresses. */
const hex = (length, of) => {
  let text = ''
  for (let part = 0; text.length < length; part++)
    text += createHash('sha256').update(`${of} ${part}`).digest('hex')
  return text.slice(0, length)
}
const digest = (of) => `sha256:${hex(64, of)}`
const pool = `0x${hex(40, 'pool')}`
/** As large as a node's: verdicts have about 1,000 characters. */
const statement = (of, length) => ({
  statement: { type: of, body: hex(length, of) },
  signature: `0x${hex(130, of)}`,
})

const random = (length) => Uint8Array.from(randomBytes(length))
const directory = mkdtempSync(join(tmpdir(), 'sealpool-state-memory-'))
const key = random(32)
const durable = await openPgliteStore({ directory })
const store = await openSealedStore({
  durable,
  openWorking: async () => (await openWorkingDatabase({ directory, key, random })).store,
  cipherOf: (of) => aesRowCipher({ key, store: of, random }),
  random,
  images: memoryImages({ directory, key, random }),
})
await migrate(store)

/** All that a node writes for fifty contributions, from their block to their rows. */
async function contribute(first) {
  const ids = Array.from({ length: atOnce }, (_, index) => String(first + index))
  const batch = String(1 + (first - 1) / atOnce)
  const block = { number: BigInt(batch), hash: `0x${hex(64, `block ${batch}`)}` }
  const sent = { hash: `0x${hex(64, `sent ${batch}`)}`, block: block.number }
  await store.transaction(async (tx) => {
    for (const [index, id] of ids.entries())
      await insertContribution(tx, {
        id,
        pool,
        owner: `0x${hex(40, `owner ${Number(id) % owners}`)}`,
        blobDigest: digest(`blob ${id}`),
        commitment: digest(`commitment ${id}`),
        schemaId: `0x${hex(64, 'schema')}`,
        consentDigest: `0x${hex(64, 'consent')}`,
        epoch: 1,
        locator: digest(`blob ${id}`),
        blockNumber: block.number,
        blockHash: block.hash,
        logIndex: index,
        merkle: null,
      })
    await noteBlock(tx, 'bench', block)
    await forgetOldBlocks(tx, 'bench')
    await setCursor(tx, 'bench', { blockNumber: block.number, blockHash: block.hash, logIndex: -1 })
  })
  for (const id of ids)
    await noteBlob(store, { digest: digest(`blob ${id}`), purpose: 'contribution', size: 3_000 })
  await store.transaction(async (tx) => {
    const entries = ids.map((contributionId) => ({
      contributionId,
      score: 9_000,
      refused: false,
      verdictDigest: digest(`verdict ${contributionId}`),
    }))
    await insertVerdictBatch(tx, { id: batch, pool, entries, statement: statement(`batch ${batch}`, 400) })
    for (const id of ids) {
      const verdict = digest(`verdict ${id}`)
      await insertVerdict(tx, {
        contribution: id,
        digest: verdict,
        statement: statement(`verdict ${id}`, 800),
      })
      await markJudged(tx, id, {
        score: 9_000,
        verdictDigest: verdict,
        batch,
        reason: null,
        reasonText: null,
      })
      await storeContent(tx, pool, id, { prints: null, account: null })
      await claimFingerprint(tx, pool, hex(64, `print ${id}`), id)
    }
  })
  await store.transaction(async (tx) => {
    await markVerdictBatchRecorded(tx, batch, sent)
    await markBatchRecorded(tx, batch)
  })
  await store.transaction(async (tx) => {
    await insertRefinement(tx, {
      id: batch,
      pool,
      schemaId: digest('schema'),
      digest: digest(`rows ${batch}`),
      parts: [{ table: 'rows', file: `${batch}-rows.parquet`, rows: atOnce }],
      contributions: ids,
      rows: atOnce,
      statement: statement(`refinement ${batch}`, 800),
    })
    for (const id of ids) await markRefined(tx, id, batch, null)
  })
  await markRefinementRecorded(store, batch, sent)
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
/** Megabytes of the files of a database in memory, in memory or not. */
const filesOf = (memory, folder = '') => {
  let sum = 0
  for (const name of memory.readdir(folder).slice(2)) {
    const path = `${folder}/${name}`
    const { mode, size } = memory.lstat(path)
    sum += (mode & 0o170000) === 0o040000 ? filesOf(memory, path) : size / 1e6
  }
  return sum
}
const opened = () => databases.filter(({ database }) => !database.closed)
/** Resident megabytes of the WebAssembly heaps: the mappings that are as large as one. */
const heapsOf = () => {
  const sizes = new Set(opened().map(({ database }) => database.Module.HEAPU8.length / 1024))
  let sum = 0
  for (const mapping of readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [size, rss] = ['Size', 'Rss'].map((name) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(mapping)?.[1]),
    )
    if (sizes.has(size)) sum += (rss * 1024) / 1e6
  }
  return sum
}
const resident = () =>
  (Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024) / 1e6

try {
  for (let step = 1; step <= steps; step++) {
    const from = ((step - 1) * count) / steps
    const began = performance.now()
    for (let first = from + 1; first <= (step * count) / steps; first += atOnce) await contribute(first)
    const seconds = (performance.now() - began) / 1000
    const before = resident()
    collect()
    collect()
    const { heapUsed, arrayBuffers, external } = process.memoryUsage()
    const [{ rows, indexes }] = await store.query(
      `select sum(pg_table_size(pg_class.oid))::float8 as rows, sum(pg_indexes_size(pg_class.oid))::float8 as indexes
       from pg_class join pg_namespace on pg_namespace.oid = relnamespace where nspname in ('public', 'capture') and relkind = 'r'`,
    )
    process.send({
      contributions: (step * count) / steps,
      seconds,
      before,
      after: resident(),
      heap: heapUsed / 1e6,
      buffers: arrayBuffers / 1e6,
      external: external / 1e6,
      rows: rows / 1e6,
      indexes: indexes / 1e6,
      programs: heapsOf(),
      files: opened().reduce((sum, { memory }) => sum + (memory === undefined ? 0 : filesOf(memory)), 0),
    })
  }
} finally {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
}
process.disconnect()
