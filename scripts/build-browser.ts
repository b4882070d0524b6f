/** `npm run build:browser`: writes what runs in browsers into `.stun/browser/`, each file with its size and digest. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  browserFolder,
  bundleAttestation,
  bundleDisclosure,
  bundleProver,
  bundleTokens,
  bundleWords,
  gzipBytesOf,
} from './browser/bundle.ts';
import { verifyPage } from './browser/verify-page.ts';
import { root } from './project-files.ts';
import wasm from '../prover/wasm/manifest.json' with { type: 'json' };

const attestation = await bundleAttestation();
for (const problem of attestation.problems) {
  console.error(problem);
  process.exitCode = 1;
}
await mkdir(join(root, browserFolder), { recursive: true });
const files = {
  'attestation.js': attestation.code,
  'tokens.js': (await bundleTokens()).code,
  'explain.js': (await bundleWords()).code,
  'verify.html': await verifyPage(),
  'prover.js': (await bundleProver()).code,
  'disclosure.js': (await bundleDisclosure()).code,
};
for (const [name, text] of Object.entries(files)) {
  await writeFile(join(root, browserFolder, name), text);
  const digest = createHash('sha256').update(text).digest('hex');
  console.log(`${browserFolder}/${name}: ${gzipBytesOf(text)} bytes after gzip, sha256 ${digest}`);
}
for (const [name, digest] of Object.entries(wasm.binariesSha256)) {
  await copyFile(join(root, 'prover/wasm', name), join(root, browserFolder, name));
  console.log(`${browserFolder}/${name}: sha256 ${digest}`);
}
