/** deploy/kubernetes without a cluster: what its objects say fits together, and to the program. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { COMMANDS } from '../services/standalone/src/table.ts'
import { compose, read, ROOT } from './compose/model.ts'

const FOLDER = 'deploy/kubernetes'

interface Port {
  readonly name: string
  readonly port?: number | string
  readonly containerPort?: number
  readonly targetPort?: string
}

interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[]
  readonly env: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: { readonly configMapKeyRef?: { name: string; key: string } }
  }[]
  readonly ports?: readonly Port[]
  readonly securityContext: object
  readonly readinessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } }
  readonly livenessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } }
  readonly volumeMounts: readonly { readonly name: string; mountPath: string; readOnly: boolean }[]
}

interface Item {
  readonly key: string
  readonly path: string
}

interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly securityContext: object
    readonly automountServiceAccountToken: boolean
    readonly terminationGracePeriodSeconds?: number
    readonly containers: readonly Container[]
    readonly volumes: readonly {
      readonly name: string
      readonly configMap?: { readonly name: string }
      readonly secret?: { readonly secretName: string; readonly items: readonly Item[] }
    }[]
  }
}

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly template?: Pod
    readonly selector?: Readonly<Record<string, unknown>>
    readonly ports?: readonly Port[]
    readonly ingress?: readonly { readonly ports: readonly Port[] }[]
    readonly externalTrafficPolicy?: string
  }
}

interface Kustomization {
  readonly resources: readonly string[]
  readonly configMapGenerator: readonly {
    readonly name: string
    readonly literals?: readonly string[]
    readonly files?: readonly string[]
  }[]
  readonly images: readonly { readonly name: string }[]
}

const kustomization = parse(read(`${FOLDER}/kustomization.yaml`)) as Kustomization
const objects = kustomization.resources.flatMap((name) =>
  parseAllDocuments(read(`${FOLDER}/${name}`)).map((each) => each.toJS() as Manifest),
)
const pods = objects.flatMap(({ metadata, spec }) =>
  spec.template === undefined ? [] : [[metadata.name, spec.template, spec.selector] as const],
)
const literals = new Map(
  kustomization.configMapGenerator.map(({ name, literals: given = [], files = [] }) => [
    name,
    [...given.map((each) => each.split('=')[0] ?? ''), ...files],
  ]),
)
const labelOf = (name: string): object => ({ 'app.kubernetes.io/name': name })

describe('deploy/kubernetes', () => {
  test('kustomization.yaml names every file there, and the image that pods have', () => {
    const files = kustomization.configMapGenerator.flatMap((each) => each.files ?? [])
    expect([...kustomization.resources, ...files, 'kustomization.yaml'].sort()).toEqual(
      readdirSync(join(ROOT, FOLDER)).sort(),
    )
    for (const [name, pod] of pods) {
      const images = pod.spec.containers.map(({ image }) => image)
      expect([name, images]).toEqual([name, kustomization.images.map((each) => each.name)])
    }
  })

  test('has the services of docker-compose.yml', () => {
    expect(pods.map(([name]) => name).sort()).toEqual(
      ['migrate', 'collector', 'writer', 'analyst', 'api'].sort(),
    )
  })

  test.each(pods)('%s: its command, with variables that it reads', async (name, pod) => {
    const [container] = pod.spec.containers
    expect(container?.args).toEqual([name])
    const entry = COMMANDS.find((each) => each.name === name)
    const known = Object.values((await entry?.load())?.command.env ?? {})
    const own = container?.env.map((each) => each.name) ?? []
    expect(own.filter((each) => !known.includes(each))).toEqual([])
    const shared = (container?.envFrom ?? []).flatMap(({ configMapRef }) => {
      return literals.get(configMapRef.name) ?? [`no ${configMapRef.name}`]
    })
    // All get the same map: each of its variables is somebody's, none is set twice.
    expect(own.filter((each) => shared.includes(each))).toEqual([])
    for (const { valueFrom } of container?.env ?? []) {
      const reference = valueFrom?.configMapKeyRef
      if (reference !== undefined) expect(literals.get(reference.name)).toContain(reference.key)
    }
    // Those of compose that say where and as whom are said here too.
    const composed = Object.keys(compose.services[name]?.environment ?? {})
    const settings = /^RIBSCOPE_(?:KEEP_|LOG_LEVEL|KAFKA_GROUP)/
    const missing = composed.filter((each) => ![...own, ...shared].includes(each))
    expect(missing.filter((each) => !settings.test(each))).toEqual([])
  })

  test('each variable of the map is read by a service', async () => {
    const all = await Promise.all(COMMANDS.map(async (each) => (await each.load()).command))
    const known = new Set(all.flatMap(({ env }) => Object.values(env)))
    expect(literals.get('ribscope')?.filter((each) => !known.has(each))).toEqual([])
  })

  test.each(pods)('%s: files that it is told of are mounted, read-only', (_, pod) => {
    const [container] = pod.spec.containers
    const mounts = container?.volumeMounts ?? []
    for (const { name, readOnly } of mounts) {
      expect(pod.spec.volumes.map((each) => each.name)).toContain(name)
      expect(readOnly).toBe(true)
    }
    const files = pod.spec.volumes.flatMap(({ name, configMap, secret }) => {
      const at = mounts.find((each) => each.name === name)?.mountPath ?? ''
      if (secret !== undefined) {
        expect(secret.secretName).toBe('ribscope')
        // As deploy/setup.sh makes them.
        for (const { key } of secret.items) expect(Object.keys(compose.secrets)).toContain(key)
        return secret.items.map(({ path }) => `${at}/${path}`)
      }
      return (literals.get(configMap?.name ?? '') ?? []).map((path) => `${at}/${path}`)
    })
    const told = (container?.env ?? []).map(({ value }) => value ?? '')
    expect(told.filter((value) => value.startsWith('/')).sort()).toEqual(files.sort())
  })

  test.each(pods)('%s: no root, nothing to write to, time to end', (name, pod, selector) => {
    expect(pod.metadata.labels).toEqual(labelOf(name))
    if (name !== 'migrate') expect(selector).toEqual({ matchLabels: labelOf(name) })
    expect(pod.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000 },
    })
    const [container] = pod.spec.containers
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    if (name === 'migrate') return
    const grace = Number.parseInt(compose.services[name]?.stop_grace_period ?? '')
    expect(pod.spec.terminationGracePeriodSeconds).toBe(grace)
  })

  test.each(pods)('%s: ports are those that it listens on, and are asked for', (name, pod) => {
    const [container] = pod.spec.containers
    const listens = (container?.env ?? [])
      .map(({ value }) => /^0\.0\.0\.0:(\d+)$/.exec(value ?? '')?.[1])
      .filter((port) => port !== undefined)
    const ports = container?.ports ?? []
    expect(ports.map(({ containerPort }) => String(containerPort)).sort()).toEqual(listens.sort())
    if (name === 'migrate') return
    const named = ports.map((each) => each.name)
    expect(container?.readinessProbe?.httpGet.path).toBe('/readyz')
    expect(container?.livenessProbe?.httpGet.path).toBe('/healthz')
    expect(named).toContain(container?.readinessProbe?.httpGet.port)
    expect(named).toContain(container?.livenessProbe?.httpGet.port)
  })

  test('services and network policies name ports and labels that pods have', () => {
    const portsOf = (name: string): readonly string[] =>
      pods.find(([each]) => each === name)?.[1].spec.containers[0]?.ports?.map((p) => p.name) ?? []
    const services = objects.filter(({ kind }) => kind === 'Service')
    expect(services.map(({ metadata }) => metadata.name)).toEqual(['collector', 'api'])
    for (const { metadata, spec } of services) {
      expect(spec.selector).toEqual(labelOf(metadata.name))
      for (const { targetPort } of spec.ports ?? []) {
        expect(portsOf(metadata.name)).toContain(targetPort)
      }
    }
    // Without it every router has the address of a node.
    expect(services[0]?.spec.externalTrafficPolicy).toBe('Local')
    const all = new Set(pods.flatMap(([name]) => portsOf(name)))
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy')
    expect(policies).toHaveLength(2)
    for (const { spec } of policies) {
      for (const { ports } of spec.ingress ?? []) {
        for (const { port } of ports) expect(all).toContain(port)
      }
    }
  })
})
