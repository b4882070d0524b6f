import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/project-files.ts';

const snapshotFile = join(root, 'test/meta/exports.json');

/** The folders that others import as a library. */
const libraries = {
  protocol: async () => import('#protocol/index.ts'),
  attestation: async () => import('#attestation/index.ts'),
  client: async () => import('#client/index.ts'),
} as const;

/** `STUN_UPDATE_EXPORTS=1 npm test -- test/meta/exports.test.ts` accepts a change; the diff of the snapshot is what a review reads. */
describe('public exports', () => {
  it('are those of the snapshot', async () => {
    const actual: Record<string, string[]> = {};
    for (const [name, load] of Object.entries(libraries)) actual[name] = Object.keys(await load()).toSorted();
    if (process.env['STUN_UPDATE_EXPORTS'] === '1') writeFileSync(snapshotFile, `${JSON.stringify(actual, null, 2)}\n`);
    assert.deepEqual(actual, JSON.parse(readFileSync(snapshotFile, 'utf8')));
    for (const [name, names] of Object.entries(actual)) assert.ok(names.length > 3, `${name} exports ${names.length}`);
  });
});
