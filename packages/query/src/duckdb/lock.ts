/**
 * Settings that take from DuckDB what queries do not need, in the order in which they can be set: what guards a
 * setting comes after it, the configuration's own lock is last. A locked DuckDB still is no sandbox (it runs DDL,
 * catalogue functions and statements hidden in strings), which is why only checked statements reach it and why it
 * runs in a process of its own.
 */
export const lockSettings = (spills: boolean): readonly string[] => [
  'SET autoinstall_known_extensions = false',
  'SET autoload_known_extensions = false',
  'SET allow_community_extensions = false',
  'SET allow_persistent_secrets = false',
  // Without a folder of its own for spilling, DuckDB has no file system at all.
  ...(spills ? [] : ["SET temp_directory = ''", "SET max_temp_directory_size = '0KB'"]),
  'SET enable_external_file_cache = false',
  'SET enable_logging = false',
  'SET errors_as_json = true',
  'SET max_expression_depth = 1000',
  ...(spills ? [] : ["SET disabled_filesystems = 'LocalFileSystem'"]),
  'SET enable_external_access = false',
  'SET lock_configuration = true',
]
