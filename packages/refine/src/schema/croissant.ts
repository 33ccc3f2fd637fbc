/**
 * Croissant (MLCommons): the tables as RecordSets of a dataset description in JSON-LD.
 * Source: Croissant Format Specification 1.0 and 1.1, docs.mlcommons.org/croissant, "JSON-LD context", "RecordSets".
 */
import { RefineError } from '../errors.js'
import { describedColumn } from './leakage-note.js'
import { type ColumnType, contributorColumn, type RefinerSchema } from './table-schema.js'

/** A table's file as it is published; it is encrypted, so its digest and size say nothing of single rows. */
export interface CroissantFile {
  /** Where the file is. */
  readonly contentUrl: string
  /** SHA-256 of the file, 64 hexadecimal digits. */
  readonly sha256: string
  /** Media type; default `application/vnd.apache.parquet`. */
  readonly encodingFormat?: string
}

/** What a dataset description says besides the tables. */
export interface CroissantDataset {
  readonly name: string
  readonly description: string
  /** URL of the licence. Croissant asks for it and the next three; what is not given is left out. */
  readonly license?: string
  /** URL of the dataset's page. */
  readonly url?: string
  /** `YYYY-MM-DD`. */
  readonly datePublished?: string
  readonly creator?: { readonly name: string; readonly url?: string }
  /** Table name to file; tables without one are described without a source. */
  readonly files?: Readonly<Record<string, CroissantFile>>
  /** Version of Croissant that is named in `conformsTo`; default `1.0`. */
  readonly version?: '1.0' | '1.1'
}

const json = (id: string) => ({ '@id': id, '@type': '@json' })
const context = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  data: json('cr:data'),
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  examples: json('cr:examples'),
  extract: 'cr:extract',
  field: 'cr:field',
  fileObject: 'cr:fileObject',
  fileProperty: 'cr:fileProperty',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  path: 'cr:path',
  rai: 'http://mlcommons.org/croissant/RAI/',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
}

const dataTypes: Readonly<Record<ColumnType, string>> = {
  integer: 'sc:Integer',
  decimal: 'sc:Float',
  text: 'sc:Text',
  boolean: 'sc:Boolean',
  date: 'sc:Date',
  timestamp: 'sc:DateTime',
  vector: 'sc:Float',
}

/** A vector's text as a list: what is between the brackets, cut at the commas. */
const listOfNumbers = [{ regex: '^\\[(.*)\\]$' }, { separator: ',' }]

/**
 * The dataset description. Fields are named `table/column`; a table's file, where given, is the source of its fields.
 *
 * @param schema - the refiner's schema
 * @param dataset - see {@link CroissantDataset}
 * @returns the JSON-LD document as plain data
 * @throws RefineError with `ARGUMENT_INVALID` for a file of no table, or a digest that is none
 */
export function toCroissant(
  schema: RefinerSchema,
  dataset: CroissantDataset,
): { readonly [key: string]: unknown } {
  const { files = {}, version = '1.0', license, url, datePublished, creator } = dataset
  for (const [name, file] of Object.entries(files)) {
    if (!Object.hasOwn(schema.tables, name) || !/^[0-9a-f]{64}$/.test(file.sha256)) {
      throw new RefineError(
        'ARGUMENT_INVALID',
        `files.${name}`,
        'A file needs a table of the schema and a SHA-256',
      )
    }
  }
  const fieldOf = (table: string, column: string, description: string, type: ColumnType) => ({
    '@type': 'cr:Field',
    '@id': `${table}/${column}`,
    name: column,
    description,
    dataType: dataTypes[type],
    ...(type === 'vector' ? { repeated: true } : {}),
    ...(Object.hasOwn(files, table)
      ? {
          source: {
            fileObject: { '@id': `${table}-file` },
            extract: { column },
            ...(type === 'vector' ? { transform: listOfNumbers } : {}),
          },
        }
      : {}),
  })
  return {
    '@context': context,
    '@type': 'sc:Dataset',
    conformsTo: `http://mlcommons.org/croissant/${version}`,
    name: dataset.name,
    description: dataset.description,
    ...(license === undefined ? {} : { license }),
    ...(url === undefined ? {} : { url }),
    ...(datePublished === undefined ? {} : { datePublished }),
    version: schema.version,
    ...(creator === undefined ? {} : { creator: { '@type': 'sc:Organization', ...creator } }),
    distribution: Object.entries(files).map(([table, file]) => ({
      '@type': 'cr:FileObject',
      '@id': `${table}-file`,
      name: `${table}.parquet`,
      description:
        'Parquet under Parquet Modular Encryption; it opens with a key that the pool gives to approved code.',
      contentUrl: file.contentUrl,
      encodingFormat: file.encodingFormat ?? 'application/vnd.apache.parquet',
      sha256: file.sha256,
    })),
    recordSet: Object.entries(schema.tables).map(([name, table]) => ({
      '@type': 'cr:RecordSet',
      '@id': name,
      name,
      description: table.description,
      field: [
        fieldOf(
          name,
          contributorColumn,
          "The contributor's integer surrogate, the join key between pools.",
          'integer',
        ),
        ...Object.entries(table.columns).map(([column, definition]) => {
          const { unit, type } = definition
          const described = describedColumn(definition)
          return fieldOf(name, column, unit === undefined ? described : `${described} Unit: ${unit}.`, type)
        }),
      ],
    })),
  }
}
