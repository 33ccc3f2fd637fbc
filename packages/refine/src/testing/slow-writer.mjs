// Child of the kill test: writes row groups for as long as it lives, so that the kill always falls into the middle.
import { setTimeout as wait } from 'node:timers/promises'
import { writeEncryptedParquet } from '@sealpool/refine/duckdb'

const table = {
  name: 'workers',
  description: 'd',
  columns: { label: { type: 'text', description: 'd' } },
}
async function* rows() {
  for (let contributor = 0; ; contributor += 1) {
    yield { contributor, label: `CANARY-${contributor}` }
    if (contributor % 100 === 0) await wait(1)
  }
}
await writeEncryptedParquet({
  table,
  rows: rows(),
  key: new Uint8Array(32).fill(7),
  path: process.argv[2] ?? '',
  rowGroupRows: 50,
})
