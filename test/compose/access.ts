/**
 * deploy/clickhouse/users.xml in force in the test's ClickHouse. The embedded engine knows one user: each user of the file becomes a
 * role of the same name and grants, and its profile the first settings of its sessions.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AccessFiles } from '@ribscope/store/testing'
import { read } from './model.ts'

const USERS = 'deploy/clickhouse/users.xml'

interface User {
  readonly name: string
  readonly profile: string
  readonly grants: readonly string[]
}

const withoutComments = (xml: string): string => xml.replace(/<!--[\s\S]*?-->/g, '')
const inside = (xml: string, tag: string): string =>
  new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(xml)?.[1] ?? ''
/** Elements that have elements. */
const children = (xml: string): { readonly name: string; readonly body: string }[] =>
  [...xml.matchAll(/<(\w+)>([\s\S]*?)<\/\1>/g)].map(([, name = '', body = '']) => ({ name, body }))

const xml = withoutComments(read(USERS))

export const users: readonly User[] = children(inside(xml, 'users')).map(({ name, body }) => ({
  name,
  profile: inside(body, 'profile'),
  grants: [...body.matchAll(/<query>(.*?)<\/query>/g)].map(([, query = '']) => query),
}))

/** Settings of a profile. */
export function profile(name: string): Record<string, string> {
  const body = inside(inside(xml, 'profiles'), name).replace(/<constraints>[\s\S]*/, '')
  return Object.fromEntries(children(body).map(({ name: key, body: value }) => [key, value]))
}

/**
 * @param folder  where the files are made
 * @param passwords  of each user
 */
export function accessFiles(
  folder: string,
  passwords: Readonly<Record<string, string>>,
): AccessFiles {
  mkdirSync(folder, { recursive: true })
  const roles = users.map(
    ({ name, grants }) =>
      `<${name}><grants>${grants.map((each) => `<query>${each}</query>`).join('')}</grants></${name}>`,
  )
  const file = join(folder, 'users.xml')
  writeFileSync(
    file,
    `<clickhouse>
<profiles><default/>${inside(xml, 'profiles')}</profiles>
<quotas><default/></quotas>
<roles>${roles.join('\n')}</roles>
<users><default>
  <no_password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
  <grants><query>GRANT ${users.map(({ name }) => name).join(', ')}</query></grants>
</default></users>
</clickhouse>
`,
  )
  writeFileSync(
    join(folder, 'config.xml'),
    `<clickhouse><users_config>${file}</users_config></clickhouse>\n`,
  )
  return {
    folder,
    users: Object.fromEntries(
      users.map((user) => [
        `${user.name}:${passwords[user.name] ?? ''}`,
        // The name of the profile brings its limits of what settings may be.
        { role: user.name, profile: { profile: user.profile, ...profile(user.profile) } },
      ]),
    ),
  }
}
