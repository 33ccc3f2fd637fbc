import { newQuickJSWASMModule, newVariant, type QuickJSWASMModule, RELEASE_SYNC } from 'quickjs-emscripten'

const PAGE = 65_536
/** What the WebAssembly build begins with: its data, its stack, and room for the interpreter itself. */
const FIRST_PAGES = 256
/** What it was linked for. */
const MOST_PAGES = 32_768

/**
 * Memory that grows at once to its end. Emscripten asks for more than it needs, by a share of what there is: near the end it would get nothing
 * though there is room, and how near would depend on the steps in which runs before had made it grow. So what a run may take is the same
 * whatever ran before. Pages that nobody writes to take no room.
 */
class WholeMemory extends WebAssembly.Memory {
  readonly #maximum: number

  constructor(initial: number, maximum: number) {
    super({ initial, maximum })
    this.#maximum = maximum
  }

  override grow(pages: number): number {
    const left = this.#maximum - this.buffer.byteLength / PAGE
    // More than is left: refused, as the memory itself does.
    return super.grow(pages > left ? pages : left)
  }
}

/**
 * Makes a QuickJS of its own whose memory cannot grow beyond a run's limit. QuickJS's own limit does not count the bytes of texts and buffers in
 * this build (it asks the allocator for the size of a block, which Emscripten answers with 0), so it is the memory that holds.
 *
 * @param memoryBytes - what runs may take beside the 16 MiB that the interpreter begins with
 * @returns the module
 */
export async function createQuickJsModule(memoryBytes: number): Promise<QuickJSWASMModule> {
  const maximum = Math.min(MOST_PAGES, FIRST_PAGES + Math.ceil(memoryBytes / PAGE))
  return newQuickJSWASMModule(newVariant(RELEASE_SYNC, { wasmMemory: new WholeMemory(FIRST_PAGES, maximum) }))
}
