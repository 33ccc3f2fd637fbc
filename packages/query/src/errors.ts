/** Stable codes of every refusal of this package. */
export type QueryErrorCode = keyof typeof refusals

/** A range of characters (UTF-16 code units) of the statement, `end` exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The one list of refusals: what is wrong and what to do. A text is chosen by statement, policy and schema only, and
 * nothing of the data is ever put into it: an error would otherwise be an answer that nobody charged for.
 */
const refusals = {
  TEXT_TOO_LONG: ['the statement is longer than 64 kB', 'send a shorter statement'],
  TOO_MANY_TOKENS: [
    'the statement has more than 8192 tokens, or 128 signs without a blank',
    'send a shorter statement',
  ],
  TOO_DEEP: ['the statement is nested deeper than 64 levels', 'nest fewer expressions in each other'],
  TOO_LARGE: [
    'the statement is short, but what it asks for is too long when it is written out',
    'nest fewer functions in each other, or compute a part of it in a subquery',
  ],
  SYNTAX: ['the statement is not valid PostgreSQL syntax', 'correct the syntax at this place'],
  TEXT_NOT_ALLOWED: [
    'only printable ASCII is allowed outside of string literals',
    'write names and operators in ASCII',
  ],
  STRING_STYLE_NOT_ALLOWED: [
    'only plain single-quoted strings are allowed',
    "write the value as '...' with quotes doubled, without E, U&, B, X or $ forms",
  ],
  GRAMMAR_UNAVAILABLE: [
    "PostgreSQL's grammar is not here",
    'in Node install libpg-query 18.1.5; in a browser give openSqlGrammar the bytes of its wasm/libpg-query.wasm',
  ],
  NOT_A_SELECT: ['exactly one SELECT statement is allowed', 'send one SELECT ... FROM ... statement'],
  CLAUSE_NOT_ALLOWED: ['this clause or form is not supported', 'leave this clause out'],
  EXPRESSION_NOT_ALLOWED: [
    'this expression is not supported here',
    'use columns, literals, comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, CASE, casts to numbers, + - * / %',
  ],
  FUNCTION_NOT_ALLOWED: [
    'this function is not allowed',
    'use count, sum, avg, median, percentile_cont, variance, stddev, corr, covar_pop, regr_slope, or a function that the README lists',
  ],
  OPERATOR_NOT_ALLOWED: ['this operator is not allowed', 'use =, <>, <, <=, >, >=, +, -, *, / or %'],
  SUBQUERY_NOT_ALLOWED: [
    'this subquery would let data decide what no noise covers',
    'use subqueries in FROM and WITH, EXISTS and IN on the contributor, or one released number',
  ],
  WINDOW_NOT_ALLOWED: [
    'windows are allowed in subqueries only, over the rows of one contributor',
    'write OVER (PARTITION BY contributor ORDER BY ...) in a subquery of FROM',
  ],
  NO_POOL_TABLE: [
    'the statement counts rows of public tables only, or public rows that private data chose',
    'count contributors: begin FROM with a table of a pool',
  ],
  SELECT_STAR: ['SELECT * would return rows of contributors', 'name group columns and aggregates'],
  NOT_AGGREGATED: [
    'this output is neither an aggregate nor a key of GROUP BY',
    'aggregate it, or group by it if the policy lists its public values',
  ],
  NO_AGGREGATE: ['the statement releases no aggregate', 'add count(*), sum(...) or avg(...)'],
  AGGREGATE_MISPLACED: [
    'an aggregate is not allowed here',
    'use aggregates in SELECT, HAVING and ORDER BY only',
  ],
  IDENTIFIES_ONE_CONTRIBUTOR: [
    'the contributor can be counted and joined on, but never selected, filtered, grouped or computed with',
    'remove the contributor from this place',
  ],
  NAME_RESERVED: [
    'contributor and wallet are names of the contributor, and nothing else may be called so',
    'choose another name behind AS',
  ],
  TABLE_UNKNOWN: ['this table is in none of the pools of the job', 'name a table as pool.table'],
  TABLE_NOT_POPULATED: [
    'this table has not been refined yet',
    'wait until the pool has refined contributions',
  ],
  TABLE_NOT_GRANTED: ['the grant does not cover this table', 'ask the pool for a grant on this table'],
  TEMPLATE_NOT_APPROVED: [
    'the grant allows approved statements only, and this is none of them',
    'use an approved statement with parameters of your own',
  ],
  COLUMN_UNKNOWN: ['no such column is in the tables of the statement', 'use a column of the schema'],
  COLUMN_AMBIGUOUS: ['several tables have a column of this name', 'write it as table.column'],
  COLUMN_NOT_GRANTED: ['the grant does not cover this column', 'ask the pool for a grant on this column'],
  COLUMN_NOT_FILTERABLE: [
    'the policy does not allow conditions on this column',
    'use a column marked filter or group',
  ],
  COLUMN_NOT_MEASURABLE: ['the policy does not allow sums over this column', 'use a column marked measure'],
  MEASURE_UNBOUNDED: [
    'the policy gives no minimum and maximum for this value, so no noise could hide one contributor',
    'use a column with bounds in the policy',
  ],
  GROUP_NOT_PUBLIC: [
    'the policy lists no public values for this key, so its groups would tell about the data',
    'group by a column marked group with public values, by a CASE with literal results, or give the job a delta for a column marked open',
  ],
  TOO_MANY_GROUPS: ['the keys have more public combinations than the policy allows', 'group by fewer keys'],
  TYPE_MISMATCH: [
    'the types of this expression do not fit',
    'compare numbers with numbers and text with text',
  ],
  NUMBER_RANGE: ['this number or its possible range is too large', 'use smaller numbers or fewer factors'],
  MOMENT_INVALID: [
    'this is no date, time or interval that is understood here',
    "write '2024-03-31', '2024-03-31 12:00:00' (UTC) or INTERVAL '1 month 2 days'",
  ],
  PARAMETER_UNKNOWN: ['no value was given for this parameter', 'give a value for every $n'],
  JOIN_NOT_ALLOWED: [
    'tables of pools are joined on the contributor only, each table once, and only where both policies allow it',
    'write FROM a.x JOIN b.y USING (contributor) for pools that allow joins with each other',
  ],
  POOLS_INVALID: [
    'the pools of the job do not fit together',
    'give each pool once, by its own name and policy',
  ],
  PUBLIC_TABLE_INVALID: [
    'a public table needs a schema of its own, distinct columns, and 1 to 1000 rows that fit them',
    'correct the table',
  ],
  BOUNDS_INVALID: [
    'contribution bounds are whole numbers of groups and of rows, and do not fit distinct counts and quantiles',
    'give groups and rows of at least 1, or leave them out',
  ],
  POLICY_UNSUPPORTED: [
    'the policy uses a name that the planner keeps for itself, or holds what is no JSON',
    'rename the column in the policy, or mend its texts',
  ],
  PURPOSE_NOT_ALLOWED: [
    'a pool does not allow this purpose, or wants one to be named',
    'name a purpose that the policies of all pools of the statement list',
  ],
  BUDGET_INVALID: [
    'epsilon must be a number of at least 1e-6 and delta must not be negative',
    'state a budget for the job',
  ],
  BUDGET_PER_JOB_EXCEEDED: [
    'the budget is larger than a pool allows for one job',
    'ask for a smaller epsilon',
  ],
  BUDGET_TOTAL_EXCEEDED: [
    'the budget is larger than the lifetime budget of a pool',
    'ask for a smaller epsilon',
  ],
  ANSWERS_DAMAGED: [
    'the stored answers do not verify',
    'restore a copy; an answer that is lost is asked for again and charged again',
  ],
  ANSWERS_UNAVAILABLE: [
    'the answer could not be stored, so it may not be given; its charge stays',
    'mend the storage and open it again',
  ],
  ANSWER_WITHHELD: [
    'the answer could not be made, and what it would have cost is spent',
    'ask for less at once, or ask whoever runs the engine to look at its log',
  ],
  PLAN_OUTDATED: [
    'a pool of the plan is not here, or has another policy than the plan was made under',
    'make the plan anew with planQuery under the policies of today',
  ],
  PLAN_INVALID: ['this is not a plan of this version', 'make the plan with planQuery'],
  STATEMENT_REFUSED: [
    'the printed statement is not one SELECT over the planned tables',
    'report this as a fault of the printer',
  ],
  ENGINE_UNAVAILABLE: ['the engine could not be started', 'install @duckdb/node-api and build the package'],
  SPILL_FOLDER_UNGUARDED: [
    'the folder to spill to is on a plain disk, where rows would outlive the machine',
    'name a folder in memory or on dm-crypt, use slices, or accept it with spillOnPlainDisk',
  ],
  ENGINE_LOAD_FAILED: ['a table could not be loaded', 'check the names, the types and the key of the table'],
  ENGINE_TABLE_MISSING: [
    'the engine does not hold a table of the plan',
    'load every table of the pool, empty ones too, before the first query',
  ],
  ENGINE_LOCKED: ['the engine is locked since its first query', 'load all tables before the first query'],
  ENGINE_FAILED: ['the engine could not answer', 'close this engine and start another one'],
  ENGINE_TIMEOUT: [
    'the engine did not answer in time and was stopped',
    'start another one with a longer time',
  ],
  ENGINE_CLOSED: ['the engine is closed', 'start another one'],
  NOT_DIVISIBLE: [
    'several nodes have the rows, and this cannot be computed from what each of them counts',
    'count rows, sums and averages by public names, over one home or over UNION ALL of tables of several; ask without DISTINCT and without joins across homes, or do not have the job dealt to several nodes',
  ],
  SHARE_INVALID: [
    'a share has not the form of the plan',
    'have its home compute it anew, by the same release',
  ],
  ENGINE_ANSWER_INVALID: ['the engine gave an answer that does not fit the plan', 'check the engine'],
} as const satisfies Record<string, readonly [string, string]>

/** Every code, for tests and for documentation. */
export const queryErrorCodes = Object.keys(refusals) as readonly QueryErrorCode[]

/**
 * What went wrong with a statement, a plan or an engine. `place` says where: `characters 7-11` of the statement,
 * or the name of the argument. The message holds no value of the data and no text of the statement.
 */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  readonly code: QueryErrorCode
  readonly place: string
  /** Characters of the statement, when the place is in the statement. */
  readonly range: Span | null
  /** What to do about it. */
  readonly remedy: string

  constructor(code: QueryErrorCode, where: Span | string, options: { readonly cause?: unknown } = {}) {
    const [what, remedy] = refusals[code]
    const place = typeof where === 'string' ? where : `characters ${where.start}-${where.end}`
    super(`${what} (${place}); ${remedy}`, 'cause' in options ? { cause: options.cause } : {})
    this.code = code
    this.place = place
    this.range = typeof where === 'string' ? null : { start: where.start, end: where.end }
    this.remedy = remedy
  }
}
