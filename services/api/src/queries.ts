/** The statements of this service: sql/NAME.sql, values only through typed placeholders. */
import { loadSqlFolder } from '@ribscope/store'

const FILES = new Map(
  loadSqlFolder(new URL('../sql/', import.meta.url)).map(({ name, text }) => [name, text]),
)

/** @param name file name without `.sql` */
export function sql(name: string): string {
  const text = FILES.get(name)
  if (text === undefined) throw new Error(`no query ${name}.sql`)
  return text
}
