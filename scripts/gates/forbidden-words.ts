/** Words that must not reach a reader: unfinished work, paths of one machine, things outside the project. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Gate } from './gate.ts';
import { isRecorded, projectFiles, root } from '../project-files.ts';

interface Rule {
  readonly pattern: RegExp;
  readonly why: string;
  /** Files in which the words are right. */
  readonly except?: RegExp;
}

const rules: readonly Rule[] = [
  { pattern: /\b(?:TODO|FIXME|XXX|HACK|WIP)\b/, why: 'unfinished work' },
  { pattern: /\bnot (?:yet )?implemented\b/i, why: 'unfinished work' },
  { pattern: /\b(?:lorem ipsum|coming soon)\b/i, why: 'filler' },
  { pattern: /(?<![\w.$}/])\/(?:work|home\/\w+|Users\/\w+)\/\w/, why: 'a path of one machine' },
  { pattern: /\.\.\/shared\b/, why: 'a folder outside the project', except: /^\.ci\/run$/ },
  { pattern: /\battacked (?:once )?on paper\b/i, why: 'the history of the document' },
  { pattern: /\b(?:ChatGPT|Claude|Copilot|Anthropic|OpenAI assistant)\b/i, why: 'an authoring tool' },
];

/** This file and its test hold the words themselves; licences and lockfiles are not ours to word. */
const exempt = /^(?:scripts\/gates\/forbidden-words\.ts|test\/meta\/gates\.test\.ts|LICENSE|package-lock\.json)$/;
const binary = /\.(?:png|jpg|ico|woff2?|onnx|bin|der|gz|zkey|wasm|r1cs|ptau|node)$/;

/** The findings in one text, as `path:line: why: the line`. */
export function forbiddenIn(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const broken = rules.filter((rule) => rule.pattern.test(line) && rule.except?.test(path) !== true);
    return broken.map((rule) => `${path}:${index + 1}: ${rule.why}: ${line.trim().slice(0, 100)}`);
  });
}

export const forbiddenWords: Gate = {
  name: 'words',
  run: async () => {
    const files = projectFiles().filter((path) => !exempt.test(path) && !binary.test(path) && !isRecorded(path));
    const problems: string[] = [];
    for (const path of files) problems.push(...forbiddenIn(path, await readFile(join(root, path), 'utf8')));
    return { count: files.length, unit: 'files', problems };
  },
};
