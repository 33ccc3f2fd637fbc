/**
 * Programs that a pool's members vote for: put them where the pool's node looks for them, and ask for such a job.
 *
 * @module
 */
export {
  maximumProgramBytes,
  type ProgramRuntime,
  programParameters,
  programRuntimes,
  type StoredProgram,
  storeProgram,
} from './program.js'
