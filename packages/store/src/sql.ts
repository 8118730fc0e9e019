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

function folder(path: string): SqlFile[] {
  return readdirSync(new URL(path, ROOT))
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ name: name.slice(0, -'.sql'.length), text: expand(read(path + name)).trim() }))
}

/** Numbered, forward-only, one statement per file. A shipped file is never edited. */
export const migrations = (): SqlFile[] => folder('migrations/')

/** Views, replaced as a whole at every start; the number in the name orders them by dependency. */
export const views = (): SqlFile[] => folder('views/')
