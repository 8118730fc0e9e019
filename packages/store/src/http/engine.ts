/**
 * Statements of an HTTP request on the embedded engine: each in a session of its own, so that settings, parameters and the
 * database of one are never those of the next. A session is cheaper than most queries (1.5 ms with its settings).
 */
import type { EmbeddedStore } from '../embedded.ts'
import type { HttpAnswer, HttpQuery } from './server.ts'

/** What the profile of a user has, `readonly` included. */
export type Profile = Readonly<Record<string, string | number>>

/**
 * Runs whatever it is given, inserts included: for those who own the data. In the order of ClickHouse (HTTPHandler.cpp): the
 * profile, `readonly = 2` for a GET, and on top of these, all at once and checked by the engine, the settings of the request.
 *
 * @param roleOf the engine knows one user only; with a role of his, what the role may is allowed, else everything
 */
export function executeOn(
  store: Pick<EmbeddedStore, 'plainSession'>,
  profileOf: (user: string) => Profile = () => ({}),
  roleOf: (user: string) => string | undefined = () => undefined,
): (query: HttpQuery) => Promise<HttpAnswer> {
  return async (query) => {
    const { settings, transport, params } = query
    const { readonly = 0, ...profile } = profileOf(query.user)
    const session = await store.plainSession(
      'http',
      ...parameterSteps(params),
      profile,
      readonly === 0 && query.readOnly ? { readonly: 2 } : readonly === 0 ? {} : { readonly },
      Object.fromEntries([...transport, ...settings]),
    )
    try {
      const role = roleOf(query.user)
      if (role !== undefined) await session.command(`SET ROLE ${quotedName(role)}`)
      if (query.database !== undefined) await session.command(`USE ${quotedName(query.database)}`)
      if (query.insert === undefined) return await session.queryBytes(query.sql, query.format)
      const { file, settings: clause } = query.insert
      return await session.queryBytes(
        `${query.text} FROM INFILE '${file.replace(/[\\']/g, '\\$&')}' ${clause} FORMAT ${query.format}`,
        'TabSeparated',
      )
    } finally {
      await session.close()
    }
  }
}

/** Characters of a statement that the engine takes unless told otherwise. */
const MAX_QUERY_SIZE = 262_144

/** Parameters are set as settings `param_NAME`: their text reaches the engine as it came. */
export function parameterSteps(
  params: ReadonlyMap<string, string>,
): Record<string, string | number>[] {
  if (params.size === 0) return []
  const step = Object.fromEntries([...params].map(([name, value]) => [`param_${name}`, value]))
  // With escapes, in octets.
  const size = JSON.stringify(step).length * 4
  if (size < MAX_QUERY_SIZE) return [step]
  return [{ max_query_size: size }, step, { max_query_size: MAX_QUERY_SIZE }]
}

const quotedName = (name: string): string => `\`${name.replace(/[\\`]/g, '\\$&')}\``
