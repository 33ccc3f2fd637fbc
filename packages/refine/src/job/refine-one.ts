import type { JsonValue } from '@sealpool/sandbox'
import { embeddedRows, mappedTable } from '../embedding/embedded-rows.js'
import { RefineError } from '../errors.js'
import type { PiiPass } from '../pii/pii-pass.js'
import { tableOf } from '../schema/table-of.js'
import type { RefinerSchema, Row } from '../schema/table-schema.js'
import { openSource } from '../source/open-export.js'
import { requiredFields } from '../source/required-fields.js'
import { defaultSourceLimits } from '../source/source-limits.js'
import { checkRow } from './check-row.js'
import { directRows } from './direct-rows.js'
import { mappedTables } from './mapped-tables.js'
import type { RefineBatchOptions, RefineContribution } from './refine-batch.js'

/** What refining one contribution takes of a batch's options. */
export type RefineOneOptions = Omit<RefineBatchOptions, 'contributions' | 'piiKey' | 'salt'>

const defaultRowsPerContribution = 100_000

async function recordsOf(contribution: RefineContribution, schema: RefinerSchema, options: RefineOneOptions) {
  const { sourceLimits = defaultSourceLimits, readers } = options
  const { mediaType, name, bytes } = contribution
  const records: JsonValue[] = []
  for await (const record of openSource({
    source: schema.source,
    bytes,
    mediaType,
    limits: sourceLimits,
    fields: requiredFields(schema),
    ...(schema.files === undefined ? {} : { files: schema.files }),
    ...(name === undefined ? {} : { name }),
    ...(readers === undefined ? {} : { readers }),
  })) {
    records.push(record)
  }
  return records
}

/**
 * Refines one contribution: reads its export on the host, maps it in the sandbox, checks every row.
 *
 * @param contribution - opened
 * @param schema - what the refiner describes
 * @param options - as for a batch
 * @param pass - over personal data
 * @returns all of its rows, by table
 * @throws RefineError for which the contribution is refused; `EMBEDDER_FAILED` is no fault of it
 */
export async function refineOne(
  contribution: RefineContribution,
  schema: RefinerSchema,
  options: RefineOneOptions,
  pass: PiiPass,
): Promise<Map<string, Row[]>> {
  const { refiner, runtime, limits, rowsPerContribution = defaultRowsPerContribution } = options
  const records = await recordsOf(contribution, schema, options)
  const given =
    schema.direct === undefined
      ? await mappedTables(records, { code: refiner.code, runtime, limits }, { schema })
      : { [schema.direct.table]: await directRows(schema, records, { code: refiner.code, runtime, limits }) }
  const checked = new Map<string, Row[]>()
  let count = 0
  for (const [name, rows] of Object.entries(given)) {
    if (!Object.hasOwn(schema.tables, name)) {
      throw new RefineError(
        'MAP_OUTPUT_INVALID',
        'output',
        'The mapping returned a table that is not declared',
      )
    }
    count += rows.length
    if (count > rowsPerContribution) {
      throw new RefineError('LIMIT_EXCEEDED', name, 'A contribution gave more rows than allowed')
    }
    const table = tableOf(schema, name)
    const mapped = mappedTable(table)
    const own = rows.map((row, index) =>
      checkRow(mapped, pass(mapped, row, index), contribution.contributor, index),
    )
    checked.set(name, [...(await embeddedRows(table, own, { embedder: options.embedder }))])
  }
  return checked
}
