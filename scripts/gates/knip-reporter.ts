/** A reporter for knip that says how many files were looked at, then one line for each finding. */
import { relative } from 'node:path';
import type { Reporter } from 'knip';
import { root } from '../project-files.ts';

const report: Reporter = ({ issues, counters, report: wanted }) => {
  const found: string[] = [];
  for (const [kind, byFile] of Object.entries(issues)) {
    if (kind === '_files' || !Object.hasOwn(wanted, kind)) continue;
    for (const [file, records] of Object.entries(byFile)) {
      for (const record of Object.values(records)) {
        if (typeof record === 'object') found.push(`${kind}: ${record.symbol} in ${relative(root, record.filePath ?? file)}`);
      }
    }
  }
  process.stdout.write(`processed ${counters.processed}\n${found.join('\n')}\n`);
};

export default report;
