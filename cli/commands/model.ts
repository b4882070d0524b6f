/** `stun model compile`. */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileRowOf } from '#circuits/model/calibration.ts';
import type { AccumulatorWidth } from '#circuits/model/program/bounds.ts';
import type { SoundnessWalk } from '#circuits/model/constraints/walk.ts';
import type { AccuracyStatement } from '#circuits/model/quantise/quantise.ts';
import { StunError } from '#protocol/index.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { parseWhole } from '../values.ts';
import { readTextFile } from './evidence-source.ts';
import { setupWarning } from './public-model.ts';

/** Options of `model compile`. */
export interface ModelCompileOptions {
  readonly out: string;
  readonly calibrate?: string;
  readonly label?: string;
  readonly name?: string;
  readonly weightBits: string;
  readonly circom?: boolean;
}

function accuracyLines(accuracy: AccuracyStatement | null): string[] {
  if (accuracy === null) return ['accuracy:    not stated (no --calibrate)'];
  const { metric, floatModel, compiledModel, heldOutRows, disagreements, valuesCutOff, rowsCutOff } = accuracy;
  const measured =
    metric === null ? [] : [`${metric}: ${floatModel} as given, ${compiledModel} compiled, on ${heldOutRows} held-out rows`];
  const rows = disagreements.length === 0 ? '' : ` (rows ${disagreements.map(fileRowOf).join(', ')} of the file, counted from 0)`;
  return [
    ...measured,
    `disagreements: ${disagreements.length} of ${heldOutRows} held-out rows${rows}`,
    `cut off: ${valuesCutOff} values in ${rowsCutOff} held-out rows, to the range of the calibration rows`,
  ];
}

/** Bits that the widest sum of each operation takes, by the operation's number. */
function accumulatorText(accumulators: readonly AccumulatorWidth[]): string {
  return `${accumulators.map(({ operation, kind, bits }) => `${operation} ${kind} ${bits}`).join(', ')} of 32 bits`;
}

function walkText({ witnesses, wires, ofWires }: SoundnessWalk): string {
  return `${wires} of ${ofWires} wires changed one at a time under ${witnesses} random witnesses, none is free (a smoke test)`;
}

/**
 * Compiles a model.
 * @throws `STUN_FILE`, `STUN_INPUT` and the `STUN_MODEL_…` codes
 */
export async function modelCompile({ args, options, context }: Invocation<ModelCompileOptions>): Promise<CommandResult> {
  const file = args[0] ?? '';
  const weightBits = parseWhole(options.weightBits, '--weight-bits', 4, 16);
  if (options.label !== undefined && options.calibrate === undefined)
    throw new StunError('STUN_INPUT', '--label needs --calibrate');
  let source: Uint8Array;
  try {
    source = new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new StunError('STUN_FILE', `model file ${file} cannot be read`, { cause });
  }
  const calibrationCsv = options.calibrate === undefined ? null : await readTextFile(options.calibrate, 'calibration');
  const { compileModel } = await import('#circuits/model/compile.ts');
  const compiled = await compileModel(
    {
      source,
      name: options.name ?? basename(file, '.onnx'),
      calibrationCsv,
      labelColumn: options.label ?? null,
      weightBits,
      circom: options.circom ?? false,
      outDirectory: resolve(options.out),
    },
    context.progress,
  );
  const { identity, accuracy, comparedRows, constraints, wires } = compiled;
  const accumulators = compiled.accumulators.map((one) => ({ ...one }));
  return {
    document: {
      ...identity,
      constraints,
      wires,
      accumulators,
      soundnessWalk: { ...compiled.walk },
      setup: 'development',
      comparedRows,
      accuracy: accuracy === null ? null : { ...accuracy },
    },
    text: [
      `model id:    ${identity.modelId}`,
      `constraints: ${constraints}, ${wires} wires`,
      `understood:  as onnxruntime runs the file, on ${comparedRows} rows`,
      `accumulators: ${accumulatorText(compiled.accumulators)}`,
      `soundness:   ${walkText(compiled.walk)}`,
      ...accuracyLines(accuracy),
      `setup:       ${setupWarning('development').join()}`,
      `written to:  ${compiled.outDirectory}`,
    ].join('\n'),
    exitCode: 0,
  };
}
