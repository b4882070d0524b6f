/** The committed binary of the native prover and its manifest belong to the sources beside them; `.ci/run` compiles it again. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../../prover/native/manifest.json' with { type: 'json' };
import { sourcesSha256 } from '#prover/native/build.ts';
import { root } from '../../scripts/project-files.ts';

describe('native prover: binary', () => {
  it('was made from the sources as they are: otherwise run npm run build:native', () => {
    assert.equal(manifest.sourcesSha256, sourcesSha256());
  });

  it('is the one of the manifest', () => {
    const binary = readFileSync(join(root, 'prover/native/linux-x64.node'));
    assert.equal(createHash('sha256').update(binary).digest('hex'), manifest.binarySha256);
  });
});
