/**
 * Vitest's global set-up: one folder for all temporary ones of a run, gone with it, and on tmpfs where the machine has one with room
 * and `TMPDIR` names no other. A store of a test is thousands of small files that live for seconds: on a disk, a fifth to a quarter
 * of the CPU of such a test is the file system's.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'

const TMPFS = '/dev/shm'
/** All stores, brokers and labs of two workers at a time take less than one. */
const ROOM_OCTETS = 4 * 2 ** 30
const OURS = /^rbs-tmp-(\d+)-/

export default function setUp(): () => void {
  const before = process.env['TMPDIR']
  const base = before === undefined && hasRoom() ? TMPFS : tmpdir()
  if (base !== TMPFS) console.log(`temporary folders are in ${base}, which takes more time`)
  removeLeftOver(base)
  const folder = mkdtempSync(join(base, `rbs-tmp-${process.pid}-`))
  // As /tmp: daemons that give up root have folders of their own in it.
  chmodSync(folder, 0o1777)
  process.env['TMPDIR'] = folder
  return () => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    rmSync(folder, { recursive: true, force: true })
  }
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(TMPFS)
    // Containers often have it so that nothing in it may be executed; tests do.
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .findLast((line) => line.split(' ')[1] === TMPFS)
    const options = mount?.split(' ')[3]?.split(',') ?? ['noexec']
    return bavail * bsize >= ROOM_OCTETS && freemem() >= ROOM_OCTETS && !options.includes('noexec')
  } catch {
    return false
  }
}

/** Runs that were killed can't clear up, and what is on tmpfs takes memory. */
function removeLeftOver(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = Number(OURS.exec(name)?.[1] ?? 0)
    if (pid > 0 && !runs(pid)) rmSync(join(base, name), { recursive: true, force: true })
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
