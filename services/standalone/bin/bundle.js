'use strict'
// How dist/decode.cjs is loaded: with the byte code that the build kept, when this is the same V8.
const { readFileSync, statSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { Script } = require('node:vm')

const DIST = join(__dirname, '../dist')
const BUNDLE = join(DIST, 'decode.cjs')
const CACHE = join(DIST, 'decode.cache')
/** Written by `tsc -b` with each build; the packages' are there in a working copy only. */
const BUILDS = [DIST, '../../../packages/wire/dist', '../../../packages/events/dist'].map((dist) =>
  join(dist.startsWith('.') ? join(__dirname, dist) : dist, '.tsbuildinfo'),
)

/** When the file was written; 0 when there is none. */
const written = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Is there a bundle, and nothing newer to make one of? */
function isFresh() {
  const at = written(BUNDLE)
  return at > 0 && BUILDS.every((build) => written(build) <= at)
}

/** @param {Buffer | undefined} cachedData made of the same file; another V8 takes no notice of it */
function compile(cachedData) {
  // Code out of a cache has no import() of its own: what is left outside the bundle is loaded from here.
  const text = readFileSync(BUNDLE, 'utf8').replaceAll(/\bimport\((?=")/g, '__import(')
  const source = `(function (exports, require, module, __filename, __dirname, __import) {${text}\n})`
  const script = new Script(source, { filename: BUNDLE, cachedData })
  const module = { exports: {} }
  const own = createRequire(BUNDLE)
  const load = (name) => import(pathToFileURL(own.resolve(name)).href)
  script.runInThisContext()(module.exports, own, module, BUNDLE, dirname(BUNDLE), load)
  return { script, exports: module.exports }
}

/** @returns what the bundle exports */
function load() {
  return compile(written(CACHE) >= written(BUNDLE) ? readFileSync(CACHE) : undefined).exports
}

module.exports = { BUNDLE, CACHE, compile, isFresh, load }
