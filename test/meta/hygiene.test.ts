import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFiles, root } from '../../scripts/project-files.ts';

const tests = projectFiles().filter((path) => path.startsWith('test/') && path.endsWith('.test.ts'));
/** Test files that hold such marks as text, to see them found. */
const planting = new Set(['test/meta/hygiene.test.ts', 'test/meta/runner.test.ts']);
const solidityTests = projectFiles().filter((path) => path.endsWith('.t.sol'));

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The literal titles of a file's tests, each after the titles of what encloses it, as the indentation shows. */
function titles(source: string): string[] {
  const enclosing: { indent: number; title: string }[] = [];
  return [...source.matchAll(/^( *)(describe|context|it)\(\s*(['"`])((?:\\.|(?!\3).)*)\3/gm)].flatMap((match) => {
    const [, spaces = '', kind, , title = ''] = match;
    while ((enclosing.at(-1)?.indent ?? -1) >= spaces.length) enclosing.pop();
    if (kind === 'it') return [[...enclosing.map((one) => one.title), title].join(' > ')];
    enclosing.push({ indent: spaces.length, title });
    return [];
  });
}

describe('test files', () => {
  it('exist in every kind that the project promises', () => {
    const kinds = new Set([...tests, ...solidityTests].map((path) => path.split('/')[1]));
    const promised = ['unit', 'property', 'negative', 'circuits', 'contracts', 'differential', 'integration', 'e2e', 'meta'];
    assert.deepEqual(
      promised.filter((kind) => !kinds.has(kind)),
      [],
    );
  });

  it('leave no test out and single none out', () => {
    const pattern = /\b(?:describe|context|it|suite|test)\.(?:only|skip)\b|\b(?:xit|xdescribe|fit|fdescribe)\(/;
    const marked = tests.filter((path) => !planting.has(path) && pattern.test(read(path)));
    assert.deepEqual(marked, []);
  });

  it('have a title of its own for every test of a file', () => {
    const doubles = tests.flatMap((path) => {
      const seen = new Set<string>();
      return titles(read(path)).flatMap((title) => {
        const double = seen.has(title);
        seen.add(title);
        return double ? [`${path}: ${title}`] : [];
      });
    });
    assert.deepEqual(doubles, []);
  });

  it('each hold at least one test', () => {
    assert.deepEqual(
      tests.filter((path) => !/\b(?:it|prop)\(/.test(read(path))),
      [],
    );
    assert.deepEqual(
      solidityTests.filter((path) => !/function (?:test|invariant)/.test(read(path))),
      [],
    );
  });

  it('assert something', () => {
    const silent = tests.filter((path) => !/\bassert\b|\brejects|\bthrows|fc\.assert|expect[A-Z]/.test(read(path)));
    assert.deepEqual(silent, []);
  });
});

/** Lines outside of fenced code that look like a row of a table and belong to none: a table is header, separator, rows, without a gap. */
function rowsWithoutTable(markdown: string): string[] {
  const lines = markdown.replace(/^( *)(```+)[^]*?^\1\2$/gm, (code) => code.replace(/[^\n]+/g, '-')).split('\n');
  return lines.filter((line, at) => {
    if (!/^\s*\|/.test(line) || /^\s*\|/.test(lines[at - 1] ?? '')) return false;
    return !/^\s*\|(?:\s*:?-+:?\s*\|)+\s*$/.test(lines[at + 1] ?? '');
  });
}

describe('committed files', () => {
  it('hold no row of a table that has lost its header', () => {
    const documents = projectFiles().filter((path) => path.endsWith('.md'));
    assert.ok(documents.length > 20, `${documents.length} documents`);
    assert.deepEqual(
      documents.flatMap((path) => rowsWithoutTable(read(path)).map((row) => `${path}: ${row}`)),
      [],
    );
    const table = '| a | b |\n| --- | --: |\n| c | d |';
    assert.deepEqual(rowsWithoutTable(`${table}\n`), []);
    assert.deepEqual(rowsWithoutTable(`${table}\n\n| e | f |\n`), ['| e | f |']);
  });

  it('hold no mark of a merge that was not ended, also not as a formatter reshapes it', () => {
    const text = /\.(?:ts|mjs|json|md|sol|circom|hpp|cpp|sh|ya?ml)$/;
    const mark = /^(?:<{7} |={7}$|>{7} |(?:> ){7}|\| ={7} +\|)/m;
    const files = projectFiles().filter((path) => text.test(path));
    assert.ok(files.length > 1000, `${files.length} files`);
    assert.deepEqual(
      files.filter((path) => mark.test(read(path))),
      [],
    );
    assert.ok(
      ['<<<<<<< HEAD', '=======', '> > > > > > > 1e32811', '| =======         |'].every((line) => mark.test(`a\n${line}\nb`)),
    );
  });
});
