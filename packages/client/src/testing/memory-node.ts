import type { Hex, JsonObject } from '@sealpool/crypto'
import { node as usualNode } from './simulated-pool.js'

/** One request that a node saw. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly body: string
}

/** A node behind a recording `fetch`; tests change what it answers: JSON, or a whole `Response`. */
export function memoryNode(node: Pick<typeof usualNode, 'answer' | 'evidence'> = usualNode) {
  const seen: SeenRequest[] = []
  const routes: Record<string, () => unknown> = {
    '/v1/pools': () => ({ simulated: true, pools: [node.answer()] }),
  }
  const behaviour = { evidence: (nonce: Hex): JsonObject => node.evidence(nonce) }
  const fetch: typeof globalThis.fetch = async (given, init) => {
    const url = new URL(String(given))
    seen.push({
      method: init?.method ?? 'GET',
      path: `${url.pathname}${url.search}`,
      body: String(init?.body ?? ''),
    })
    if (url.pathname === '/v1/evidence') {
      return Response.json(behaviour.evidence(url.searchParams.get('nonce') as Hex))
    }
    const route = routes[url.pathname]
    if (route !== undefined) {
      const answer = route()
      return answer instanceof Response ? answer : Response.json(answer)
    }
    return Response.json({ error: { code: 'NOT_FOUND', message: 'No such page.' } }, { status: 404 })
  }
  return { fetch, seen, routes, behaviour }
}
