import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/project-files.ts';
import { suitesFor } from '../../scripts/tests/suites.ts';

type Entry = Readonly<Record<string, unknown>>;

describe('record of the tests at full depth', () => {
  const entries = JSON.parse(readFileSync(join(root, 'test/full-result.json'), 'utf8')) as Record<string, Entry>;

  it('has an entry for every suite, and none for another', () => {
    const expected = [...new Set(suitesFor([]).map(({ name }) => name)), 'mutation'];
    assert.deepEqual(Object.keys(entries).toSorted(), expected.toSorted());
  });

  it('says of each on which commit and day it passed, with nothing changed and nothing failed', () => {
    for (const [name, entry] of Object.entries(entries)) {
      assert.match(String(entry['commit']), /^[0-9a-f]{40}$/, name);
      assert.match(String(entry['date']), /^\d{4}-\d\d-\d\d$/, name);
      assert.deepEqual([entry['changedSinceCommit'], entry['failed'], entry['failures']], [false, 0, []], name);
      assert.ok(Number(entry['passed']) > 0, name);
    }
  });
});
