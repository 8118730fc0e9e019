#!/usr/bin/env node
// npm links the bins of workspaces into node_modules/.bin, but not the root's own: so the program is
// the workspace's, and this is the same for those who call it by path or install the repository.
import '../services/standalone/bin/ribscope.js'
