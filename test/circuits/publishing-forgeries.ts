/** Forgeries of what a circuit publishes of the jobs that are paid: as forgeries.ts, for circuits with published pairs. */
import { inverse, reduce } from '#circuits/build/field-math.ts';
import type { CircuitSignals } from '#circuits/settlement-input.ts';
import type { Draft } from './draft.ts';
import { exactly, type Forgery } from './forgeries.ts';

/** The second job's pair. */
const PAIR = 'main.pair[1]';

/** Tamper input of the second job's pair. */
function pairTamper(n: number, place: number, value: bigint): CircuitSignals {
  return { tamperPair: Array.from({ length: n * 4 }, (_, i) => (i === 4 + place ? reduce(value) : 0n)) };
}

/** The second job fails and costs nothing. */
function failSecond(draft: Draft): void {
  Object.assign(draft.jobs[1]!, { status: 2n, price: 0n });
}

export const publishingForgeries: readonly Forgery[] = [
  {
    labels: ['14.is-paid', '14.hint'],
    gain: 'publishes nothing of a job that is paid, and needs no inference proof of it',
    replace: () => ({ publishedInput: { 1: 0n }, publishedOutput: { 1: 0n } }),
    tamper: (draft, _honest, n) => pairTamper(n, 0, -inverse(draft.jobs[1]!.price)),
    rows: exactly(`${PAIR}.price`, `${PAIR}.isPaid`),
  },
  {
    labels: ['14.unpaid'],
    gain: 'publishes the pair of a job that is not paid',
    draft: failSecond,
    replace: ({ jobs }) => ({
      publishedInput: { 1: jobs[1]!.inputCommitment },
      publishedOutput: { 1: jobs[1]!.outputCommitment },
    }),
    tamper: (_draft, _honest, n) => pairTamper(n, 1, 1n),
    rows: exactly(`${PAIR}.isPaid`, `${PAIR}.price`, `${PAIR}.inverse`),
  },
  ...(['Input', 'Output'] as const).flatMap((side): Forgery[] => [
    {
      labels: [`14.select-${side.toLowerCase()}`],
      gain: `publishes an ${side.toLowerCase()} that the enclave did not sign, once it is selected`,
      replace: ({ jobs }) => ({
        [`published${side}`]: { 1: jobs[1]![side === 'Input' ? 'inputCommitment' : 'outputCommitment'] + 1n },
      }),
      tamper: (_draft, _honest, n) => pairTamper(n, side === 'Input' ? 2 : 3, 1n),
      rows: exactly(`${PAIR}.published${side}`, `${PAIR}.isPaid`, `${PAIR}.${side.toLowerCase()}Commitment`),
    },
    {
      labels: [`14.${side.toLowerCase()}`],
      gain: `publishes an ${side.toLowerCase()} of its own choice for a job that is paid`,
      replace: () => ({ [`published${side}`]: { 1: 4242n } }),
      rows: exactly(`main.published${side}[1]`, `${PAIR}.published${side}`),
    },
    {
      labels: [`14.${side.toLowerCase()}`],
      gain: `publishes an ${side.toLowerCase()} at a place without a job`,
      replace: () => ({ [`published${side}`]: { 2: 4242n } }),
      rows: exactly(`main.published${side}[2]`, `main.pair[2].published${side}`),
    },
  ]),
];
