/**
 * The example's data: loan applicants, made with a fixed seed. Nobody's records are in it.
 *
 * Whether an applicant would default is a fixed, non-linear rule of the 20 features; the label that is recorded is the opposite one
 * for a known share of the rows. So no model can be right on more than 1 - LABEL_NOISE of unseen rows, except by luck: that is the
 * ceiling which the report prints beside the accuracy.
 */
import { SeededRandom } from './random.ts';

/** Share of rows whose recorded label is the wrong one. */
export const LABEL_NOISE = 0.08;

/** Column names, in the order of the model's input. */
export const FEATURES = [
  'age_years',
  'income_thousand',
  'employment_years',
  'debt_to_income',
  'card_utilisation',
  'open_accounts',
  'late_payments_24m',
  'months_since_late',
  'inquiries_6m',
  'history_years',
  'loan_thousand',
  'term_months',
  'rate_percent',
  'savings_thousand',
  'owns_home',
  'dependants',
  'income_volatility',
  'rent_share',
  'accounts_closed_12m',
  'secured_share',
] as const;

/** One applicant: features in column order, the recorded label, and whether that label was flipped. */
export interface Row {
  readonly features: readonly number[];
  readonly label: 0 | 1;
  readonly flipped: boolean;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

function applicant(random: SeededRandom): number[] {
  const age = clamp(42 + 13 * random.normal(), 18, 80);
  const income = clamp(Math.exp(3.9 + 0.5 * random.normal()), 8, 400);
  const employment = clamp(random.uniform() * (age - 17), 0, 45);
  const late = Math.floor(-1.2 * Math.log(1 - random.uniform()));
  const loan = clamp(income * (0.1 + 0.9 * random.uniform()), 1, 200);
  return [
    round(age, 0),
    round(income, 1),
    round(employment, 1),
    round(clamp(0.35 + 0.2 * random.normal(), 0, 1.5), 3),
    round(random.uniform(), 3),
    1 + random.integer(15),
    Math.min(late, 12),
    late === 0 ? 60 : random.integer(24),
    Math.min(Math.floor(-1.5 * Math.log(1 - random.uniform())), 10),
    round(clamp((age - 18) * random.uniform(), 0, 50), 1),
    round(loan, 1),
    [12, 24, 36, 48, 60][random.integer(5)]!,
    round(clamp(9 + 4 * random.normal(), 2, 25), 2),
    round(Math.exp(1.5 + random.normal()), 1),
    random.uniform() < 0.55 ? 1 : 0,
    random.integer(5),
    round(random.uniform(), 3),
    round(clamp(0.3 + 0.15 * random.normal(), 0, 0.9), 3),
    random.integer(4),
    round(random.uniform(), 3),
  ];
}

/** The rule behind the labels. Positive means that the applicant would default. */
function hiddenScore(x: readonly number[]): number {
  const at = (name: (typeof FEATURES)[number]): number => x[FEATURES.indexOf(name)]!;
  const burden = at('debt_to_income') + (at('loan_thousand') / at('income_thousand')) * (24 / at('term_months'));
  const stretched = at('card_utilisation') > 0.7 && at('savings_thousand') < 5 ? 1.6 : 0;
  // A volatile income is dangerous with a low rate of savings and harmless with a short term: an interaction, not a slope.
  const volatile = (at('income_volatility') - 0.5) * (at('term_months') >= 36 ? 3.2 : -1.6);
  const youngOrOld = ((at('age_years') - 44) / 14) ** 2 * 0.7;
  const recentLate = at('late_payments_24m') >= 2 && at('months_since_late') < 9 ? 1.8 : 0;
  const housing = (at('owns_home') - 0.5) * (at('rent_share') - 0.3) * 8;
  const secured = Math.abs(at('secured_share') - 0.5) * -2.4;
  return (
    1.5 * (burden - 0.85) + stretched + volatile + youngOrOld + recentLate + housing + secured + 0.12 * at('inquiries_6m') - 0.75
  );
}

/** Makes `count` rows from a seed. */
export function makeRows(count: number, seed: number): Row[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => {
    const features = applicant(random);
    const truth = hiddenScore(features) > 0 ? 1 : 0;
    const flipped = random.uniform() < LABEL_NOISE;
    return { features, label: flipped ? (truth === 1 ? 0 : 1) : truth, flipped };
  });
}

/** CSV with a header line; the last column is the recorded label. */
export function rowsToCsv(rows: readonly Row[]): string {
  return [[...FEATURES, 'defaulted'].join(','), ...rows.map((row) => [...row.features, row.label].join(','))].join('\n') + '\n';
}

/** Reads the CSV back. `flipped` is not in the file and is not known to its readers. */
export function rowsFromCsv(csv: string): { features: number[]; label: number }[] {
  const [header, ...lines] = csv.trimEnd().split('\n');
  if (header !== [...FEATURES, 'defaulted'].join(','))
    throw new RangeError('the CSV does not have the columns of the credit model');
  return lines.map((line) => {
    const cells = line.split(',').map(Number);
    return { features: cells.slice(0, FEATURES.length), label: cells[FEATURES.length]! };
  });
}
