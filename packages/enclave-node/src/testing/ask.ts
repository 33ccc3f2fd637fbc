/**
 * Asking and waiting, for tests of a running node.
 * @module
 */

/** Asks an API for JSON. */
export async function ask(url: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(url, init)
  return response.json()
}

/** Waits until `holds` answers true. */
export async function until(what: string, holds: () => Promise<boolean>, timeoutMs = 40_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}
