// `npm run demo [-- --json FILE --out DIR --workers N --postgresql]`: builds what is not built, then runs the main job,
// examples/wage-pools. Every argument is passed on.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from './run-program.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
runProgram(root, 'demo', join(root, 'examples/wage-pools/src/main.ts'))
