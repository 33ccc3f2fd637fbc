import { QueryError } from '../errors.js'
import type { SqlGrammar } from './sql-grammar.js'

const missing = async (): Promise<never> => {
  throw new QueryError('GRAMMAR_UNAVAILABLE', 'grammar')
}

/** Stands in bundles for browsers, by the manifest's `browser` field, where nothing is installed: callers bring a grammar. */
export const installedGrammar: SqlGrammar = { scan: missing, parse: missing }
