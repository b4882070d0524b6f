/** Plants the defects of the contracts, one after the other, and sees whether a property breaks that is said to. */
import { plantedDefects, type PlantedDefect } from '#test/contracts/planted-defects.ts';
import { sampleCases } from '#test/depth.ts';
import { runProcess } from '../run-process.ts';
import { inLanes } from './lanes.ts';
import { plantedVariable, writePlanted } from './planted.ts';

/** What came of one defect. */
export interface PlantedFate {
  readonly defect: PlantedDefect;
  readonly noticed: boolean;
  /** The properties that broke, with what they said; or why none could be asked. */
  readonly said: string;
}

const child = 'scripts/mutation/planted-process.ts';

/** The fuzzed tests whose names match, run on a planted project; the failures. Throws when the run itself failed. */
async function failuresOf(folder: string, pattern: string, number: number): Promise<readonly (readonly [string, string])[]> {
  const run = await runProcess(process.execPath, [child, folder, pattern], { [plantedVariable]: String(number) });
  const last = run.stdout.trimEnd().split('\n').at(-1) ?? '';
  if (run.status !== 0 || !last.startsWith('['))
    throw new Error(`planted defect ${number}: ${(run.stderr || run.stdout).slice(-500)}`);
  return JSON.parse(last) as [string, string][];
}

/**
 * Tries a sample of the defects, all at full depth.
 * @param told Called for each as it is decided.
 * @returns every fate, in no order
 * @throws when a property breaks without any defect, because then one that breaks with a defect says nothing
 */
export async function tryPlanted(sampleSize: number, told: (fate: PlantedFate) => void): Promise<readonly PlantedFate[]> {
  const folder = writePlanted(plantedDefects);
  const chosen = sampleCases(plantedDefects, sampleSize);
  const asked = [...new Set(chosen.flatMap(({ breaks }) => breaks))];
  // Also compiles, once for all.
  const before = await failuresOf(folder, asked.join('|'), 0);
  if (before.length > 0) throw new Error(`fails without a defect: ${JSON.stringify(before)}`);
  const fates: PlantedFate[] = [];
  await inLanes(chosen, async (next) => {
    for (let defect = next(); defect !== undefined; defect = next()) {
      const failures = await failuresOf(folder, defect.breaks.join('|'), plantedDefects.indexOf(defect) + 1);
      // The name of a test can hold several ids; what it says first is the property.
      const broken = failures.map(([name, reason]) => /\b[IJ]\d/.exec(reason)?.[0] ?? /[A-Z]\d/.exec(name)?.[0] ?? name);
      const fate = {
        defect,
        noticed: broken.some((property) => defect.breaks.includes(property)),
        said: failures.map(([name, reason]) => reason || name).join('; '),
      };
      told(fate);
      fates.push(fate);
    }
  });
  return fates;
}
