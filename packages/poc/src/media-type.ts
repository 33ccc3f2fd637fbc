/**
 * A media type without parameters and in lower case (RFC 9110 section 8.3.1).
 *
 * @param mediaType for example `text/csv; charset=utf-8`
 */
export function essenceOf(mediaType: string): string {
  return (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase()
}

/** Whether a media type without parameters says JSON (RFC 6839 section 3.1 for the suffix). */
export function isJson(essence: string): boolean {
  return essence === 'application/json' || essence.endsWith('+json')
}
