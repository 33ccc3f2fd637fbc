/**
 * The `sealpool-poc` command as functions, for programs and tests (Node only).
 *
 * @module
 */
export { createProject } from './create-project.js'
export { type PocCliIo, type PocExitCode, runPocCli } from './run.js'
export { scoreCard } from './score-card.js'
export { type ExampleOutcome, testFolder } from './test-folder.js'
export type { FileFault } from './unreadable-file.js'
