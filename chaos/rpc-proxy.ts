/**
 * Between node and chain: passes calls on, or stalls, breaks, lies and stands still, as it is told.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from './listen.js'

/** What the proxy does with calls. */
export type RpcMode =
  | 'pass'
  /** Takes the call and gives no answer until it is told otherwise; then it closes. */
  | 'stall'
  /** Sends half of the answer and holds the rest, likewise. */
  | 'half'
  /** Answers 500. */
  | 'error'
  /** Answers what is no JSON. */
  | 'garbage'
  /** Closes the connection without an answer. */
  | 'cut'
  /** Names a head that is 1,000 blocks further. */
  | 'lie-head'
  /** Leaves the last event out, or gives it other data. */
  | 'lie-logs'
  /** Turns one bit of every answer of a contract. */
  | 'lie-state'
  /** Goes on telling the head at which it was set to this. */
  | 'frozen'

/** Modes in which no call gets its answer. */
const refuses: readonly RpcMode[] = ['stall', 'error', 'garbage', 'cut']

/** What becomes of a transaction that somebody waits for. */
export type HookTime = 'lost' | 'late' | 'after' | 'watch'

/** A running proxy. */
export interface RpcProxy {
  readonly url: string
  set(mode: RpcMode): void
  /**
   * Called once with the next transaction, whose sender gets no answer: `lost`, it never reaches the chain; `late`, it does
   * after the hook; `after`, it has. Or only to `watch`, and everything goes its way.
   */
  onTransaction(when: HookTime, hook: () => Promise<void>): void
  /** Calls so far, and how many answers were kept back, broken or changed. */
  readonly counts: { calls: number; altered: number }
  close(): Promise<void>
}

interface Call {
  readonly id: unknown
  readonly method: string
  readonly params?: readonly unknown[]
}
interface Answer {
  id: unknown
  result?: unknown
  error?: unknown
}

/**
 * Starts a proxy.
 * @param options.target address of the chain
 * @param options.onTraffic told every body that passes, both ways
 */
export async function startRpcProxy(options: {
  readonly target: string
  readonly onTraffic: (body: Buffer) => void
}): Promise<RpcProxy> {
  let mode: RpcMode = 'pass'
  const held = new Set<ServerResponse>()
  const heads = new Map<string, unknown>()
  let hook: { readonly when: HookTime; readonly run: () => Promise<void> } | undefined
  const counts = { calls: 0, altered: 0 }

  const forward = async (body: Buffer): Promise<Answer | Answer[]> => {
    const response = await fetch(options.target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array(body),
    })
    return (await response.json()) as Answer | Answer[]
  }
  const each = (answer: Answer | Answer[], change: (one: Answer) => void): void => {
    for (const one of Array.isArray(answer) ? answer : [answer]) change(one)
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await wholeBody(request)
    options.onTraffic(body)
    const parsed = JSON.parse(body.toString('utf8')) as Call | Call[]
    const calls = Array.isArray(parsed) ? parsed : [parsed]
    counts.calls += calls.length
    const present = mode
    const sends = calls.some(({ method }) => method === 'eth_sendRawTransaction')
    if (refuses.includes(present)) counts.altered += 1
    if (present === 'stall') {
      held.add(response)
      return
    }
    if (present === 'cut') {
      response.destroy()
      return
    }
    if (present === 'error' || present === 'garbage') {
      response.writeHead(present === 'error' ? 500 : 200, { 'content-type': 'application/json' })
      response.end(present === 'error' ? '{"error":"out of order"}' : '<html>rate limited</html>')
      return
    }
    if (sends && hook !== undefined) {
      const { when, run } = hook
      hook = undefined
      if (when === 'watch') {
        await run()
        await pass(present, calls, body, response)
        return
      }
      if (when === 'after') await forward(body)
      await run()
      // Whoever sent it is gone, and the chain may have taken another one under its number by now: both are what `late` is for.
      if (when === 'late') await forward(body).catch(() => undefined)
      response.destroy()
      return
    }
    await pass(present, calls, body, response)
  }

  const pass = async (
    present: RpcMode,
    calls: readonly Call[],
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> => {
    const answer = await forward(body)
    alter(present, calls, answer)
    const text = Buffer.from(JSON.stringify(answer))
    options.onTraffic(text)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(text.length) })
    if (present === 'half') {
      counts.altered += 1
      response.write(text.subarray(0, Math.floor(text.length / 2)))
      held.add(response)
      return
    }
    response.end(text)
  }

  const alter = (present: RpcMode, calls: readonly Call[], answer: Answer | Answer[]): void => {
    const callOf = (id: unknown) => calls.find((call) => call.id === id)
    each(answer, (one) => {
      const { method = '', params = [] } = callOf(one.id) ?? {}
      const tellsHead =
        method === 'eth_blockNumber' || (method === 'eth_getBlockByNumber' && params[0] === 'latest')
      if (present === 'lie-head' && tellsHead) {
        one.result = further(one.result)
        counts.altered += 1
      }
      if (present === 'frozen' && tellsHead) {
        const kept = heads.get(method)
        if (kept === undefined) heads.set(method, one.result)
        else {
          if (JSON.stringify(kept) !== JSON.stringify(one.result)) counts.altered += 1
          one.result = kept
        }
      }
      if (present === 'lie-logs' && method === 'eth_getLogs' && Array.isArray(one.result)) {
        const logs = one.result as { data: string }[]
        const last = logs.at(-1)
        if (last !== undefined) counts.altered += 1
        if (last !== undefined && last.data.length > 66) last.data = turned(last.data)
        else logs.pop()
      }
      if (present === 'lie-state' && method === 'eth_call' && typeof one.result === 'string') {
        one.result = turned(one.result)
        counts.altered += 1
      }
    })
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  const { url, close } = await listen(server)
  return {
    url,
    counts,
    set(next) {
      mode = next
      heads.clear()
      for (const response of held) response.destroy()
      held.clear()
    },
    onTransaction(when, run) {
      hook = { when, run }
    },
    close,
  }
}

/** A head, as a number or as a block, 1,000 blocks further. */
function further(head: unknown): unknown {
  if (typeof head === 'string') return `0x${(BigInt(head) + 1_000n).toString(16)}`
  const block = head as { readonly number: string }
  return { ...block, number: further(block.number) }
}

/** One bit turned in the last place of a hexadecimal text. */
function turned(hex: string): string {
  if (hex.length < 3) return hex
  return hex.slice(0, -1) + (Number.parseInt(hex.slice(-1), 16) ^ 1).toString(16)
}

/** Reads a request's body. */
export async function wholeBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** Asks the chain itself. */
export async function rpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message?: string } }
  if (error !== undefined) throw new Error(`${method}: ${error.message}`)
  return result
}
