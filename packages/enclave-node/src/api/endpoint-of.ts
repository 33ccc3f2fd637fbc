import { apiRoutes } from './api-routes.js'

const routePatterns = apiRoutes.map(({ method, path }) => ({
  method: method.toUpperCase(),
  endpoint: `${method.toUpperCase()} ${path}`,
  // The parts of a tile's number are parts of the path.
  pattern: new RegExp(
    `^${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${name === 'tile' ? '.+' : '[^/]+'})`)}$`,
  ),
}))

/**
 * The endpoint that a request is for, as the matrix names it.
 * @returns undefined when there is none
 */
export function endpointOf(
  method: string,
  path: string,
): { readonly endpoint: string; readonly parameters: Readonly<Record<string, string>> } | undefined {
  // What is answered to GET is answered to HEAD, without its body.
  const asked = method === 'HEAD' ? 'GET' : method
  for (const { method: own, endpoint, pattern } of routePatterns) {
    const match = own === asked ? pattern.exec(path) : null
    if (match !== null) return { endpoint, parameters: { ...match.groups } }
  }
  return undefined
}
