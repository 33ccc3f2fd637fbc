// Child of the kill test: runs a job over a folder and tells each step, so that the parent can kill it at any of them.
import { readFileSync } from 'node:fs'
import { folderInputs, runFileJob } from '@sealpool/refine/file-job'

const [, , refiner = '', input = '', output = ''] = process.argv
const result = await runFileJob({
  refiner: JSON.parse(readFileSync(refiner, 'utf8')),
  inputs: await folderInputs(input, { contributor: 7 }),
  output,
  key: new Uint8Array(32).fill(3),
  workers: 0,
  // Files that were done before tell no rows.
  onProgress: ({ rows }) => rows > 0 && process.stdout.write('step\n'),
})
process.stdout.write(`digest ${result.contentDigest}\n`)
