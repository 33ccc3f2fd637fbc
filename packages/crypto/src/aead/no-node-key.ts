// Stands in for node-key.ts in bundles for browsers (the manifest's `browser` field): they have no `node:crypto`.
export const nodeKey = undefined
