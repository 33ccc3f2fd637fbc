/** One named attempt to get out of the sandbox, or to learn what a run must not depend on. */
export interface EscapeAttempt {
  readonly name: string
  /** A script for the QuickJS runtimes whose entry `go` returns whatever the attempt got hold of, or throws. */
  readonly code: string
  /** What makes it harmless: the run fails, or it returns exactly this. */
  readonly harmless: 'fails' | { readonly returns: unknown }
}

const attempt = (name: string, expression: string, returns?: unknown): EscapeAttempt => ({
  name,
  code: `globalThis.sealpool = { go: (input) => ${expression} }`,
  harmless: returns === undefined ? 'fails' : { returns },
})
const fails = (name: string, expression: string): EscapeAttempt => attempt(name, expression)

/**
 * Attempts that every runtime of QuickJS must withstand, for the conformance suites of runtimes and of whoever embeds one. Each is
 * run with the input `canary-4711`, which must stand in no answer that fails.
 */
export const escapeAttempts: readonly EscapeAttempt[] = [
  // Names of hosts.
  fails('process', 'process.env'),
  fails('require', 'require("fs")'),
  fails('module constructor', 'module.constructor._load("fs")'),
  fails('Deno', 'Deno.readTextFileSync("/etc/passwd")'),
  fails('Bun', 'Bun.file("/etc/passwd")'),
  fails('fetch', 'fetch("http://169.254.169.254/")'),
  fails('WebSocket', 'new WebSocket("ws://127.0.0.1")'),
  fails('Worker', 'new Worker("data:,")'),
  fails('importScripts', 'importScripts("http://127.0.0.1/x.js")'),
  fails('the std module of qjs', 'std.loadFile("/etc/passwd")'),
  fails('the os module of qjs', 'os.exec(["id"])'),
  fails('WebAssembly', 'new WebAssembly.Memory({ initial: 1 })'),
  fails('Atomics.wait', 'Atomics.wait(new Int32Array(4), 0, 0, 100)'),
  fails('shared memory as a clock', 'new SharedArrayBuffer(4)'),
  // Strings that become code.
  fails('eval', 'eval("1")'),
  fails('indirect eval', '(0, eval)("1")'),
  fails('eval found through a getter', 'Object.getOwnPropertyDescriptor(globalThis, "eval").value("1")'),
  fails('Function', 'Function("return this")()'),
  fails('the constructor of a constructor', '[].constructor.constructor("return this")()'),
  fails('the constructor of a bound function', '(() => {}).bind().constructor("return this")()'),
  fails('the constructor of a class', '(class {}).constructor("return this")()'),
  fails('the constructor of a builtin', 'Math.max.constructor("return this")()'),
  fails(
    'the constructor of a getter',
    'Object.getOwnPropertyDescriptor({ get a() { return 1 } }, "a").get.constructor("return 1")()',
  ),
  fails('the constructor of a batch function', 'batch.sha256.constructor("return this")()'),
  fails('the constructor of console.log', 'console.log.constructor("return this")()'),
  fails('an async generator constructor', '(async function* () {}).constructor("yield 1")()'),
  fails(
    'Reflect.construct with a forged target',
    'Reflect.construct(Object.getPrototypeOf(function* () {}).constructor, ["yield 1"])',
  ),
  fails(
    'a species constructor',
    '(() => { class A extends Array { static get [Symbol.species]() { return Function } } return new A(3).map(() => 1) })()',
  ),
  fails('import()', 'import("fs")'),
  attempt(
    'import() whose promise is looked into',
    '(() => { let got = 0; import("os").then((m) => { got = m }, () => {}); return got })()',
    0,
  ),
  // Clocks and randomness.
  fails('Date.now', 'Date.now()'),
  fails('new Date', 'new Date().getTime()'),
  fails('Date through its prototype', 'new Date.prototype.constructor()'),
  fails('performance', 'performance.now()'),
  fails('timers', 'setTimeout(() => {}, 0)'),
  fails('Intl', 'new Intl.DateTimeFormat().resolvedOptions().timeZone'),
  fails('Math.random', 'Math.random()'),
  fails('crypto', 'crypto.getRandomValues(new Uint8Array(4))'),
  fails('WeakRef as a view on garbage collection', 'new WeakRef({}).deref()'),
  fails('FinalizationRegistry', 'new FinalizationRegistry(() => {})'),
  attempt('order of keys as randomness', 'Object.keys({ b: 1, a: 2, 1: 3, [Symbol()]: 4 })', ['1', 'b', 'a']),
  attempt(
    'an unstable sort',
    '[3, 1, 2].map((n) => [n % 2, n]).sort((a, b) => a[0] - b[0]).map((p) => p[1]).join("")',
    '231',
  ),
  attempt(
    'addresses in texts',
    'String({}) + String(() => 1).length + String(Symbol("s"))',
    '[object Object]7Symbol(s)',
  ),
  attempt(
    'a promise queue that runs before the answer',
    '(() => { let n = 0; Promise.resolve().then(() => { n = 1 }); return n })()',
    0,
  ),
  attempt('uninitialised memory', 'new Uint8Array(4096).some((byte) => byte !== 0)', false),
  attempt('locale', '[1234.5.toLocaleString(), "ä".localeCompare("z") > 0, "I".toLocaleLowerCase("tr")]', [
    '1234.5',
    true,
    'i',
  ]),
  // The host behind the harness.
  fails('a forged batch call', 'batch.constructor.constructor("return host")()'),
  fails('a batch function of another name', 'batch.__proto__.call("rows", [0])'),
  attempt(
    'the harness through caller',
    '(() => { try { return typeof (function f() { return f.caller })() } catch { return "threw" } })()',
    'undefined',
  ),
  attempt(
    'the harness through a stack trace',
    '(() => { Error.prepareStackTrace = (_, frames) => frames; const s = new Error("x").stack; return typeof s })()',
    'string',
  ),
  attempt(
    'JSON taken away from the batch glue',
    '(() => { JSON.parse = () => ({ ok: "forged" }); return batch.sha256("") })()',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ),
  attempt(
    'a poisoned prototype under the batch glue',
    '(() => { Object.prototype.no = "x"; Object.prototype.ok = "y"; return batch.sha256("").length })()',
    64,
  ),
  attempt(
    'a prototype polluted by a table',
    '(() => { batch.table("json", \'[{"__proto__":{"polluted":1}}]\').rows(); return typeof {}.polluted })()',
    'undefined',
  ),
  fails(
    'a table of another run',
    '(() => { const t = batch.table("json", "[]"); t.drop(); return t.filter(1) })()',
  ),
  fails('a toJSON that names what it read', '({ toJSON() { throw new Error(input) } })'),
  fails(
    'an error class named after the input',
    '(() => { throw new ({ [input]: class extends Error {} }[input])() })()',
  ),
  fails('a thrown input', '(() => { throw input })()'),
  fails('input in a proxy trap', 'new Proxy({}, { ownKeys() { throw new Error(input) } })'),
  fails('a promise that carries input out', 'Promise.resolve(input)'),
  // Resources.
  fails(
    'recursion through toString',
    '(() => { const a = { toString() { return String(a) } }; return String(a) })()',
  ),
  fails(
    'recursion through a proxy',
    '(() => { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.a })()',
  ),
  fails('a text of a gigabyte', '"x".repeat(2 ** 30 - 30).length'),
  fails(
    'a list of four billion',
    '(() => { const a = []; a.length = 2 ** 32 - 1; return a.fill(0).length })()',
  ),
]
