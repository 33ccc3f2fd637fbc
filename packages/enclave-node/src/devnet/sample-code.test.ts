import { fileURLToPath } from 'node:url'
import { bundlePoc } from '@sealpool/poc/bundle'
import { bundleRefiner } from '@sealpool/refine/bundle'
import { expect, test } from 'vitest'
import sampleRefiner from './sample-refiner.js'

const pathOf = (name: string) => fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
const quoted = (text: string) =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`

test('the committed code of the devnet’s pool is what its sources bundle to', async () => {
  const poc = await bundlePoc({ entry: pathOf('sample-proof') })
  const refiner = await bundleRefiner({ entry: pathOf('sample-refiner') })
  // What the settings get is described by the module itself: it must be what the script says in the sandbox.
  expect(sampleRefiner.describe()).toEqual(refiner.schema)
  await expect(`// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are scripts.
/**
 * The approved code of the devnet's pool: \`sample-proof.ts\` and \`sample-refiner.ts\`, bundled, so that a devnet needs no bundler.
 * Written by \`npx vitest run --project 'node*' --update=all packages/enclave-node/src/devnet/sample-code.test.ts\`.
 * @module
 */
/** The proof of contribution. */
export const sampleProofCode =
  ${quoted(poc.code)}
/** The refiner. */
export const sampleRefinerCode =
  ${quoted(refiner.code)}
`).toMatchFileSnapshot('./sample-code.ts')
})
