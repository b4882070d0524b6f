import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { folders, layers } from '../../scripts/gates/layers.ts';
import { projectFiles, root } from '../../scripts/project-files.ts';
import { environment } from '../../scripts/run-process.ts';

/** Lints files in a tree of their own under the project's own rules; returns `rule` by file. */
function lint(files: Readonly<Record<string, string>>): Map<string, string[]> {
  const tree = mkdtempSync(join(tmpdir(), 'stun-layers-'));
  try {
    for (const path of ['oxlint.config.ts', 'scripts/gates/layers.ts', 'package.json', 'tsconfig.json']) {
      cpSync(join(root, path), join(tree, path), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    const oxlint = join(root, 'node_modules/.bin/oxlint');
    const done = spawnSync(
      oxlint,
      ['--type-aware', '--format', 'unix', ...Object.keys(folders).filter((folder) => folder !== 'scripts')],
      {
        cwd: tree,
        encoding: 'utf8',
        env: environment(),
        maxBuffer: 2 ** 26,
      },
    );
    const found = new Map<string, string[]>();
    for (const line of done.stdout.split('\n')) {
      const match = /^([^:]+):\d+:\d+: .*\[\w+\/(.+)\]$/.exec(line);
      if (match?.[1] !== undefined && match[2] !== undefined) found.set(match[1], [...(found.get(match[1]) ?? []), match[2]]);
    }
    return found;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

const source = Object.keys(layers);
const target = 'export const value = 1;\n';

/** A module of `folder` that imports `path` of `other` in four ways. */
const ways: Readonly<Record<string, (other: string, path: string) => string>> = {
  'package-import': (other, path) => `import { value } from '#${folders[other]}/${path}';\nexport const twice = value * 2;\n`,
  relative: (other, path) => `import { value } from '../${other}/${path}';\nexport const twice = value * 2;\n`,
  're-export': (other, path) => `export { value } from '#${folders[other]}/${path}';\n`,
  dynamic: (other, path) => `export const loaded = await import('../${other}/${path}');\n`,
};

describe('layer rules', function () {
  this.timeout(120_000);

  it('fires for every import that the table forbids, in each of four ways of importing', () => {
    const files: Record<string, string> = {};
    const planted: string[] = [];
    for (const other of Object.keys(folders)) files[`${other}/target.ts`] = target;
    for (const folder of source) {
      for (const other of Object.keys(folders)) {
        if (other === folder || layers[folder]?.[other] === 'all') continue;
        for (const [way, write] of Object.entries(ways)) {
          if (folders[other] === undefined) continue;
          const file = `${folder}/planted-${other}-${way}.ts`;
          files[file] = write(other, 'target.ts');
          planted.push(file);
        }
      }
    }
    const found = lint(files);
    const silent = planted.filter((file) => found.get(file)?.includes('eslint(no-restricted-imports)') !== true);
    assert.deepEqual(silent, []);
    assert.ok(planted.length > 200, `planted ${planted.length} violations`);
  });

  it('lets every import pass that the table allows', () => {
    const files: Record<string, string> = { 'attestation/simulated/target.ts': target };
    const allowed: string[] = [];
    for (const other of Object.keys(folders)) files[`${other}/target.ts`] = target;
    for (const [folder, grants] of Object.entries(layers)) {
      for (const [other, grant] of Object.entries(grants)) {
        for (const path of [grant === 'all' ? 'target.ts' : grant.only]) {
          files[`${other}/${path}`] = target;
          for (const way of ['package-import', 'relative', 'dynamic']) {
            const file = `${folder}/allowed-${other}-${way}.ts`;
            files[file] = ways[way]?.(other, path) ?? '';
            allowed.push(file);
          }
        }
      }
    }
    files['worker/issuer/simulated.ts'] =
      "import { value } from '#attestation/simulated/target.ts';\nexport const twice = value * 2;\n";
    allowed.push('worker/issuer/simulated.ts');
    const found = lint(files);
    const refused = allowed.filter((file) => found.has(file)).map((file) => `${file}: ${found.get(file)?.join(', ')}`);
    assert.deepEqual(refused, []);
    assert.ok(allowed.length > 60, `tried ${allowed.length} imports`);
  });

  it('keeps the simulator out of the worker everywhere but in its simulated issuer', () => {
    const importing = "import { value } from '#attestation/simulated/target.ts';\nexport const twice = value * 2;\n";
    const found = lint({
      'attestation/simulated/target.ts': target,
      'attestation/target.ts': target,
      'worker/main.ts': importing,
      'worker/issuer/tdx.ts': importing,
    });
    assert.deepEqual(found.get('worker/main.ts'), ['eslint(no-restricted-imports)']);
    assert.deepEqual(found.get('worker/issuer/tdx.ts'), ['eslint(no-restricted-imports)']);
  });

  it('lets the simulated issuer import nothing of attestation but the simulator', () => {
    const importing = "import { value } from '#attestation/target.ts';\nexport const twice = value * 2;\n";
    const found = lint({ 'attestation/target.ts': target, 'worker/issuer/simulated.ts': importing });
    assert.deepEqual(found.get('worker/issuer/simulated.ts'), ['eslint(no-restricted-imports)']);
  });

  for (const [name, text, rule] of [
    ['reads the clock', 'export const now = Date.now();\n', 'eslint(no-restricted-properties)'],
    [
      'opens a file',
      "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n",
      'eslint(no-restricted-imports)',
    ],
    ['reaches the network', "export const page = await fetch('https://example.org');\n", 'eslint(no-restricted-globals)'],
    ['writes to the console', "console.log('seen');\n", 'eslint(no-console)'],
    ['leaves a promise alone', 'const later = async (): Promise<number> => 1;\nlater();\n', 'typescript(no-floating-promises)'],
  ] as const) {
    it(`refuses a protocol module that ${name}`, () => {
      assert.ok(lint({ 'protocol/planted.ts': text }).get('protocol/planted.ts')?.includes(rule));
    });
  }

  it('refuses a cycle between two modules', () => {
    const found = lint({
      'protocol/first.ts': "import { second } from './second.ts';\nexport const first = (): number => second() + 1;\n",
      'protocol/second.ts': "import { first } from './first.ts';\nexport const second = (): number => first() + 1;\n",
    });
    assert.deepEqual(found.get('protocol/first.ts'), ['import(no-cycle)']);
  });

  it('leaves no way to the present time in the folders without a clock', () => {
    const sources = projectFiles().filter((path) => /^(?:protocol|attestation)\/.*\.ts$/.test(path));
    const asking = sources.filter((path) =>
      /\bnew Date\(\s*\)|\bDate\(\s*\)|Date\.now|\bTemporal\.Now\b|hrtime/.test(readFileSync(join(root, path), 'utf8')),
    );
    assert.deepEqual(asking, []);
    assert.ok(sources.length > 50, `${sources.length} files`);
  });
});
