/**
 * Circomspect over our circuits: assignments without a constraint, unused signals, aliasing decompositions. It is one more
 * lens, not a proof. What is allowed stands with its reason in circomspect-allow.json; an allowance that nothing needs is a
 * finding too.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Gate } from './gate.ts';
import { isRecorded, projectFiles, root } from '../project-files.ts';
import { runProcess, tool } from '../run-process.ts';

interface Allowance {
  /** Path from the root. */
  readonly file: string;
  /** Circomspect's rule, `CS0000`. */
  readonly rule: string;
  /** A part of the finding's text, naming the signal. */
  readonly text: string;
  readonly reason: string;
}

interface Sarif {
  runs: {
    results: {
      ruleId: string;
      message: { text: string };
      locations: {
        message?: { text: string };
        physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
      }[];
    }[];
  }[];
}

export const lintCircom: Gate = {
  name: 'lint:circom',
  run: async () => {
    const files = projectFiles().filter((path) => path.endsWith('.circom') && !path.startsWith('test/') && !isRecorded(path));
    if (files.length === 0) return { count: 0, unit: 'templates', problems: [] };
    const folder = await mkdtemp(join(tmpdir(), 'stun-circomspect-'));
    try {
      const sarif = join(folder, 'out.sarif');
      const done = await runProcess(tool('circomspect'), ['--sarif-file', sarif, ...files]);
      const count = done.stdout.match(/analyzing (?:template|function)/g)?.length ?? 0;
      const text = await readFile(sarif, 'utf8').catch(() => null);
      if (text === null) return { count, unit: 'templates', problems: [done.stdout.slice(-2000) + done.stderr] };
      return { count, unit: 'templates', problems: await judge(JSON.parse(text) as Sarif) };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function judge(sarif: Sarif): Promise<string[]> {
  const allowances = JSON.parse(await readFile(join(root, 'scripts/gates/circomspect-allow.json'), 'utf8')) as Allowance[];
  const used = new Set<Allowance>();
  const problems: string[] = [];
  for (const result of sarif.runs.flatMap((run) => run.results)) {
    const place = result.locations[0];
    const uri = (place?.physicalLocation.artifactLocation.uri ?? '').replace(/^file:\/\//, '');
    const file = uri.startsWith('/') ? relative(root, uri) : uri;
    const text = `${result.message.text} ${place?.message?.text ?? ''}`.trim();
    const allowed = allowances.find((one) => one.file === file && one.rule === result.ruleId && text.includes(one.text));
    if (allowed !== undefined) used.add(allowed);
    else problems.push(`${file}:${place?.physicalLocation.region.startLine ?? 0}: ${result.ruleId} ${text}`);
  }
  for (const one of allowances) {
    if (!used.has(one))
      problems.push(`circomspect-allow.json: nothing needs the allowance ${one.rule} in ${one.file} (${one.text})`);
    if (one.reason.length < 20) problems.push(`circomspect-allow.json: ${one.rule} in ${one.file} gives no reason`);
  }
  return problems;
}
