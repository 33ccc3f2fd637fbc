/** Functions and operators that printed statements use. Nothing else may be in a statement. */
const functions = new Set([
  'year',
  'month',
  'day',
  'dayofyear',
  'week',
  'isoyear',
  'date_diff',
  'to_months',
  'translate',
  'ltrim',
  'rtrim',
  'substr',
  'length',
  '||',
  'sqrt',
  'ln',
  'exp',
  'sin',
  'cos',
  '/',
  'count_star',
  'count',
  'sum',
  'coalesce',
  'least',
  'greatest',
  'round',
  'try',
  '+',
  '-',
  '*',
  '//',
  '%',
  '~~',
  'regexp_full_match',
  'min',
  'max',
  'hash',
  'row_number',
  'rank',
  'dense_rank',
  'lag',
  'lead',
  'first_value',
  'last_value',
])

/** Kinds of nodes of DuckDB's own tree that printed statements are made of. */
const types = new Set([
  'SELECT_NODE',
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'COLUMN_REF',
  'VALUE_CONSTANT',
  'FUNCTION',
  'CASE_EXPR',
  'OPERATOR_CAST',
  'OPERATOR_COALESCE',
  'OPERATOR_NOT',
  'OPERATOR_IS_NULL',
  'OPERATOR_IS_NOT_NULL',
  'OPERATOR_TRY',
  'COMPARE_EQUAL',
  'COMPARE_NOTEQUAL',
  'COMPARE_LESSTHAN',
  'COMPARE_GREATERTHAN',
  'COMPARE_LESSTHANOREQUALTO',
  'COMPARE_GREATERTHANOREQUALTO',
  'COMPARE_IN',
  'COMPARE_NOT_IN',
  'CONJUNCTION_AND',
  'CONJUNCTION_OR',
  'ORDER_MODIFIER',
  'ORDER_DEFAULT',
  'ASCENDING',
  'DESCENDING',
  'ORDERS_ASCENDING',
  'ORDERS_DESCENDING',
  'DISTINCT_MODIFIER',
  'SET_OPERATION_NODE',
  'EXPRESSION_LIST',
  'EMPTY',
  'WINDOW_AGGREGATE',
  'WINDOW_ROW_NUMBER',
  'WINDOW_RANK',
  'WINDOW_RANK_DENSE',
  'WINDOW_LAG',
  'WINDOW_LEAD',
  'WINDOW_FIRST_VALUE',
  'WINDOW_LAST_VALUE',
])

/**
 * Second look at a statement: DuckDB's own parser must have read one SELECT, made of known nodes and functions only,
 * over exactly the tables that were planned. This catches faults of the printer before they reach data.
 *
 * @param serialized the answer of `json_serialize_sql`
 * @param tables expected tables as `pool.table`
 * @param reach whether the statement must reach all of them, or may reach some
 * @returns null when it fits, otherwise what does not, without any literal of the statement
 */
export function statementFault(
  serialized: string,
  tables: Iterable<string>,
  reach: 'exactly' | 'within' = 'exactly',
): string | null {
  let tree: unknown
  try {
    tree = JSON.parse(serialized)
  } catch {
    return 'not serialized'
  }
  if (!isRecord(tree) || tree['error'] !== false) return 'not one SELECT'
  const statements = tree['statements']
  if (!Array.isArray(statements) || statements.length !== 1) return 'not one SELECT'
  const reached = new Set<string>()
  const fault = walk(statements[0], reached)
  if (fault !== null) return fault
  const expected = new Set(tables)
  const within = [...reached].every((name) => expected.has(name))
  return within && (reach === 'within' || reached.size === expected.size) ? null : 'other tables'
}

function walk(value: unknown, reached: Set<string>): string | null {
  const pending: unknown[] = [value]
  const allowed = new Set<unknown>()
  const root = isRecord(value) ? value['node'] : null
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) {
      pending.push(...next)
      continue
    }
    if (!isRecord(next)) continue
    const fault = nodeFault(next, reached, { allowed, root })
    if (fault !== null) return fault
    for (const [key, child] of Object.entries(next)) {
      // Types of constants and casts have names of their own; a constant's value is no node.
      if (key === 'cast_type' || (key === 'value' && next['type'] === 'VALUE_CONSTANT')) continue
      if (typeof child === 'object' && child !== null) pending.push(child)
    }
  }
  return null
}

function nodeFault(
  node: Readonly<Record<string, unknown>>,
  reached: Set<string>,
  { allowed, root }: { readonly allowed: Set<unknown>; readonly root: unknown },
): string | null {
  const type = node['type']
  // VALUES is read as SELECT * FROM a list of rows: the star is over what the statement itself says. The other star is over a
  // table of which only some rows are there before a full join; it is nested, so that nothing of it comes out by itself.
  if (type === 'STAR' && allowed.has(node)) return null
  const from = isRecord(node['from_table']) ? node['from_table'] : {}
  if (from['type'] === 'EXPRESSION_LIST' || (from['type'] === 'BASE_TABLE' && node !== root)) {
    for (const entry of Array.isArray(node['select_list']) ? node['select_list'] : []) allowed.add(entry)
  }
  if (typeof type === 'string' && !types.has(type)) return `node ${type}`
  // A subquery in FROM and one in an expression share their type; of the latter only IN (SELECT ...) is printed.
  if (node['class'] === 'SUBQUERY' && node['subquery_type'] !== 'ANY') return 'subquery'
  if (typeof type === 'string' && type.startsWith('WINDOW_') && !overContributor(node)) return 'window'
  if (type === 'FUNCTION') {
    const name = node['function_name']
    const qualified = node['schema'] !== '' || node['catalog'] !== ''
    if (typeof name !== 'string' || qualified || !functions.has(name)) return 'function'
  }
  if (type === 'BASE_TABLE') {
    const catalogue = node['catalog_name']
    if (catalogue !== undefined && catalogue !== '') return 'catalogue'
    reached.add(`${String(node['schema_name'])}.${String(node['table_name'])}`)
  }
  const map = node['cte_map']
  if (isRecord(map) && Array.isArray(map['map']) && map['map'].length > 0) return 'WITH'
  return null
}

/** Every printed window begins its partition with the contributor. */
function overContributor(node: Readonly<Record<string, unknown>>): boolean {
  const partitions = node['partitions']
  const first: unknown = Array.isArray(partitions) ? partitions[0] : undefined
  if (!isRecord(first)) return false
  const parts: readonly unknown[] =
    first['type'] === 'OPERATOR_COALESCE' && Array.isArray(first['children']) ? first['children'] : [first]
  return parts.length > 0 && parts.every(isContributor)
}

function isContributor(value: unknown): boolean {
  const names = isRecord(value) && value['type'] === 'COLUMN_REF' ? value['column_names'] : undefined
  const last: unknown = Array.isArray(names) ? names.at(-1) : undefined
  return last === 'contributor' || last === 'u'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
