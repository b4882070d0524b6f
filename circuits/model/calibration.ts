/** Rows of raw features: a CSV file with a header, one column for each feature and, when named, one with the label. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { LabelledRows } from './quantise/quantise.ts';

const MAX_ROWS = 1_000_000;

function refuse(reason: string): never {
  throw new StunError('STUN_MODEL_CALIBRATION', reason);
}

/** Rows split for calibrating and for judging. */
export interface CalibrationSet {
  /** Every even row. */
  readonly calibration: readonly (readonly number[])[];
  /** Every odd row: what accuracy is stated on. */
  readonly heldOut: LabelledRows;
}

/**
 * Reads rows, in the order of the file, the label's column left out. Fields hold numbers and no quotes.
 * @param features - columns the model takes, the label not counted
 * @param labelColumn - its name in the header, or null
 * @throws `STUN_MODEL_CALIBRATION` naming row and column
 */
export function readFeatureRows(text: string, features: number, labelColumn: string | null): LabelledRows {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const header = (lines.shift() ?? refuse('the file of rows is empty')).split(',');
  const label = labelColumn === null ? -1 : header.indexOf(labelColumn);
  if (labelColumn !== null && label < 0) refuse(`the header has no column ${labelColumn}`);
  if (header.length - (label < 0 ? 0 : 1) !== features)
    refuse(
      `the header has ${header.length} columns, the model takes ${features} features${label < 0 ? '' : ' beside the label'}`,
    );
  if (lines.length > MAX_ROWS) refuse(`${lines.length} rows, at most ${MAX_ROWS} are read`);
  const rows = lines.map((line, i) => rowOf(line, i, header));
  return {
    features: rows.map((row) => row.filter((_, column) => column !== label)),
    labels: label < 0 ? null : rows.map((row) => row[label]!),
  };
}

/**
 * Splits rows for the compiler.
 * @param features - columns the model takes, the label not counted
 * @param labelColumn - its name in the header, or null
 * @throws `STUN_MODEL_CALIBRATION` naming row and column
 */
export function readCalibration(text: string, features: number, labelColumn: string | null): CalibrationSet {
  const rows = readFeatureRows(text, features, labelColumn);
  const held = (_: unknown, i: number): boolean => i % 2 === 1;
  return {
    calibration: rows.features.filter((_, i) => i % 2 === 0),
    heldOut: { features: rows.features.filter(held), labels: rows.labels?.filter(held) ?? null },
  };
}

function rowOf(line: string, index: number, header: readonly string[]): number[] {
  const fields = line.split(',');
  if (fields.length !== header.length) refuse(`row ${index} has ${fields.length} columns, the header ${header.length}`);
  return fields.map((field, column) => {
    const value = field.trim() === '' ? Number.NaN : Number(field);
    return Number.isFinite(value) ? value : refuse(`row ${index}, column ${header[column]!}: expected a number`);
  });
}
