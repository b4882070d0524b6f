/** Which characters of the project's modules ran, from V8's own counts. */
import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';
import { pathOf } from './fresh-modules.ts';

/** Whether the code at an offset of a file (a path from the root) ran. */
export type Executed = (file: string, offset: number) => boolean;

/** The innermost range around the offset decides. */
function ran(ranges: readonly Profiler.CoverageRange[], offset: number): boolean {
  let innermost: Profiler.CoverageRange | undefined;
  for (const range of ranges) {
    if (range.startOffset > offset || range.endOffset <= offset) continue;
    if (innermost === undefined || range.endOffset - range.startOffset <= innermost.endOffset - innermost.startOffset)
      innermost = range;
  }
  return innermost !== undefined && innermost.count > 0;
}

/** Starts counting in this process, in modules loaded from now on. @returns what ran in the modules of a load since it was last asked */
export function countExecution(): (load: number) => Executed {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return (load) => {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error;
      taken = coverage.result;
    });
    const byFile = new Map<string, readonly Profiler.CoverageRange[]>();
    for (const { url, functions } of taken) {
      const path = pathOf(url, load);
      if (path !== null)
        byFile.set(
          path,
          functions.flatMap(({ ranges }) => ranges),
        );
    }
    return (file, offset) => ran(byFile.get(file) ?? [], offset);
  };
}
