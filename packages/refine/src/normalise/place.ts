const letters = '0123456789bcdefghjkmnpqrstuvwxyz'

function isPlace(latitude: number, longitude: number): boolean {
  return (
    Number.isFinite(latitude) &&
    Number.isFinite(longitude) &&
    Math.abs(latitude) <= 90 &&
    Math.abs(longitude) <= 180
  )
}

/**
 * The geohash of a place: a cell of a grid whose size falls with the length (5 letters: about 4.9 km, 4: 39 km by 20 km).
 * Source: the public-domain scheme of G. Niemeyer.
 *
 * @param latitude - degrees, -90 to 90
 * @param longitude - degrees, -180 to 180
 * @param length - letters, 1 to 12
 * @returns the geohash, or null
 *
 * @example
 * ```ts
 * import { geohash } from '@sealpool/refine/normalise'
 * console.log(geohash(57.64911, 10.40744, 11)) // u4pruydqqvj
 * ```
 */
export function geohash(latitude: number, longitude: number, length: number): string | null {
  if (!isPlace(latitude, longitude) || !Number.isInteger(length) || length < 1 || length > 12) return null
  const low = [-180, -90]
  const high = [180, 90]
  const value = [longitude, latitude]
  let hash = ''
  let bits = 0
  let code = 0
  for (let turn = 0; hash.length < length; turn += 1) {
    const axis = turn % 2
    const middle = ((low[axis] ?? 0) + (high[axis] ?? 0)) / 2
    const upper = (value[axis] ?? 0) >= middle
    if (upper) low[axis] = middle
    else high[axis] = middle
    code = code * 2 + (upper ? 1 : 0)
    bits += 1
    if (bits === 5) {
      hash += letters[code] ?? ''
      bits = 0
      code = 0
    }
  }
  return hash
}

/**
 * A place on a coarser grid: the middle of a cell of `cell` degrees, which says less than rounding, because the cells are the same
 * for everybody and no place is its own middle by habit.
 *
 * @param latitude - degrees
 * @param longitude - degrees
 * @param options - `cell`: side of a cell in thousandths of a degree, 1 to 90,000 (10 is about 1.1 km, 100 about 11 km)
 * @returns latitude and longitude as decimal text with four places, or null
 */
export function coarsePlace(
  latitude: number,
  longitude: number,
  options: { readonly cell: number },
): { readonly latitude: string; readonly longitude: string } | null {
  const { cell } = options
  if (!isPlace(latitude, longitude) || !Number.isInteger(cell) || cell < 1 || cell > 90_000) return null
  const middle = (degrees: number, edge: number) => {
    // Counted from the edge, so that no cell is cut by zero; the last one may be shorter.
    const from = Math.floor(((degrees + edge) * 1000) / cell) * cell
    const to = Math.min(from + cell, 2 * edge * 1000)
    const whole = from === to ? to - cell / 2 : (from + to) / 2
    return (Math.round((whole - edge * 1000) * 10) / 10_000).toFixed(4).replace(/^-(0\.0000)$/, '$1')
  }
  return { latitude: middle(latitude, 90), longitude: middle(longitude, 180) }
}
