/** The committed binaries of the provers and their manifests belong to the sources beside them; `.ci/run` compiles them again. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import native from '../../prover/native/manifest.json' with { type: 'json' };
import wasm from '../../prover/wasm/manifest.json' with { type: 'json' };
import { nativeBuild } from '#prover/native/build.ts';
import { sourcesSha256 } from '#prover/pinned-build.ts';
import { wasmBuild } from '#prover/wasm/build.ts';

for (const [build, manifest] of [
  [nativeBuild, native],
  [wasmBuild, wasm],
] as const) {
  describe(`committed binaries of ${build.name}`, () => {
    it(`were made from the sources as they are: otherwise run npm run ${build.name}`, () => {
      assert.equal(manifest.sourcesSha256, sourcesSha256(build));
    });

    it('are those of the manifest', () => {
      assert.notDeepEqual(Object.keys(manifest.binariesSha256), []);
      for (const [name, digest] of Object.entries(manifest.binariesSha256)) {
        const binary = readFileSync(join(build.folder, name));
        assert.equal(createHash('sha256').update(binary).digest('hex'), digest, name);
      }
    });
  });
}
