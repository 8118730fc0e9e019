#!/usr/bin/env node
// Plain JavaScript, so that it exists before the build; each command imports only what it needs.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const built = new URL('../dist/index.js', import.meta.url)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`ribscope: Node ${process.versions.node} is too old, 20.19 or newer is needed`)
  process.exitCode = 2
} else if (!existsSync(built)) {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  console.error(`ribscope: not built yet: run \`npm install\` in ${root}`)
  process.exitCode = 2
} else {
  const { main } = await import(built.href)
  await main(process.argv.slice(2))
}
