// `node --import`: puts planted bugs (RIBSCOPE_CHAOS_PLANTS, see plants.ts) into files when they are loaded. A bug that finds no
// place ends the process: a run that plants nothing would prove nothing.
import { register } from 'node:module'

register(
  `data:text/javascript,${encodeURIComponent(`
    const plants = ${process.env.RIBSCOPE_CHAOS_PLANTS ?? '[]'}
    export async function load(url, context, next) {
      const loaded = await next(url, context)
      const mine = plants.filter(({ file }) => url.endsWith(file))
      if (mine.length === 0) return loaded
      let source = String(loaded.source)
      for (const { file, right, wrong } of mine) {
        if (!source.includes(right)) {
          throw new Error('no place for the planted bug: ' + file + ': ' + right)
        }
        source = source.replaceAll(right, wrong)
      }
      return { ...loaded, source }
    }
  `)}`,
)
