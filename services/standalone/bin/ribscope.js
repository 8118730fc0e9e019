#!/usr/bin/env node
'use strict'
// Plain JavaScript, so that it exists before the build; each command imports only what it needs.
const { existsSync } = require('node:fs')
const { join } = require('node:path')

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const built = join(__dirname, '../dist/index.js')
const argv = process.argv.slice(2)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`ribscope: Node ${process.versions.node} is too old, 20.19 or newer is needed`)
  process.exitCode = 2
} else if (!existsSync(built)) {
  const root = join(__dirname, '../../..')
  console.error(`ribscope: not built yet: run \`npm install\` in ${root}`)
  process.exitCode = 2
} else {
  void run()
}

async function run() {
  // What is run on a file of a few kilobytes as often as on one of gigabytes starts without a detour.
  if (argv[0] === 'decode') {
    const bundle = require('./bundle.js')
    if (bundle.isFresh()) return bundle.load().main(argv)
  }
  const { pathToFileURL } = require('node:url')
  const { main } = await import(pathToFileURL(built).href)
  return main(argv)
}
