import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildProgram, withDescendants } from '#cli/program.ts';
import { Runner, wordsOf } from '#cli/runner.ts';
import { isErrorCode } from '#protocol/index.ts';
import { projectFiles, root } from '../../scripts/project-files.ts';

/** Folders whose code reads settings. */
const programs = ['chain', 'circuits', 'cli', 'client', 'collateral', 'prover', 'verifier-service', 'worker'];

/** Text of the files below some folders, but of these tests that name everything. */
function textsOf(folders: readonly string[]): readonly string[] {
  const without = new Set(['options.test.ts', 'doc-commands.ts']);
  const files = projectFiles().filter((file) => folders.some((folder) => file.startsWith(`${folder}/`)) && file.endsWith('.ts'));
  return files.filter((file) => !without.has(basename(file))).map((file) => readFileSync(join(root, file), 'utf8'));
}

/** Names of STUN_… variables that code names: quoted, or as the key of a table. Of a secret also the file of it. */
function variablesOf(texts: readonly string[]): ReadonlySet<string> {
  const found = texts.flatMap((text) => [...text.matchAll(/'(STUN_\w*[A-Z])'|\b(STUN_\w*[A-Z]):/g)]);
  const names = found.map(([, quoted, key]) => quoted ?? key ?? '').filter((name) => !isErrorCode(name));
  const secrets = texts.flatMap((text) => [...text.matchAll(/secretOf\('(STUN_\w+)'\)/g)].map(([, name]) => `${name}_FILE`));
  return new Set([...names, ...secrets]);
}

const tests = textsOf(['test']);
const mentions = (name: string): boolean => tests.some((text) => new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(text));
/** A test that calls a command's function names an option as the field of its options. */
const calls = tests.filter((text) => text.includes("'#cli/commands/"));
const isField = (name: string): boolean => calls.some((text) => new RegExp(`\\b${name}\\b`).test(text));

describe('options and variables', () => {
  it('of the command line are each in a test', () => {
    const context = { progress: () => undefined, signal: new AbortController().signal };
    const commands = withDescendants(buildProgram(new Runner(context)));
    const options = commands.flatMap((command) =>
      command.options.map((option) => ({ command: wordsOf(command).join(' '), option })),
    );
    const untested = options.filter(({ option }) => !mentions(option.long ?? '') && !isField(option.attributeName()));
    console.log(`      ${options.length} options of ${commands.length} commands, looked for in ${tests.length} files`);
    assert.ok(options.length > 200 && commands.length > 50 && tests.length > 300);
    assert.deepEqual(
      untested.map(({ command, option }) => `${command} ${option.long}`),
      [],
    );
  });

  it('that programs read are each in a test', () => {
    const variables = variablesOf(textsOf(programs));
    console.log(`      ${variables.size} variables`);
    assert.ok(
      variables.size >= 25 && variables.has('STUN_HOME') && variables.has('STUN_WORKER_POLICY'),
      [...variables].join(', '),
    );
    assert.deepEqual(
      [...variables].filter((name) => !mentions(name)),
      [],
    );
  });

  it('are missed when no test has them', () => {
    assert.equal(mentions('--no-such-option'), false);
    assert.deepEqual(
      [...variablesOf(["secretOf('STUN_NOVEL'); x = { STUN_OTHER: 1 }; 'STUN_INPUT'"])],
      ['STUN_NOVEL', 'STUN_OTHER', 'STUN_NOVEL_FILE'],
    );
    assert.deepEqual([...variablesOf(["'STUN_PREFIX_' + name"])], []);
  });
});
