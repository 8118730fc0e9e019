// What programs cost as whole processes: user and system time, children included, as bash's `time` has it.
import { spawnSync } from 'node:child_process'

/** @returns CPU seconds, and what the program wrote to stderr. Its output is thrown away. */
export function cpuOf(command, ...args) {
  const script = 'TIMEFORMAT="cpu %U %S"; time "$@" >/dev/null'
  const ran = spawnSync('bash', ['-c', script, 'bash', command, ...args], { encoding: 'utf8' })
  const times = /cpu (\d+\.\d+) (\d+\.\d+)\n$/.exec(ran.stderr)
  if (ran.status !== 0 || times === null) {
    throw new Error(`${command} ${args.join(' ')}: exit ${ran.status}: ${ran.stderr}`)
  }
  return { seconds: Number(times[1]) + Number(times[2]), stderr: ran.stderr.slice(0, times.index) }
}

/** A, B, C, A, B, C ...: a machine that gets slower meanwhile does so for all. @returns lists by name */
export function inTurn(runs, count) {
  const seconds = new Map(Object.keys(runs).map((name) => [name, []]))
  for (let run = 0; run <= count; run++) {
    for (const [name, once] of Object.entries(runs)) {
      const took = once()
      // The first of each only warms the page cache.
      if (run > 0) seconds.get(name).push(took)
    }
  }
  return seconds
}

export function median(list) {
  return list.toSorted((a, b) => a - b)[list.length >> 1]
}
