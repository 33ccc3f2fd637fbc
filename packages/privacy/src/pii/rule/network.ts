import type { PiiRule } from '../finding.js'

/** Rules for what addresses machines and pages; the same in every language. */
export const networkRules: readonly PiiRule[] = [
  {
    type: 'email',
    name: 'email',
    pattern:
      /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}](?:[\p{L}\p{N}._%+'-]{0,62}[\p{L}\p{N}_+-])?@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu,
  },
  {
    type: 'email',
    name: 'email-spelled',
    pattern:
      /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,62} ?[[(](?:at|arroba|chiocciola|malpa|apenstaartje)[\])] ?[\p{L}\p{N}-]{1,63}(?: ?[[(](?:dot|punkt|point|punto|ponto|kropka|punt)[\])] ?[\p{L}\p{N}-]{1,63}|\.[\p{L}\p{N}-]{2,63}){1,4}/giu,
  },
  {
    type: 'url',
    name: 'url',
    pattern: /(?<![\p{L}\p{N}])(?:https?|ftp|wss?):\/\/[^\s<>"'`{}|\\^\u00ab\u00bb\u201c\u201d]{2,2000}/giu,
    accept: withoutPunctuation,
  },
  {
    type: 'url',
    name: 'url-www',
    pattern: /(?<![\p{L}\p{N}./@-])www\.[a-z0-9-]{1,63}\.[^\s<>"'`{}|\\^\u00ab\u00bb\u201c\u201d]{2,2000}/giu,
    accept: withoutPunctuation,
  },
  {
    type: 'ip',
    name: 'ip-v4',
    pattern: /(?<![\p{L}\p{N}.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\p{L}\p{N}]|\.[0-9])/gu,
    accept: (match, { before }) =>
      match.split('.').every((part) => Number(part) < 256 && (part === '0' || !part.startsWith('0'))) &&
      !/(?:\bv|version|versi[o\u00f3]n|versione|vers\u00e3o|versie|wersj[aiey]|release|rev\.?|build|firmware)[ :.]{0,2}$/iu.test(
        before,
      ),
  },
  {
    type: 'ip',
    name: 'ip-v6',
    pattern: /(?<![\p{L}\p{N}:.])[0-9a-f:]{2,39}(?:\.[0-9]{1,3}){0,3}(?![\p{L}\p{N}:]|\.[0-9])/giu,
    accept: isIpV6,
  },
  {
    type: 'mac',
    name: 'mac',
    pattern: /(?<![\p{L}\p{N}:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\p{L}\p{N}:-])/giu,
  },
  {
    type: 'mac',
    name: 'mac-dotted',
    pattern: /(?<![\p{L}\p{N}.])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(?![\p{L}\p{N}]|\.[0-9a-f])/giu,
    // Twelve digits and no letter are more often a number in groups.
    accept: (match) => /[a-f]/i.test(match),
  },
  {
    type: 'geo',
    name: 'geo-decimal',
    pattern:
      /(?<![\p{L}\p{N}.])[+-]?[0-9]{1,2}\.[0-9]{3,12}\u00b0? ?[NS]?[,;] ?[+-]?[0-9]{1,3}\.[0-9]{3,12}\u00b0?(?: ?[EW])?(?![\p{L}\p{N}]|\.[0-9])/gu,
    accept: inDegrees,
  },
  {
    type: 'geo',
    name: 'geo-sexagesimal',
    pattern:
      /(?<![\p{L}\p{N}])[0-9]{1,2}\u00b0 ?[0-9]{1,2}['\u2032\u2019] ?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?["\u2033\u201d] ?)?[NS],? ?[0-9]{1,3}\u00b0 ?[0-9]{1,2}['\u2032\u2019] ?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?["\u2033\u201d] ?)?[EWO](?!\p{L})/gu,
  },
  {
    type: 'geo',
    name: 'geo-named',
    pattern:
      /(?<![\p{L}\p{N}])lat(?:itude|itud|itudine|\.)?[:= ]{1,3}[+-]?[0-9]{1,2}[.,][0-9]{1,12}[,; ]{1,3}(?:lon|lng|long)(?:gitude|itude|gitud|gitudine|g\.|\.)?[:= ]{1,3}[+-]?[0-9]{1,3}[.,][0-9]{1,12}/giu,
    accept: (match) => {
      const from = match.search(/[+\-0-9]/)
      return { from, to: match.length }
    },
  },
]

/** A sentence's own punctuation does not belong to an address at its end. */
function withoutPunctuation(match: string): { readonly from: number; readonly to: number } {
  let to = match.length
  while (to > 0 && /[.,;:!?)\]*_~]/.test(match[to - 1] ?? '')) to--
  return { from: 0, to }
}

function inDegrees(match: string): boolean {
  const [latitude = 0, longitude = 0] = match
    .split(/[,;]/)
    .map((part) => Number(part.replace(/[^0-9.+-]/g, '')))
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180
}

/** RFC 4291 section 2.2: eight groups, or fewer around one `::`. */
function isIpV6(match: string): boolean {
  const halves = match.split('::')
  if (halves.length > 2 || !/[0-9a-f]/i.test(match)) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const dotted = /^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$/.test(groups.at(-1) ?? '')
  const wanted = dotted ? 7 : 8
  const whole = dotted ? groups.slice(0, -1) : groups
  if (!whole.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false
  // `::` alone or `::1` in running text is code more often than somebody's address; two groups are asked for.
  return halves.length === 2 ? groups.length >= 2 && groups.length < wanted : groups.length === wanted
}
