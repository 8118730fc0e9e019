/** The lab itself: it comes up, and whatever ends it, nothing of it stays on this machine. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { labMissing } from './lab/available.ts'
import { until } from './lab/machine.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const missing = labMissing(['clos'])

const ip = (...args: string[]): string => spawnSync('ip', args, { encoding: 'utf8' }).stdout

/** What a lab that process `pid` owns has on this machine: namespaces, links, files. */
function belongings(pid: number): string[] {
  const namespaces = ip('netns', 'list').split('\n')
  const links = ip('-o', 'link').split('\n')
  return [
    ...namespaces.filter((line) => line.startsWith(`rbs-${pid}-`)),
    ...links.filter((line) => line.includes(` rb${pid}`)),
    ...readdirSync(tmpdir()).filter((name) => name.startsWith(`rbs-${pid}-`)),
  ]
}

const daemonsIn = (pid: number): number[] =>
  belongings(pid)
    .flatMap((name) => (name.startsWith('rbs-') ? [name.split(' ')[0] ?? ''] : []))
    .flatMap((space) => ip('netns', 'pids', space).split('\n'))
    .filter((line) => line !== '')
    .map(Number)

/** Orphans that have ended stay in the process table until init gets round to them (state Z). */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

describe.skipIf(missing !== undefined)(
  `the lab${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let lab: ChildProcess | undefined

    beforeAll(() => {
      // The command that people use is the compiled one.
      const tsc = at('../node_modules/typescript/bin/tsc')
      const built = spawnSync(process.execPath, [tsc, '-p', at('lab')], { encoding: 'utf8' })
      expect(built.stdout).toBe('')
    })
    afterEach(() => {
      lab?.kill('SIGKILL')
    })

    async function up(): Promise<{ child: ChildProcess; pid: number }> {
      const child = spawn(
        process.execPath,
        // Port 9 (discard): no collector, the routers keep trying.
        [at('lab/dist/cli.js'), 'up', '--parts', 'clos', '--nodes', '1,1', '--port', '9'],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      )
      lab = child
      let out = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')))
      }
      await until(
        'the lab to be up',
        () => out.includes('up; Ctrl-C') || child.exitCode !== null,
        45_000,
      )
      expect(child.exitCode, out).toBe(null)
      return { child, pid: child.pid ?? -1 }
    }

    test('Ctrl-C: gone when the command returns', async () => {
      const { child, pid } = await up()
      const daemons = daemonsIn(pid)
      expect(daemons).toHaveLength(16) // zebra and bgpd of 2 spines, 4 ToRs, 2 nodes
      const exited = new Promise<number | null>((done) => {
        child.once('exit', done)
      })
      child.kill('SIGINT')
      expect(await exited).toBe(130)
      expect(belongings(pid)).toEqual([])
      expect(daemons.filter(runs)).toEqual([])
    })

    test('kill -9 of its owner: gone all the same', async () => {
      const { child, pid } = await up()
      const daemons = daemonsIn(pid)
      expect(daemons).toHaveLength(16)
      child.kill('SIGKILL')
      await until('the reaper', () => belongings(pid).length === 0, 15_000)
      expect(daemons.filter(runs)).toEqual([])
    })
  },
)
