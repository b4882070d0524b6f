/**
 * The lint rules. The layer rules come from the table in scripts/gates/layers.ts; the planted violations of
 * test/meta/layers.test.ts prove that each fires.
 */
import { builtinModules } from 'node:module';
import { exceptions, forbiddenImports, layers } from './scripts/gates/layers.ts';

type Patterns = { regex: string; message: string }[];

/** What of Node computes and does nothing else. */
const computing = new Set(['crypto', 'buffer', 'util', 'util/types', 'assert', 'assert/strict']);
const reaching = builtinModules.map((name) => name.replace(/^node:/, '')).filter((name) => !computing.has(name));

/** Packages that reach outside the process; libraries without I/O may not import them. */
const outsideWorld: Patterns = [
  {
    regex: `^(?:node:)?(?:${reaching.join('|')})$`,
    message: 'this folder has no I/O and no clock: of Node only crypto, buffer, util and assert',
  },
  {
    regex: '^(?:express|pg|pg-boss|kysely|pino|pino-http|piscina|snarkjs|onnxruntime-node|@electric-sql/pglite|commander)(?:/|$)',
    message: 'this folder has no I/O: no package that reaches outside the process',
  },
];

function restrict(patterns: Patterns) {
  return { 'no-restricted-imports': ['error', { patterns }] };
}

const pure = ['protocol', 'attestation'];

/** A rule set that forbids reading the clock, the network and the environment. */
const noOutsideWorld = {
  'no-restricted-globals': ['error', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'process', 'WebSocket'],
  'no-restricted-properties': ['error', { object: 'Date', property: 'now', message: 'the time is an argument' }],
};

export default {
  plugins: ['typescript', 'import', 'node', 'unicorn', 'oxc', 'promise'],
  categories: { correctness: 'error' },
  ignorePatterns: ['node_modules/**', '.stun/**', 'coverage/**', 'artifacts/**', 'cache/**', '**/generated/**'],
  rules: {
    'import/no-cycle': 'error',
    'import/no-self-import': 'error',
    'import/no-duplicates': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-unnecessary-type-assertion': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/unbound-method': 'off',
    'no-console': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    eqeqeq: 'error',
    'no-new-func': 'error',
    'no-eval': 'error',
    'no-throw-literal': 'error',
    'no-control-regex': 'off',
    'unicorn/no-new-array': 'off',
    'promise/no-callback-in-promise': 'off',
    'max-depth': ['error', 4],
    'max-lines': ['warn', 400],
  },
  overrides: [
    {
      files: [
        'cli/**',
        'scripts/**',
        'bench/**',
        'test/**',
        'examples/**',
        'circuits/build/main.ts',
        'chain/generate.ts',
        'prover/pinned-build.ts',
      ],
      rules: { 'no-console': 'off' },
    },
    {
      files: ['test/**', 'bench/**', 'examples/**', 'protocol/errors/*-errors.ts'],
      rules: { 'max-lines': 'off' },
    },
    ...Object.entries(layers).map(([folder, allowed]) => ({
      files: [`${folder}/**`],
      rules: {
        ...restrict([...forbiddenImports(folder, allowed), ...(pure.includes(folder) ? outsideWorld : [])]),
        ...(pure.includes(folder) ? noOutsideWorld : {}),
      },
    })),
    ...exceptions.map(({ file, folder, adds }) => ({
      files: [file],
      rules: restrict(forbiddenImports(folder, { ...layers[folder], ...adds })),
    })),
  ],
};
