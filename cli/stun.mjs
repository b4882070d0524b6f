#!/usr/bin/env node
// `npx stun`: hands over to the TypeScript entry under the pinned Node.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const scripts = join(dirname(dirname(fileURLToPath(import.meta.url))), 'scripts', 'with-node.mjs');
process.argv.splice(2, 0, 'cli/main.ts');
await import(scripts);
