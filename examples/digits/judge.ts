/** A digit model as given and compiled, side by side on images that it never saw. */
import { understand } from '#circuits/model/float/understand.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import type { IntegerProgram } from '#circuits/model/program/program.ts';
import { accuracyOf, quantise, type AccuracyStatement } from '#circuits/model/quantise/quantise.ts';
import type { Digit } from './data.ts';

const CALIBRATION_ROWS = 300;
/** One less than usual costs no image and saves a row for each neuron. */
export const WEIGHT_BITS = 7;

const pixelsOf = (digits: readonly Digit[]): number[][] => digits.map(({ pixels }) => [...pixels]);

/** The integer program of a model's file. @param training - images of which the first calibrate */
export function compiledProgram(bytes: Uint8Array, training: readonly Digit[]): IntegerProgram {
  return quantise(understand(readOnnx(bytes)), pixelsOf(training.slice(0, CALIBRATION_ROWS)), WEIGHT_BITS).program;
}

/** Compares. @param training - images of which the first calibrate @param unseen - images to judge by */
export function judge(bytes: Uint8Array, training: readonly Digit[], unseen: readonly Digit[]): AccuracyStatement {
  const model = understand(readOnnx(bytes));
  const quantised = quantise(model, pixelsOf(training.slice(0, CALIBRATION_ROWS)), WEIGHT_BITS);
  const rows = { features: pixelsOf(unseen), labels: unseen.map(({ label }) => label) };
  return accuracyOf(model, quantised, rows, CALIBRATION_ROWS);
}
