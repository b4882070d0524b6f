/** What the commands of a ceremony share: which circuit, which powers of tau, progress, hashes as people compare them. */
import { StunError } from '#protocol/index.ts';
import type { CeremonyGround, StepShare } from '#circuits/ceremony/ceremony.ts';
import type { PublishedPowers } from '#circuits/ceremony/powers-of-tau.ts';
import type { CommandContext } from '../command.ts';
import { readJson } from '../settings.ts';
import { publicModelOf } from './public-model.ts';

/** Options that name a circuit: one of the project's, any constraint file, or that of disclosures from a compiled model's outputs. */
export interface CircuitOptions {
  readonly circuit?: string;
  readonly r1cs?: string;
  readonly disclosure?: string;
}

/** Options that name powers of tau. */
export interface PowersOptions {
  readonly ptau: string;
  readonly rehearsalTable?: string;
}

/** Path of the constraint file that the options name. @throws `STUN_INPUT` unless exactly one is given */
export async function r1csPathOf(options: CircuitOptions, context: CommandContext): Promise<string> {
  const { circuit, r1cs, disclosure } = options;
  if ([circuit, r1cs, disclosure].filter((one) => one !== undefined).length !== 1) {
    throw new StunError(
      'STUN_INPUT',
      'name the circuit with --circuit NAME, its constraint file with --r1cs FILE, or a compiled model with --disclosure FOLDER',
    );
  }
  if (r1cs !== undefined) return r1cs;
  if (disclosure !== undefined) {
    const { writeDisclosureR1cs } = await import('#circuits/model/disclosure/disclosure-key.ts');
    return writeDisclosureR1cs((await publicModelOf(disclosure)).model.output.shape);
  }
  const { ensureCircuit } = await import('#circuits/manifest.ts');
  return (await ensureCircuit(circuit ?? '', { progress: context.progress })).r1csPath;
}

/** What a ceremony over the powers is: with a table of one's own a rehearsal. */
export function setupOf(rehearsalTable: string | undefined): 'ceremony' | 'rehearsal' {
  return rehearsalTable === undefined ? 'ceremony' : 'rehearsal';
}

/** The digests to accept: the published ones, or those of a rehearsal, which is said aloud. @throws `STUN_FILE`, `STUN_INPUT` */
export async function tableOf(rehearsalTable: string | undefined, context: CommandContext): Promise<readonly PublishedPowers[]> {
  const { parsePowersTable, PUBLISHED_POWERS } = await import('#circuits/ceremony/powers-of-tau.ts');
  if (rehearsalTable === undefined) return PUBLISHED_POWERS;
  context.progress('REHEARSAL: these powers of tau are not the published ones; no deployment accepts the key');
  return parsePowersTable(await readJson(rehearsalTable, 'table of digests'));
}

/** Circuit and powers of tau together. */
export async function groundOf(options: CircuitOptions & PowersOptions, context: CommandContext): Promise<CeremonyGround> {
  const r1csPath = await r1csPathOf(options, context);
  return { r1csPath, powersPath: options.ptau, table: await tableOf(options.rehearsalTable, context) };
}

const BAR_PLACES = 20;

/**
 * Progress with a bar, every twentieth; it is also where a step is stopped, since nothing is written before a step is done.
 * @throws `STUN_CEREMONY_STOPPED` when the command was asked to end
 */
export function barOf(context: CommandContext): StepShare {
  let last = '';
  return (step, share) => {
    if (context.signal.aborted) throw new StunError('STUN_CEREMONY_STOPPED', `stopped while ${step}; nothing was written`);
    const places = Math.min(BAR_PLACES, Math.floor(share * BAR_PLACES));
    const line = `${step} [${'#'.repeat(places)}${'.'.repeat(BAR_PLACES - places)}] ${places * (100 / BAR_PLACES)}%`;
    if (line !== last) context.progress(line);
    last = line;
  };
}

/** A hash of 64 bytes as ceremonies show it: four lines of four words. */
export function hashLines(hex: string): string[] {
  return Array.from({ length: 4 }, (_, line) =>
    Array.from({ length: 4 }, (_word, word) => hex.slice(32 * line + 8 * word, 32 * line + 8 * word + 8)).join(' '),
  );
}

/** A title with a hash below it. */
export function hashBlock(title: string, hex: string): string[] {
  return [title, ...hashLines(hex).map((line) => `    ${line}`)];
}
