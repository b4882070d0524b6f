/** `stun model quantise`: rows of raw features as the inputs that a compiled model takes. */
import { writeFile } from 'node:fs/promises';
import { StunError, type CommittedTensor } from '#protocol/index.ts';
import type { CutOff, FeatureQuantiser } from '#circuits/model/quantise/quantiser.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { readTextFile } from './evidence-source.ts';

/** Options of `model quantise`. */
export interface ModelQuantiseOptions {
  readonly rows: string;
  readonly label?: string;
  readonly cutOff?: boolean;
  readonly out: string;
}

/** Values are the customer's secrets, so the reason names the place and the range, which is public. */
function assertWithin({ first }: CutOff, quantisers: readonly FeatureQuantiser[], columns: readonly string[]): void {
  const quantiser = first === null ? undefined : quantisers[first.feature];
  if (first === null || quantiser?.kind !== 'affine') return;
  const { low, step, maximum } = quantiser;
  throw new StunError(
    'STUN_MODEL_INPUT_RANGE',
    `row ${first.row}, column ${columns[first.feature]!} is not in the calibrated range of ${low} to ${low + step * maximum}; with --cut-off its nearest end is taken`,
  );
}

function jobOf({ name, dtype, dims }: CommittedTensor, data: readonly number[]): Record<string, unknown> {
  return { [name]: { dtype, dims, data } };
}

/**
 * Writes a file of inputs for `stun submit`, a job for each row. With `--cut-off` it counts what was cut off.
 * @throws `STUN_FILE`, `STUN_MODEL_MANIFEST`, `STUN_MODEL_CALIBRATION` naming row and column, `STUN_MODEL_INPUT_RANGE`
 */
export async function modelQuantise({ args, options }: Invocation<ModelQuantiseOptions>): Promise<CommandResult> {
  const { readCompiledFolder } = await import('#circuits/model/folder.ts');
  const { readFeatureRows } = await import('#circuits/model/calibration.ts');
  const { cutOffIn, quantiseRow } = await import('#circuits/model/quantise/quantiser.ts');
  const { model, quantisers } = await readCompiledFolder(args[0] ?? '');
  const text = await readTextFile(options.rows, 'row');
  const { columns, features } = readFeatureRows(text, quantisers.length, options.label ?? null);
  if (features.length === 0) throw new StunError('STUN_MODEL_CALIBRATION', 'the file has a header and no row');
  const cutOff = cutOffIn(quantisers, features);
  if (options.cutOff !== true) assertWithin(cutOff, quantisers, columns);
  const { valuesCutOff, rowsCutOff } = cutOff;
  const jobs = features.map((row) => jobOf(model.input, quantiseRow(quantisers, row)));
  try {
    // Inputs are the customer's secrets: nobody else reads the file.
    await writeFile(options.out, `${JSON.stringify(jobs)}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new StunError('STUN_FILE', `${options.out} cannot be written`, { cause });
  }
  return {
    document: { jobs: jobs.length, model: model.name, out: options.out, valuesCutOff, rowsCutOff },
    text: [
      `${jobs.length} rows as inputs of ${model.name}, in ${options.out}: stun submit ${options.out}`,
      ...(valuesCutOff === 0 ? [] : [`${valuesCutOff} values in ${rowsCutOff} rows were cut off to the calibrated range`]),
    ].join('\n'),
    exitCode: 0,
  };
}
