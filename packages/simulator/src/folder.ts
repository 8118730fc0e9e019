import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** mkdir -p. Node's own never returns where the parent is there but can't hold it (/proc). */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || (await exists(parent))) throw error
    await makeFolder(parent)
    await mkdir(path)
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
