/**
 * Compiles an ONNX model: the exact integer model that a worker runs, its constraints, a development proving key, the manifest. The output
 * folder appears whole or not at all.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { buildBn128 } from 'ffjavascript';
import { DEVELOPMENT_TRAPDOOR, writeDevelopmentKey, type Progress } from '../build/development-key.ts';
import { parseR1cs } from '../build/r1cs.ts';
import { REPOSITORY_ROOT } from '../build/source.ts';
import { assertNotForgeable, readVerificationKey, vkHashOf } from '../build/verification-key.ts';
import { assertFree, writeWholeFolder } from '../build/whole-folder.ts';
import { readCalibration } from './calibration.ts';
import { circomOf, GADGETS } from './circom/emit.ts';
import { synthesise } from './constraints/synthesise.ts';
import { walkCircuit, type SoundnessWalk } from './constraints/walk.ts';
import { r1csBytes } from './constraints/r1cs-file.ts';
import { understand } from './float/understand.ts';
import { MODEL_FILES } from './folder.ts';
import { identityOf, manifestBytes, type ModelIdentity } from './manifest.ts';
import { readOnnx } from './onnx/read-onnx.ts';
import { assertSourceAgrees } from './source-check.ts';
import { accumulatorWidths, type AccumulatorWidth } from './program/bounds.ts';
import { integerOnnx } from './program/integer-onnx.ts';
import { programBytes } from './program/program.ts';
import { readProgram } from './program/read-program.ts';
import { accuracyOf, quantise, type AccuracyStatement } from './quantise/quantise.ts';

/** The circuit as circom, where it is asked for. */
export const CIRCOM_FILE = 'circuit.circom';

/** What is compiled, and how. */
export interface CompileOptions {
  readonly source: Uint8Array;
  /** 1..128 characters. */
  readonly name: string;
  /** Text of the calibration file; null is enough for ensembles, whose splits stay exact. */
  readonly calibrationCsv: string | null;
  readonly labelColumn: string | null;
  /** Of affine layers, sign included, 4..16. */
  readonly weightBits: number;
  /** Whether the circuit is written as circom too. */
  readonly circom: boolean;
  readonly outDirectory: string;
}

/** What came out. */
export interface CompiledModel {
  readonly identity: ModelIdentity;
  readonly accuracy: AccuracyStatement | null;
  /** On which onnxruntime gave for the file what was understood of it. */
  readonly comparedRows: number;
  readonly constraints: number;
  readonly wires: number;
  readonly accumulators: readonly AccumulatorWidth[];
  readonly walk: SoundnessWalk;
  readonly outDirectory: string;
}

/** Random inputs, and wires changed under each: a second of work for the largest examples. */
const WALK = { witnesses: 2, wires: 400 } as const;

/**
 * Compiles. Everything that can be refused is refused before the key is made, which is what takes long.
 * @throws `STUN_MODEL_FORMAT`, `STUN_MODEL_OPERATOR`, `STUN_MODEL_CALIBRATION`, `STUN_MODEL_MISREAD`, `STUN_MODEL_BOUNDS`, `STUN_MODEL_UNSOUND`, `STUN_FILE`
 */
export async function compileModel(options: CompileOptions, progress: Progress): Promise<CompiledModel> {
  const { source, outDirectory } = options;
  await assertFree(outDirectory);
  const model = readOnnx(source);
  const float = understand(model);
  const set = options.calibrationCsv === null ? null : readCalibration(options.calibrationCsv, float, options.labelColumn);
  progress('comparing with onnxruntime');
  const batch = model.inputs[0]!.dims[0] ?? null;
  const comparedRows = await assertSourceAgrees(source, float, batch, set?.heldOut.features ?? []);
  progress('quantising');
  const quantised = quantise(float, set?.calibration ?? [], options.weightBits);
  const accuracy = set === null ? null : accuracyOf(float, quantised, set.heldOut, set.calibration.length);
  const integerModel = integerOnnx(quantised.program);
  const programFile = programBytes(quantised.program);
  // Whoever reads the folder refuses anything else, so it is refused before the key is made.
  readProgram(programFile, 'STUN_MODEL_FORMAT');
  progress('writing constraints');
  const system = synthesise(quantised.program);
  const walk = walkCircuit(system, quantised.program, WALK);
  const r1cs = r1csBytes(system);
  return writeWholeFolder(outDirectory, async (scratch) => {
    const path = (kind: keyof typeof MODEL_FILES): string => join(scratch, MODEL_FILES[kind]);
    await writeDevelopmentKey(await buildBn128(true), parseR1cs(r1cs), DEVELOPMENT_TRAPDOOR, path('zkey'), progress);
    const key = assertNotForgeable(await readVerificationKey(path('zkey')));
    const vkHash = vkHashOf(key);
    const { rows, wireCount: wires } = system;
    const manifest = manifestBytes({
      name: options.name,
      source,
      model,
      integerModel,
      program: quantised.program,
      quantisers: quantised.quantisers,
      reading: float.reading,
      classLabels: float.classLabels,
      accuracy,
      constraints: rows.length,
      wires,
      vkHash,
      setup: 'development',
    });
    const identity = identityOf(vkHash, manifest, new Uint8Array(32), await readFile(path('zkey')));
    await writeFile(path('model'), integerModel);
    await writeFile(path('manifest'), manifest);
    await writeFile(path('program'), programFile);
    await writeFile(path('r1cs'), r1cs);
    await writeFile(path('verificationKey'), `${JSON.stringify(key, null, 1)}\n`);
    await writeFile(path('identity'), `${JSON.stringify(identity, null, 2)}\n`);
    if (options.circom) {
      const gadgets = relative(outDirectory, join(REPOSITORY_ROOT, GADGETS)).replaceAll('\\', '/');
      await writeFile(join(scratch, CIRCOM_FILE), circomOf(quantised.program, gadgets));
    }
    const accumulators = accumulatorWidths(quantised.program);
    return { identity, accuracy, comparedRows, constraints: rows.length, wires, accumulators, walk, outDirectory };
  });
}
