/**
 * Jobs over files: any number of exports into encrypted Parquet, with one content digest, resumable (Node only).
 *
 * @module
 */
export { folderInputs } from './folder-inputs.js'
export type { JobInput } from './refine-input.js'
export { type FileJobOptions, type FileJobResult, type JobProgress, runFileJob } from './run-file-job.js'
