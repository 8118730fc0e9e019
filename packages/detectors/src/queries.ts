/** The analyst's statements: files beside the views, by name. */
import { readFileSync } from 'node:fs'

const cache = new Map<string, string>()

export function query(name: string): string {
  let text = cache.get(name)
  if (text === undefined) {
    text = readFileSync(new URL(`../sql/queries/${name}.sql`, import.meta.url), 'utf8')
    cache.set(name, text)
  }
  return text
}
