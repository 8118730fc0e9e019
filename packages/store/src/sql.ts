/** Loading of the `.sql` files beside this package: the path is the same from `src/` and from `dist/`. */
import { readdirSync, readFileSync } from 'node:fs'

const ROOT = new URL('../sql/', import.meta.url)

export interface SqlFile {
  /** File name without `.sql`. */
  readonly name: string
  readonly text: string
}

const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

/**
 * Replaces each line `-- include: fragments/x.sql` by that file, so that what several views share (the text rendering of
 * the binary log) has one definition.
 */
function expand(text: string): string {
  return text.replace(/^[ \t]*-- include: (fragments\/[a-z_]+\.sql)[ \t]*$/gm, (_, path: string) =>
    expand(read(path)).trimEnd(),
  )
}

/** @param folder URL of a folder of `.sql` files, one statement each, ordered by name */
export function loadSqlFolder(folder: URL): SqlFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({
      name: name.slice(0, -'.sql'.length),
      text: expand(readFileSync(new URL(name, folder), 'utf8')).trim(),
    }))
}

/** Numbered, forward-only, one statement per file. A shipped file is never edited. */
export const migrations = (): SqlFile[] => loadSqlFolder(new URL('migrations/', ROOT))

/** Views, replaced as a whole at every start; the number in the name orders them by dependency. */
export const views = (): SqlFile[] => loadSqlFolder(new URL('views/', ROOT))
