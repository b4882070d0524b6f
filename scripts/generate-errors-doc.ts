/** Writes docs/api/errors.md from the closed registry of codes; with `--check` only says whether the file is what it would write. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { errorTables, exitCodeOf, isErrorCode } from '#protocol/errors/registry.ts';
import type { ErrorEntry } from '#protocol/errors/stun-error.ts';
import { root } from './project-files.ts';

const file = join(root, 'docs/api/errors.md');

const head = `# Errors

Every failure has one of these codes. Match on the code, never on the message. Written by \`scripts/generate-errors-doc.ts\` from
\`protocol/errors/\`.

| class | exit code of \`stun\` | meaning |
|---|--:|---|
| input | 1 | the caller changes what it sent |
| verification | 2 | a cryptographic fact is false: stop |
| unavailable | 3 | try again later |
| policy | 4 | the facts are true and not allowed: stop, or change the policy |
| config | 5 | the operator changes a setting |
| internal | 6 | a defect |
`;

function section(area: string, table: Readonly<Record<string, ErrorEntry>>): string {
  const rows = Object.entries(table).map(([code, entry]) => {
    if (!isErrorCode(code)) throw new RangeError(`${code} is not in the registry`);
    return `| \`${code}\` | ${entry.class} | ${entry.actor} | ${entry.httpStatus} | ${exitCodeOf(code)} | ${entry.doc.replaceAll('|', String.raw`\|`)} |`;
  });
  if (rows.length === 0) return '';
  return `\n## ${area}\n\n| code | class | who acts | HTTP | exit | what it means and what to do |\n|---|---|---|--:|--:|---|\n${rows.join('\n')}\n`;
}

const body =
  head +
  Object.entries(errorTables)
    .map(([area, table]) => section(area, table))
    .join('');
const text = await format(body, { ...(await resolveConfig(file)), filepath: file });

if (process.argv.includes('--check')) {
  let current = '';
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    console.error('docs/api/errors.md is missing: run node scripts/generate-errors-doc.ts');
  }
  if (current !== text) {
    console.error('docs/api/errors.md is stale: run npm run generate');
    process.exitCode = 1;
  } else {
    console.log('1 generated file is fresh');
  }
} else {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
