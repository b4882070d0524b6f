/** `stun model quantise`: rows of raw features as the inputs that a compiled model takes. */
import { writeFile } from 'node:fs/promises';
import { StunError, type CommittedTensor } from '#protocol/index.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { readTextFile } from './evidence-source.ts';

/** Options of `model quantise`. */
export interface ModelQuantiseOptions {
  readonly rows: string;
  readonly label?: string;
  readonly out: string;
}

function jobOf({ name, dtype, dims }: CommittedTensor, data: readonly number[]): Record<string, unknown> {
  return { [name]: { dtype, dims, data } };
}

/**
 * Writes a file of inputs for `stun submit`, a job for each row.
 * @throws `STUN_FILE`, `STUN_MODEL_MANIFEST`, `STUN_MODEL_CALIBRATION` naming row and column, `STUN_MODEL_INPUT_RANGE`
 */
export async function modelQuantise({ args, options }: Invocation<ModelQuantiseOptions>): Promise<CommandResult> {
  const { readCompiledFolder } = await import('#circuits/model/folder.ts');
  const { readFeatureRows } = await import('#circuits/model/calibration.ts');
  const { quantiseRow } = await import('#circuits/model/quantise/quantiser.ts');
  const { model, quantisers } = await readCompiledFolder(args[0] ?? '');
  const text = await readTextFile(options.rows, 'row');
  const { features } = readFeatureRows(text, quantisers.length, options.label ?? null);
  if (features.length === 0) throw new StunError('STUN_MODEL_CALIBRATION', 'the file has a header and no row');
  const jobs = features.map((row) => jobOf(model.input, quantiseRow(quantisers, row)));
  try {
    // Inputs are the customer's secrets: nobody else reads the file.
    await writeFile(options.out, `${JSON.stringify(jobs)}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new StunError('STUN_FILE', `${options.out} cannot be written`, { cause });
  }
  return {
    document: { jobs: jobs.length, model: model.name, out: options.out },
    text: `${jobs.length} rows as inputs of ${model.name}, in ${options.out}: stun submit ${options.out}`,
    exitCode: 0,
  };
}
