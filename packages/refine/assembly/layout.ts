// Where things stand in the memory that src/columnar/scan-memory.ts lays out.

// A target: where the values of a field go.
export const KIND: usize = 0
export const FLAGS: usize = 4
export const NEXT: usize = 8
export const PRESENT: usize = 12
export const NUMBERS: usize = 16
export const BYTES: usize = 20
export const ENDS: usize = 24
export const CAPACITY: usize = 28
export const LOW: usize = 32
export const HIGH: usize = 40
export const DECIMALS: usize = 48
export const MAX_LENGTH: usize = 52
export const BUCKETS: usize = 56
export const ENTRIES: usize = 60

export const INTEGER: u32 = 1
export const DECIMAL: u32 = 2
export const DATE: u32 = 3
export const TEXT: u32 = 4
export const TABLE: u32 = 5
export const DICTIONARY: u32 = 6
// Any other kind: nothing is taken, the row goes to the readers in TypeScript.

/** Its column's text is written one behind the other, with `ends`. */
export const IS_TEXT: u32 = 1
export const EMPTY_IS_NULL: u32 = 2
export const TAKES_NULL: u32 = 4
export const TAKES_NUMBER: u32 = 8
/** JSON's whole numbers are codes. */
export const TAKES_CODE: u32 = 16
export const TAKES_BOOLEAN: u32 = 32

// A dictionary's target: codes per row stand at NUMBERS, its different texts at BYTES with ENDS, which begin with null; BUCKETS has slots of a hash table.
export const TEXTS: usize = 32
export const MOST_TEXTS: usize = 36
export const SLOTS: u32 = 16384
/** Texts that fall on each other's places; more are nothing that happens by itself. */
export const MOST_PROBES = 16

// A known text.
export const ENTRY: usize = 24
export const ENTRY_TEXT: usize = 0
export const ENTRY_LENGTH: usize = 4
export const ENTRY_NEXT: usize = 8
/** 0 or 1: a truth value; -1: text; -2: null; -3 and -4: a number of 64 or 32 bits. */
export const ENTRY_BIT: usize = 12
export const ENTRY_CELL: usize = 16
export const ENTRY_CELL_LENGTH: usize = 20

// A key that lines are expected to have next.
export const KEY: usize = 12
export const KEY_BYTES: usize = 0
export const KEY_LENGTH: usize = 4
export const KEY_TARGET: usize = 8

export const LARGEST_EXACT: f64 = 9007199254740991.0

/** Where the text of a row begins. */
export function textEnd(target: usize, row: i32): u32 {
  return row == 0 ? 0 : load<u32>(<usize>load<u32>(target + ENDS) + ((<usize>(row - 1)) << 2))
}
