/**
 * One request to a development chain that no client library has a name for.
 * @module
 */

/**
 * @param rpcUrl the chain's endpoint
 * @param method of JSON-RPC
 * @param params its parameters
 * @returns the result
 */
export async function request(rpcUrl: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(10_000),
  })
  return ((await response.json()) as { readonly result?: unknown }).result
}
