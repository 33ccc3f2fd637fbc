const types: Readonly<Record<string, string>> = {
  json: 'application/json',
  csv: 'text/csv',
  jsonl: 'application/jsonl',
  ndjson: 'application/x-ndjson',
  eml: 'message/rfc822',
  mbox: 'application/mbox',
  jwt: 'application/jwt',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  c2pa: 'application/c2pa',
}

/** Media type by a file's ending; text when it is not known. */
export function mediaTypeOf(file: string): string {
  const ending = /\.([A-Za-z0-9]+)$/.exec(file)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(types, ending) ? (types[ending] ?? 'text/plain') : 'text/plain'
}
