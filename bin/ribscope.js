#!/usr/bin/env node
// Plain JavaScript, so that it exists before the build; each command imports only what it needs.
import { main } from '../services/standalone/dist/index.js'

await main(process.argv.slice(2))
