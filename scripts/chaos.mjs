// `npm run chaos [-- --short --seed N --kills N --minutes N --only FAULT --json FILE --keep]`: builds what is not built, then
// runs chaos/main.ts, which kills, starves and deceives a node and checks what must hold. Every argument is passed on.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from './run-program.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
runProgram(root, 'chaos', join(root, 'chaos/main.ts'))
