import { build } from 'esbuild'
import { expect, test } from 'vitest'

test('a thread loads nothing but what reads pieces: it is started for every export, and a library that checks schemas took longer than all else', async () => {
  const { metafile } = await build({
    entryPoints: [new URL('./piece-worker.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  })
  const loaded = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
  expect([...new Set(loaded)].sort()).toEqual(['@sealpool/sandbox', 'node:crypto', 'node:worker_threads'])
})
