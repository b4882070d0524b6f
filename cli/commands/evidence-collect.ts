/** `stun evidence collect`: evidence of this machine over a nonce of the caller's, as a document. */
import { join } from 'node:path';
import { network } from '#collateral/network.ts';
import type { HttpDependencies } from '#collateral/http.ts';
import { evidenceDigest } from '#attestation/index.ts';
import { fromHex, gpuNonceOf, StunError, toHex } from '#protocol/index.ts';
import { collateralFile, type CollateralFor } from '#worker/issuer/collateral-file.ts';
import { collectGpus } from '#worker/issuer/gpu.ts';
import { issueEvidence, type EvidenceIssuer } from '#worker/issuer/issuer.ts';
import { createSnpIssuer } from '#worker/issuer/snp.ts';
import { createTdxIssuer } from '#worker/issuer/tdx.ts';
import type { TsmOptions } from '#worker/issuer/tsm.ts';
import { choosePlatform, detectPlatform, TSM_REPORT_PATH, type ConfiguredPlatform } from '#worker/platform.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import { silent } from '../command.ts';
import type { CollateralAccess, CollateralOptions } from './evidence-collateral.ts';
import { openCollateral } from './evidence-collateral.ts';
import { writeText } from './evidence-fetch.ts';
import { readTextFile } from './evidence-source.ts';

/** Options of the command. */
export interface EvidenceCollectOptions extends CollateralOptions {
  /** 0x and 64 hex digits. */
  readonly nonce: string;
  /** Where the document is written. */
  readonly out: string;
  /** What the document binds besides the nonce; 64 zeros, which is no keyset, when absent. */
  readonly keysetDigest?: string;
  readonly platform?: string;
  /** The simulated PKI, with `--platform simulated`. */
  readonly pki?: string;
  /** File with the vendor's collateral. */
  readonly collateral?: string;
  /** Also asks the GPUs. */
  readonly gpu?: boolean;
  /** The program that asks them. */
  readonly nvattest?: string;
}

/** The machine that the command runs on; tests bring their own. */
export interface CollectingMachine {
  /** Root of the file system. */
  readonly root: string;
  readonly tsm: TsmOptions;
  readonly network: HttpDependencies;
}

const thisMachine: CollectingMachine = { root: '/', tsm: { directory: join('/', TSM_REPORT_PATH) }, network };

const NVATTEST_TIMEOUT_MS = 120_000;
const platforms = ['auto', 'tdx', 'sev-snp', 'simulated'] as const satisfies readonly ConfiguredPlatform[];
/** Simulated evidence is bound to no chain here; where it may be used is decided by whoever reads it. */
const DEVELOPMENT_CHAIN = 31337;
const NO_PROVIDER = `0x${'00'.repeat(20)}`;

function collateralFor(
  options: EvidenceCollectOptions,
  access: CollateralAccess | null,
  kind: 'tdx' | 'snp',
): CollateralFor | undefined {
  if (options.collateral !== undefined) return collateralFile(options.collateral);
  if (access === null) return undefined;
  return async (quote, vlek) => {
    const got =
      kind === 'tdx' ? await access.ofQuote(quote) : await access.ofReport(quote, vlek === undefined ? undefined : toHex(vlek));
    return { ...got };
  };
}

async function issuerOf(
  options: EvidenceCollectOptions,
  machine: CollectingMachine,
  access: CollateralAccess | null,
): Promise<EvidenceIssuer> {
  const configured = platforms.find((name) => name === (options.platform ?? 'auto'));
  if (configured === undefined) throw new StunError('STUN_INPUT', `--platform must be one of ${platforms.join(', ')}`);
  const platform = choosePlatform(configured, detectPlatform(machine.root), DEVELOPMENT_CHAIN);
  if (platform === 'sev-snp') return createSnpIssuer(machine.tsm, collateralFor(options, access, 'snp'));
  if (platform === 'tdx') {
    const given = collateralFor(options, access, 'tdx');
    if (given === undefined)
      throw new StunError(
        'STUN_INPUT',
        'a TDX quote goes with collateral: --collateral, or a way to get it: --fetch or --bundle',
      );
    return createTdxIssuer(machine.tsm, given);
  }
  if (options.pki === undefined)
    throw new StunError('STUN_INPUT', '--platform simulated needs --pki: whose hardware is simulated?');
  const { createSimulatedIssuer } = await import('#worker/issuer/simulated.ts');
  return createSimulatedIssuer(await readTextFile(options.pki, 'simulated PKI'), NO_PROVIDER, () =>
    Math.floor(Date.now() / 1000),
  );
}

/** What the document says about revocation and reference values of its GPUs. */
function besideGpus(ocsp: number, rims: number): string {
  return ocsp + rims === 0
    ? 'It has no OCSP responses and no RIM documents of its GPUs, and the default policy wants both: --fetch stores them, here or in verify.'
    : `It has ${ocsp} OCSP responses and ${rims} RIM documents of its GPUs.`;
}

/**
 * Makes evidence and writes it as a document. Verifies nothing.
 * With a way to collateral, what NVIDIA publishes about the GPUs stands in it too.
 * @throws `STUN_PLATFORM` where there is no confidential machine and simulated hardware was not asked for | `STUN_TSM_*` |
 *   `STUN_CERTIFICATE_TABLE` | `STUN_ENDORSEMENTS_MISSING` | `STUN_GPU_COLLECTION` | `STUN_COLLATERAL_*` | the codes of the parsers of GPU reports and chains | `STUN_INPUT` | `STUN_FILE`
 */
export async function evidenceCollect(
  options: EvidenceCollectOptions,
  machine: CollectingMachine = thisMachine,
  progress: CommandContext['progress'] = silent,
): Promise<CommandResult> {
  const nonce = fromHex(options.nonce, 32, '--nonce');
  const keysetDigest = fromHex(options.keysetDigest ?? `0x${'00'.repeat(32)}`, 32, '--keyset-digest');
  const access = await openCollateral(options, machine.network);
  const issuer = await issuerOf(options, machine, access);
  const command = options.nvattest ?? 'nvattest';
  const asked = options.gpu === true || options.nvattest !== undefined;
  if (asked) progress('asking the GPUs by nvattest, which may take two minutes');
  const gpus = asked ? await collectGpus(gpuNonceOf(keysetDigest, nonce), { command, timeoutMs: NVATTEST_TIMEOUT_MS }) : [];
  progress('making the evidence, and asking for what goes with it');
  const { ocsp, rims } = (await access?.ofGpus(gpus)) ?? { ocsp: [], rims: [] };
  const document = await issueEvidence(issuer, keysetDigest, nonce, gpus, { ocsp, rims });
  await writeText(options.out, new TextDecoder().decode(document));
  await access?.finish();
  const { simulated, description } = issuer;
  const digest = toHex(evidenceDigest(document));
  return {
    document: {
      out: options.out,
      platform: description,
      simulated,
      gpus: gpus.length,
      ocsp: ocsp.length,
      rims: rims.length,
      keysetDigest: toHex(keysetDigest),
      evidenceDigest: digest,
    },
    text: [
      `${options.out}: evidence of ${description}${gpus.length === 0 ? '' : ` and ${gpus.length} GPUs`}, digest ${digest}`,
      ...(gpus.length === 0 ? [] : [besideGpus(ocsp.length, rims.length)]),
      'Nothing in it is verified yet.',
    ].join('\n'),
    exitCode: 0,
  };
}
