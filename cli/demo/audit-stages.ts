/** The auditor: exports the bundle with the command line, verifies it with nothing but the file, then against the chain. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeEvidence } from '#attestation/index.ts';
import { StunError } from '#protocol/index.ts';
import { ACCOUNT, addressOf, type LocalStack } from '../stack/local-stack.ts';
import { environmentOf } from './next-steps.ts';
import { MAX_PRICE, type DemoOrder } from './order-stages.ts';
import type { Stages } from './stages.ts';
import { chooseEnclave } from '#client/index.ts';

const CLI = fileURLToPath(new URL('../main.ts', import.meta.url));

/** What the audit found. */
export interface AuditedOrder {
  readonly path: string;
  readonly offline: string;
  readonly onChain: string;
}

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { readonly id: string; readonly status: string }[];
  readonly jobs: number;
  readonly provenTotal: string;
  readonly chain: string;
}

/** Runs `stun` with `--json` as a user would. @throws `STUN_STACK_CHILD` with what it said when it does not exit with 0 */
function stun(args: readonly string[], env: Readonly<Record<string, string>>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const argv = ['--disable-warning=ExperimentalWarning', CLI, ...args, '--json'];
    const options = { env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env }, maxBuffer: 1 << 28 };
    execFile(process.execPath, argv, options, (failed, stdout, stderr) => {
      if (failed === null) resolve(JSON.parse(stdout));
      else
        reject(
          new StunError('STUN_STACK_CHILD', `stun ${args.join(' ')} failed: ${stdout.slice(0, 2000)}${stderr.slice(0, 2000)}`),
        );
    });
  });
}

function summary(report: Report): string {
  const proven = report.checks.filter((check) => check.status === 'proven').length;
  const others = report.checks.filter((check) => check.status !== 'proven').map((check) => `${check.status}: ${check.id}`);
  const verdict = report.ok ? 'holds' : 'DOES NOT HOLD';
  return [`${verdict}: ${proven} checks proven`, ...new Set(others), `chain: ${report.chain}`].join('; ');
}

/** Exports and verifies. */
export async function auditStages(stages: Stages, stack: LocalStack, demo: DemoOrder, passphrase: string): Promise<AuditedOrder> {
  const path = `${stack.directory}/audit.json`;
  const env = environmentOf(stack, passphrase);
  const trust = ['--root', stack.rootPath, ...ACCOUNT.attestors.flatMap((index) => ['--attestor', addressOf(stack, index)])];
  await stages.run('export the audit bundle', async (_tell, say) => {
    const exported = (await stun(['audit', 'export', '--order', demo.order.orderKey, '--out', path], env)) as {
      segments: number;
      jobs: number;
    };
    const { evidence } = await chooseEnclave(demo.client, demo.order, { maxPrice: MAX_PRICE });
    writeFileSync(`${stack.directory}/evidence.json`, encodeEvidence(evidence.document));
    say(`${exported.jobs} jobs in ${exported.segments} segments, ${path}`);
  });
  const offline = await stages.run('verify it offline', async (_tell, say) => {
    const report = (await stun(['audit', 'verify', path, ...trust], {})) as Report;
    say(`${report.checks.length} checks, no network, no service, no secret`);
    return summary(report);
  });
  const onChain = await stages.run('verify it against the chain', async (_tell, say) => {
    const args = ['audit', 'verify', path, '--rpc', stack.chain.url, '--deployment', stack.deploymentPath, ...trust];
    const report = (await stun(args, {})) as Report;
    say(`${report.checks.length} checks`);
    return summary(report);
  });
  return { path, offline, onChain };
}
