/** Rows of raw features: a CSV file with a header, one column for each feature and, when named, one with the label. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ClassLabel, FloatModel } from './float/float-model.ts';
import type { LabelledRows } from './quantise/quantise.ts';

const MAX_ROWS = 1_000_000;

function refuse(reason: string): never {
  throw new StunError('STUN_MODEL_CALIBRATION', reason);
}

/** Rows as the file has them. */
export interface FeatureRows {
  /** Of the features, in their order. */
  readonly columns: readonly string[];
  readonly features: readonly (readonly number[])[];
  /** The fields of the label's column as they stand; null without one. */
  readonly labels: readonly string[] | null;
}

/** Rows split for calibrating and for judging. */
export interface CalibrationSet {
  /** Every even row. */
  readonly calibration: readonly (readonly number[])[];
  /** Every odd row: what accuracy is stated on. */
  readonly heldOut: LabelledRows;
}

/**
 * Reads rows, in the order of the file, the label's column left out. Fields hold numbers and no quotes; what the label's hold is not looked at.
 * @param features - columns the model takes, the label not counted
 * @param labelColumn - its name in the header, or null
 * @throws `STUN_MODEL_CALIBRATION` naming row and column
 */
export function readFeatureRows(text: string, features: number, labelColumn: string | null): FeatureRows {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const header = (lines.shift() ?? refuse('the file of rows is empty')).split(',');
  const label = labelColumn === null ? -1 : header.indexOf(labelColumn);
  if (labelColumn !== null && label < 0) refuse(`the header has no column ${labelColumn}`);
  if (header.length - (label < 0 ? 0 : 1) !== features)
    refuse(
      `the header has ${header.length} columns, the model takes ${features} features${label < 0 ? '' : ' beside the label'}`,
    );
  if (lines.length > MAX_ROWS) refuse(`${lines.length} rows, at most ${MAX_ROWS} are read`);
  const rows = lines.map((line, i) => {
    const fields = line.split(',');
    return fields.length === header.length
      ? fields
      : refuse(`row ${i} has ${fields.length} columns, the header ${header.length}`);
  });
  const columns = header.filter((_, column) => column !== label);
  return {
    columns,
    features: rows.map((row, i) =>
      row.filter((_, column) => column !== label).map((field, column) => numberIn(field, i, columns[column]!)),
    ),
    labels: label < 0 ? null : rows.map((row) => row[label]!.trim()),
  };
}

/**
 * Splits rows for the compiler. A label becomes the index of its class: it has to be one of the model's own, as a number or, where they are
 * texts, as the very text. A model of values has numbers for labels.
 * @param labelColumn - its name in the header, or null
 * @throws `STUN_MODEL_CALIBRATION` naming row and column
 */
export function readCalibration(
  text: string,
  { features, classLabels }: Pick<FloatModel, 'features' | 'classLabels'>,
  labelColumn: string | null,
): CalibrationSet {
  const rows = readFeatureRows(text, features, labelColumn);
  const labels = rows.labels?.map((field, i) => meaningOf(field, classLabels, i, labelColumn!)) ?? null;
  const held = (_: unknown, i: number): boolean => i % 2 === 1;
  return {
    calibration: rows.features.filter((_, i) => i % 2 === 0),
    heldOut: { features: rows.features.filter(held), labels: labels?.filter(held) ?? null },
  };
}

/** The row of the file that a held-out row is, both counted from 0, without the header. */
export function fileRowOf(heldOutRow: number): number {
  return 2 * heldOutRow + 1;
}

function meaningOf(field: string, classLabels: readonly ClassLabel[], row: number, column: string): number {
  const [first] = classLabels;
  if (first === undefined) return numberIn(field, row, column);
  const index = classLabels.indexOf(typeof first === 'string' ? field : numberIn(field, row, column));
  const known = classLabels.slice(0, 10).join(', ');
  return index >= 0 ? index : refuse(`row ${row}, column ${column}: ${field.slice(0, 40)} is no class of the model: ${known}`);
}

function numberIn(field: string, row: number, column: string): number {
  const value = field.trim() === '' ? Number.NaN : Number(field);
  return Number.isFinite(value) ? value : refuse(`row ${row}, column ${column}: expected a number`);
}
