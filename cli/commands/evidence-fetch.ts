/** `stun evidence fetch`: asks the vendor of a quote or report for its collateral and leaves it in a file. */
import { writeFile } from 'node:fs/promises';
import { network } from '#collateral/network.ts';
import type { HttpDependencies } from '#collateral/http.ts';
import { toHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import { silent } from '../command.ts';
import type { CollateralOptions } from './evidence-collateral.ts';
import { openCollateral } from './evidence-collateral.ts';
import { evidenceWayOf } from './evidence-options.ts';
import { readBytes } from './evidence-source.ts';

/** Options; exactly one of quote and report. */
export interface EvidenceFetchOptions extends CollateralOptions {
  readonly quote?: string;
  readonly report?: string;
  /** A report's VLEK certificate, DER, where one signed. */
  readonly vek?: string;
  /** Where the collateral is written, as JSON. */
  readonly out: string;
}

/** Writes a file of the user's. @throws `STUN_FILE` */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new StunError('STUN_FILE', `${path} cannot be written`, { cause });
  }
}

/**
 * Fetches, and verifies nothing: `stun evidence verify` does.
 * @throws `STUN_INPUT`, `STUN_FILE`, the codes of the evidence's parser, `STUN_COLLATERAL_*`
 */
export async function evidenceFetch(
  options: EvidenceFetchOptions,
  outside: HttpDependencies = network,
  progress: CommandContext['progress'] = silent,
): Promise<CommandResult> {
  const { quote, report, vek, out } = options;
  evidenceWayOf(options);
  const access = await openCollateral({ ...options, ...(options.bundle === undefined ? { fetch: true } : {}) }, outside);
  if (access === null) throw new StunError('STUN_INTERNAL', 'fetching has no way to collateral');
  const evidence = await readBytes(quote ?? report ?? '', 'evidence');
  const vlek = vek === undefined ? undefined : toHex(await readBytes(vek, 'VEK'));
  progress('asking the vendor for collateral');
  const collateral = quote === undefined ? await access.ofReport(evidence, vlek) : await access.ofQuote(evidence);
  await writeText(out, JSON.stringify(collateral));
  await access.finish();
  const fields = Object.keys(collateral);
  return { document: { out, fields }, text: `${out}: ${fields.join(', ')}\nNothing in it is verified yet.`, exitCode: 0 };
}
