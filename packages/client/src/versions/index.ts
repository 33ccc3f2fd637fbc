/**
 * Newer versions of what was contributed, and what came of them.
 *
 * @module
 */
export { type ContributedVersion, contributeVersion, type VersionOptions } from './contribute-version.js'
