/**
 * Arrow with the `@uwdata/flechette` package (an optional peer, pure JavaScript).
 *
 * @module
 */
import {
  bool,
  Column,
  columnFromArray,
  type DataType,
  dateDay,
  decimal128,
  fixedSizeList,
  float32,
  int64,
  TimeUnit,
  tableFromColumns,
  tableToIPC,
  timestamp,
  utf8,
} from '@uwdata/flechette'
import { RefineError } from '../errors.js'
import { decimalPrecision, scaledDecimal } from '../schema/decimal.js'
import { daysFromCivil, instantMicroseconds } from '../schema/instant.js'
import {
  type CellValue,
  type ColumnSchema,
  contributorColumn,
  type NamedTable,
  type Row,
} from '../schema/table-schema.js'
import { vectorValues } from '../schema/vector.js'

type Shape = Pick<ColumnSchema, 'type' | 'decimals' | 'embedding'>

function arrowType(column: Shape): DataType {
  switch (column.type) {
    case 'integer':
      return int64()
    case 'decimal':
      return decimal128(decimalPrecision, column.decimals ?? 0)
    case 'text':
      return utf8()
    case 'boolean':
      return bool()
    case 'date':
      return dateDay()
    case 'timestamp':
      return timestamp(TimeUnit.MICROSECOND, 'UTC')
    case 'vector':
      return fixedSizeList(float32(), column.embedding?.dimensions ?? 0)
  }
}

function arrowValue(column: Shape, value: CellValue, place: string): unknown {
  if (value === null) return null
  switch (column.type) {
    case 'integer':
      return BigInt(value)
    case 'decimal': {
      const scaled = scaledDecimal(String(value), column.decimals ?? 0)
      if (typeof scaled === 'bigint') return scaled
      break
    }
    case 'date': {
      const [year, month, day] = String(value).split('-').map(Number)
      if (year !== undefined && month !== undefined && day !== undefined) {
        return daysFromCivil(year, month, day) * 86_400_000
      }
      break
    }
    case 'timestamp': {
      const micro = instantMicroseconds(String(value))
      if (micro !== undefined) return micro
      break
    }
    case 'vector': {
      const values = vectorValues(String(value), column.embedding?.dimensions ?? 0)
      if (values !== undefined) return values
      break
    }
    default:
      return value
  }
  throw new RefineError(
    'VALUE_TYPE',
    place,
    'A value does not fit its column; pass rows as refineBatch returns them',
  )
}

/** A column of values; instants are built as integers, because the package would multiply doubles of milliseconds. */
function arrowColumn(shape: Shape, values: readonly unknown[]) {
  const type = arrowType(shape)
  if (shape.type !== 'timestamp') return columnFromArray(values as unknown[], type as never)
  const { data } = columnFromArray(values as unknown[], int64() as never)
  return new Column(data as never, type)
}

/**
 * A table as an Arrow IPC stream: `contributor` first, decimals as Decimal128(18, places), days as Date32, instants as
 * microseconds in UTC, vectors as lists of float32 of one size.
 *
 * @param table - name and columns
 * @param rows - rows as `refineBatch` returns them
 * @returns the stream's bytes, not encrypted
 * @throws RefineError with `VALUE_TYPE`
 */
export function toArrowStream(table: NamedTable, rows: readonly Row[]): Uint8Array {
  const shapes: [string, Shape][] = [
    [contributorColumn, { type: 'integer' }],
    ...Object.entries(table.columns),
  ]
  const columns = shapes.map(([name, shape]) => {
    const values = rows.map((row, index) =>
      arrowValue(shape, row[name] ?? null, `${table.name}[${index}].${name}`),
    )
    return [name, arrowColumn(shape, values)] as const
  })
  const bytes = tableToIPC(tableFromColumns(columns as never), { format: 'stream' })
  if (bytes === null) throw new RefineError('VALUE_TYPE', table.name, 'The table cannot be written as Arrow')
  return bytes
}
