import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { documented } from '../../scripts/gates/dependencies.ts';
import { forbiddenIn } from '../../scripts/gates/forbidden-words.ts';
import { findings } from '../../scripts/gates/gate.ts';
import { nameProblems } from '../../scripts/gates/names.ts';
import { projectFiles, root } from '../../scripts/project-files.ts';

describe('gates', function () {
  this.timeout(120_000);

  it('fail when they looked at nothing', () => {
    assert.deepEqual(findings({ count: 0, unit: 'files', problems: [] }), ['looked at no files']);
    assert.deepEqual(findings({ count: 1, unit: 'files', problems: [] }), []);
  });

  for (const path of [
    'worker/utils/bytes.ts',
    'client/helpers.ts',
    'protocol/common/x.ts',
    'chain/someFile.ts',
    'chain/Some.ts',
    'contracts/order-escrow.sol',
    'bench/UPPER.ts',
    'worker/Issuer/tdx.ts',
  ]) {
    it(`finds the name ${path}`, () => assert.equal(nameProblems(path).length > 0, true));
  }

  for (const path of [
    'worker/issuer/tdx.ts',
    'contracts/OrderEscrow.sol',
    'test/contracts/OrderEscrow.t.sol',
    'README.md',
    '.ci/run',
    'circuits/lib/eddsa.circom',
  ]) {
    it(`accepts the name ${path}`, () => assert.deepEqual(nameProblems(path), []));
  }

  for (const text of [
    '// TODO later',
    'FIXME',
    'XXX',
    "throw new Error('not implemented')",
    'cd /work/place',
    'open /home/ann/keys',
    'see ../shared/notes.md',
  ]) {
    it(`finds the words of: ${text}`, () => assert.equal(forbiddenIn('worker/x.ts', `first\n${text}\n`).length, 1));
  }

  it('says where the words are', () => {
    assert.deepEqual(forbiddenIn('a.ts', 'fine\nTODO\n'), ['a.ts:2: unfinished work: TODO']);
  });

  it('accept words that only contain a forbidden one', () => {
    assert.deepEqual(forbiddenIn('a.ts', 'mktemp /tmp/x.XXXXXX; network/home; METHODTODO; the worker'), []);
  });

  it('reads the licence of each dependency from the table', () => {
    const table =
      '| package | what for | licence |\n|---|---|---|\n| `pg` | talks to a server | MIT |\n| `@noble/curves` | curves     | MIT     |\n';
    assert.deepEqual(
      [...documented(table)],
      [
        ['pg', 'MIT'],
        ['@noble/curves', 'MIT'],
      ],
    );
  });

  it('lists the project files without what git ignores', () => {
    const files = projectFiles();
    assert.ok(files.includes('package.json') && files.includes('.ci/run'));
    assert.deepEqual(
      files.filter((path) => path.startsWith('node_modules/') || path.startsWith('.stun/')),
      [],
    );
  });

  it('are refused by a name that none has', () => {
    const done = spawnSync(process.execPath, ['scripts/check.ts', 'no-such-gate'], { cwd: root, encoding: 'utf8' });
    assert.equal(done.status, 1);
    assert.match(done.stderr, /no such gate: no-such-gate; there are types, lint/);
  });
});
