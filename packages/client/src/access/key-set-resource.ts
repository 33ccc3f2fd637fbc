/** Begins the name of a node by its attested keys: what names it so is worth nothing at a node with other keys or other settings. */
export const keySetResource = 'urn:sealpool:key-set:'
