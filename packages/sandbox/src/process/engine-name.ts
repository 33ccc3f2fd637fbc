/** What runs inside the child. */
export type EngineName = 'quickjs' | 'webassembly' | 'pyodide'
