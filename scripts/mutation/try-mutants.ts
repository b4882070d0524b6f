/** Runs, for each mutant, the tests that reach it. */
import { inLanes } from './lanes.ts';
import type { Mutant } from './mutants.ts';
import type { Selection } from './run-file.ts';
import { surveyTests } from './survey.ts';
import type { Plan } from './survey.ts';
import { startTestChild } from './test-child.ts';
import type { TestChild } from './test-child.ts';

/** What the tests did with a mutant: `stopped` (it ran too long) counts as noticed, `unreached` (no test runs its code) does not. */
export type Fate = 'killed' | 'stopped' | 'survived' | 'unreached';

/** A run that takes this much and ten times as long as without a mutant is taken for an endless loop. */
const endlessMs = 30_000;
/** Module instances cannot be unloaded: a process that holds this much is ended. */
const residentLimitBytes = 1_500_000_000;

interface Trial {
  readonly mutant: Mutant;
  readonly plan: Plan;
}

/** A mutant that a test noticed, with what to run to see it again. */
interface Kill extends Trial {
  readonly selection: Selection;
}

/** Kills of one process that are confirmed together. */
const confirmedTogether = 25;

/**
 * Modules are loaded anew for each mutant, packages are not. That no mutant has spoilt them for the ones after it is shown by the tests
 * that noticed one: without a mutant they must still pass in the same process.
 */
async function passUnchanged(child: TestChild, kills: readonly Kill[]): Promise<boolean> {
  const selections = [...Map.groupBy(kills, ({ selection }) => selection.file)].map(([file, of]) => ({
    file,
    tests: of.some(({ selection }) => selection.tests === null) ? null : of.flatMap(({ selection }) => selection.tests ?? []),
  }));
  const answer = await child.give({ kind: 'try', mutant: null, selections }, 10 * 60_000);
  return typeof answer !== 'string' && answer.failure === null;
}

/**
 * Tries every mutant against the tests in `files`; `onFate` is told each outcome once, when it is certain. A run is stopped after `graceMs`
 * and ten times what it takes without a mutant.
 */
export async function tryMutants(
  mutants: readonly Mutant[],
  files: readonly string[],
  onFate: (mutant: Mutant, fate: Fate) => void,
  graceMs = endlessMs,
): Promise<void> {
  const plans = await surveyTests(mutants, files);
  const trials = mutants.map((mutant, index) => ({ mutant, plan: plans[index]! }));
  for (const { mutant, plan } of trials) if (plan.selections.length === 0) onFate(mutant, 'unreached');
  const reached = trials.filter(({ plan }) => plan.selections.length > 0);

  const doubted = new Set<Mutant>();
  const doubt = (mutant: Mutant): void => {
    if (doubted.has(mutant)) throw new Error(`what noticed ${mutant.file}:${mutant.line} fails without it too`);
    doubted.add(mutant);
  };

  await inLanes(reached, async (next, again) => {
    let child = startTestChild();
    let unconfirmed: Kill[] = [];
    const restart = (): void => {
      child.end();
      child = startTestChild();
      for (const { mutant, plan } of unconfirmed) again({ mutant, plan });
      unconfirmed = [];
    };
    const confirm = async (): Promise<void> => {
      if (unconfirmed.length === 0) return;
      if (!(await passUnchanged(child, unconfirmed))) {
        for (const { mutant } of unconfirmed) doubt(mutant);
        return restart();
      }
      for (const { mutant } of unconfirmed) onFate(mutant, 'killed');
      unconfirmed = [];
    };
    for (;;) {
      const trial = next();
      if (trial === undefined && unconfirmed.length === 0) break;
      if (trial === undefined) {
        await confirm();
        continue;
      }
      const { mutant, plan } = trial;
      const answer = await child.give({ kind: 'try', mutant, selections: plan.selections }, graceMs + 10 * plan.expectedMs);
      if (typeof answer === 'string') {
        onFate(mutant, answer === 'stopped' ? 'stopped' : 'killed');
        restart();
        continue;
      }
      const { failure, residentBytes } = answer;
      if (failure === null) onFate(mutant, 'survived');
      else
        unconfirmed.push({ ...trial, selection: { file: failure.file, tests: failure.test === null ? null : [failure.test] } });
      if (unconfirmed.length >= confirmedTogether || residentBytes > residentLimitBytes) await confirm();
      if (residentBytes > residentLimitBytes) restart();
    }
    child.end();
  });
}
