import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from './folder.ts'
import { fileName, writeRecording } from './recording.ts'
import type { Played } from './scenario.ts'

/**
 * Writes a played scenario: the recording, truth.json and fabric.yaml.
 *
 * @returns names of `.bmp` files that are in the folder and belong to something else; nothing has
 *   been written then
 */
export async function writeScenario(folder: string, played: Played): Promise<string[]> {
  await makeFolder(folder)
  const ours = new Set(played.sessions.map((session) => `${fileName(session)}.bmp`))
  const others = (await readdir(folder)).filter((name) => name.endsWith('.bmp') && !ours.has(name))
  if (others.length > 0) return others.sort()
  await writeRecording(folder, played.sessions)
  await writeFile(join(folder, 'truth.json'), `${JSON.stringify(played.truth, null, 1)}\n`)
  await writeFile(join(folder, 'fabric.yaml'), played.fabricYaml)
  return []
}
