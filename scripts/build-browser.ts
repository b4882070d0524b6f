/** `npm run build:browser`: writes what runs in browsers into `.stun/browser/`, each file with its size and digest. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { browserFolder, bundle, bundleProblems } from './browser/bundle.ts';
import { root } from './project-files.ts';

const made = await bundle('attestation/index.ts');
for (const problem of bundleProblems(made)) {
  console.error(problem);
  process.exitCode = 1;
}
const folder = join(root, browserFolder);
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'attestation.js'), made.code);
const digest = createHash('sha256').update(made.code).digest('hex');
console.log(`${browserFolder}/attestation.js: ${made.modules} modules, ${made.gzipBytes} bytes after gzip, sha256 ${digest}`);
