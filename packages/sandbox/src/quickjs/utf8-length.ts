/**
 * Are texts together at most so long in UTF-8? What is far from the limit is not counted.
 *
 * @param texts - the texts
 * @param most - bytes
 * @returns whether they fit
 */
export function fitsUtf8(texts: readonly string[], most: number): boolean {
  const units = texts.reduce((sum, text) => sum + text.length, 0)
  // No unit takes more than three bytes.
  return units * 3 <= most || texts.reduce((sum, text) => sum + utf8Length(text), 0) <= most
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // A surrogate pair is two units and four bytes, so each half counts for two.
    if (unit >= 0xd800 && unit <= 0xdfff) bytes += 1
    else if (unit >= 0x800) bytes += 2
    else if (unit >= 0x80) bytes += 1
  }
  return bytes
}
