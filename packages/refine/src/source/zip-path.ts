/** The upper half of IBM's code page 437, from 0x80 on. */
const upperHalf =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0'

const utf8Flag = 0x800

/**
 * A path of a ZIP archive. Where its entry does not say that it is UTF-8 it is of code page 437 (APPNOTE, appendix D), as Windows writes
 * names with letters beyond ASCII; many programs write UTF-8 there all the same, which other bytes are by chance only. With a code page of
 * another country the letters are wrong and the file is found under them.
 *
 * @param bytes - of the path
 * @param flags - of the entry
 * @returns the path, or undefined where it is said to be UTF-8 and is not
 */
export function zipPath(bytes: Uint8Array, flags: number): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    if ((flags & utf8Flag) !== 0) return undefined
    return Array.from(bytes, (byte) =>
      byte < 0x80 ? String.fromCharCode(byte) : (upperHalf[byte - 0x80] ?? ''),
    ).join('')
  }
}
