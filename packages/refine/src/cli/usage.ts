/** What `sealpool-refine --help` prints. */
export const usage = `sealpool-refine: raw exports into checked tables

  sealpool-refine run <refiner.ts> <file or folder>... --out DIR [--key-file FILE] [--contributor N] [--salt-file FILE]
                      [--pii-key-file FILE] [--table NAME] [--workers N] [--embedder MODULE] [--json]
      Refines files into encrypted Parquet under DIR; a folder without files is an error. Stopped at any moment, the same command goes on. Without --key-file a
      key is made once and kept in DIR.key. Columns that say hash are hashed under the secret of --pii-key-file, the same in all jobs of a pool. MODULE is a JavaScript module of yours: its default export makes the vectors of embeddings
      ({ model, dimensions, embed }); it runs here, outside of the sandbox, and sees the texts. --table names the table of SQLite databases that have several; other files hold one.
  sealpool-refine check <refiner.ts> <file or folder>... [--table NAME] [--embedder MODULE] [--json]
      Refines and keeps nothing: tells rows, and per refused file the place and the reason. Columns of hashes are hashed under a key of the moment.
  sealpool-refine mock <refiner.ts> [--rows N] [--seed TEXT] [--format json|jsonl|csv] [--table NAME]
      Prints rows made of the schema and the seed alone, of all tables or of one; CSV holds one table.
  sealpool-refine describe <refiner.ts> --as duckdb|postgresql|sqlite|json-schema|croissant|types|dictionary|id [--dataset FILE]
      Prints a form of the tables. FILE is JSON with what Croissant says besides them: license, url, datePublished, creator, files.
  sealpool-refine create <folder>
      Makes a new refiner with exports to try it on.

Exit codes: 0 all done; 1 some files were refused; 2 the command or the refiner is wrong.
`
