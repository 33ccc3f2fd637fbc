/** What `sealpool-refine --help` prints, for terminals of 80 columns. */
export const usage = `sealpool-refine: raw exports into checked tables.

Usage: sealpool-refine <command> <refiner.ts or folder> [options]

  run <refiner.ts> <file or folder>...
      Refines files into encrypted Parquet under --out; a folder without files
      is an error. Stopped at any moment, the same command goes on.
  check <refiner.ts> <file or folder>...
      Refines and keeps nothing: tells rows, and per refused file the place and
      the reason. Columns of hashes are hashed under a key of the moment.
  mock <refiner.ts>
      Prints rows made of the schema and the seed alone, of all tables or of
      one; CSV holds one table.
  describe <refiner.ts>
      Prints a form of the tables.
  create <folder>
      Makes a new refiner with exports to try it on.

Options of run:
  --out DIR            where the tables go (required)
  --key-file FILE      the tables' key; default: DIR.key, which is made once
  --contributor N      whose rows these are; default 0
  --salt-file FILE     salt of the rows' commitments
  --pii-key-file FILE  secret under which columns that say hash are hashed; the
                       same in all jobs of a pool
Options of run and check:
  --table NAME         the table of SQLite databases that have several; other
                       files hold one
  --workers N          files at a time, up to 64; default 2
  --embedder MODULE    a JavaScript module of yours: its default export makes
                       the vectors of embeddings ({ model, dimensions, embed });
                       it runs here, outside of the sandbox, and sees the texts
Options of mock:
  --rows N             of each table; default 10
  --seed TEXT          other rows; default mock
  --format FORM        json, jsonl or csv; default json
  --table NAME         only this table
Options of describe:
  --as FORM            duckdb, postgresql, sqlite, json-schema, croissant,
                       types, dictionary or id (required)
  --dataset FILE       of croissant: JSON with license, url, datePublished,
                       creator, files
Of run, check and create:
  --json               print the result as JSON; { error: { code, message } }
                       when there is none
Of all: --help; --version alone. Progress is drawn on terminals only.

Examples:
  sealpool-refine check refiner.ts exports/
  sealpool-refine run refiner.ts exports/ --out tables --json
  sealpool-refine describe refiner.ts --as postgresql

Exit codes: 0 all done; 1 some files were refused; 2 the command or the refiner
is wrong, or the output cannot be written.
`
