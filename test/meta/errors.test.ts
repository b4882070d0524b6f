import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorRegistry, errorTables, isErrorCode } from '#protocol/errors/registry.ts';
import { projectFiles, root } from '../../scripts/project-files.ts';

const codes = Object.keys(errorRegistry);
const files = projectFiles();

/** Every code that the files of a list name, with word boundaries, so that STUN_INPUT is not seen in STUN_INPUT_SHAPE. */
function named(paths: readonly string[]): Set<string> {
  return new Set(paths.flatMap((path) => readFileSync(join(root, path), 'utf8').match(/\bSTUN_[A-Z0-9_]+\b/g) ?? []));
}

const inTables = /^protocol\/errors\/[a-z]+-errors\.ts$/;
const source = files.filter(
  (path) => /\.(?:ts|mjs)$/.test(path) && !/^(?:test|bench|scripts|examples)\//.test(path) && !inTables.test(path),
);
const tests = files.filter((path) => path.startsWith('test/') && path.endsWith('.ts') && path !== 'test/meta/errors.test.ts');

describe('error codes', () => {
  it('stand in exactly one table each', () => {
    const all = Object.values(errorTables).flatMap((table) => Object.keys(table));
    assert.deepEqual(all.toSorted(), codes.toSorted());
    assert.ok(codes.length > 20, `${codes.length} codes`);
  });

  it('are each raised by the code', () => {
    const raised = named(source);
    assert.deepEqual(
      codes.filter((code) => !raised.has(code)),
      [],
    );
  });

  it('are each expected by a test', () => {
    const expected = named(tests);
    assert.deepEqual(
      codes.filter((code) => !expected.has(code)),
      [],
    );
  });

  it('carry a document line that says what to do, an HTTP status and no placeholder', () => {
    for (const [code, entry] of Object.entries(errorRegistry)) {
      assert.ok(isErrorCode(code));
      // What it means, and after that what to do.
      assert.match(entry.doc, /^\S.{12,}[.;:] \S.{8,}\.$/s, code);
      assert.ok(entry.httpStatus >= 400 && entry.httpStatus <= 599, code);
    }
  });

  it('are what docs/api/errors.md lists', () => {
    const done = spawnSync(process.execPath, ['scripts/generate-errors-doc.ts', '--check'], { cwd: root, encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
  });
});
