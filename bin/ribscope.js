#!/usr/bin/env node
'use strict'
// npm links the bins of workspaces into node_modules/.bin, but not the root's own: so the program is
// the workspace's, and this is the same for those who call it by path or install the repository.
require('../services/standalone/bin/ribscope.js')
