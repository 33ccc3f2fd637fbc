// Re-wraps the headers of a folder to epoch 2, one after the other; run and killed by rewrap-headers.test.ts.
import { rewrapHeaders } from '../epoch/rewrap-headers.js'
import { platformRandom } from '../platform.js'
import { derivePoolKey } from '../pool-key/derive.js'
import { hpkeRecipient } from '../recipient/hpke-recipient.js'
import { headerFiles } from './header-files.js'
import { pool, poolKey, scope } from './sealed-fixture.js'

const [, , folder = ''] = process.argv
const next = derivePoolKey({ root: new Uint8Array(32).fill(1), ...scope, epoch: 2 })
const report = await rewrapHeaders({
  store: headerFiles(folder),
  identities: [pool],
  from: poolKey.keyId,
  to: hpkeRecipient(next),
  expect: scope,
  random: platformRandom,
  atOnce: 4,
  onHeader: () => process.stdout.write('.'),
})
process.stdout.write(JSON.stringify(report))
