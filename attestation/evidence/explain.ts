/** A report in words: one line that says what was decided, why and what to do, and where each check comes from. */
import { errorEntry } from '#protocol/errors/registry.ts';
import { earCheckSources } from '../ear/check-sources.ts';
import { evidenceCheckSources, sgxCheckSources, tdxCheckSources } from '../intel/check-sources.ts';
import { gpuCheckSources } from '../nvidia/check-sources.ts';
import { nrasCheckSources } from '../nvidia/eat/check-sources.ts';
import { rimCheckSources } from '../nvidia/rim/check-sources.ts';
import { snpCheckSources } from '../snp/check-sources.ts';
import type { EvidenceReport } from './report.ts';

/** Explains a report. The advice is that of the code's entry in the registry. */
export function explainReport({ verified, validated, simulated, checks, code, reason }: EvidenceReport): string {
  const count = (wanted: string): number => checks.filter(({ status }) => status === wanted).length;
  if (code === undefined || (verified && validated))
    return `accepted${simulated ? ', as simulated hardware' : ''}: ${count('proven')} checks proven, ${count('unknown')} not made`;
  const at = checks.find((check) => check.code === code && check.status === 'refuted')?.id;
  const where = at === undefined ? '' : ` at ${at}`;
  return `refused with ${code}${where}: ${reason ?? 'no reason is given'}. ${errorEntry(code).doc}`;
}

const shared = [evidenceCheckSources, rimCheckSources, nrasCheckSources, earCheckSources];
const ofKind = { tdx: [tdxCheckSources], sgx: [sgxCheckSources], snp: [snpCheckSources], nvidia: [gpuCheckSources] } as const;

/** Document and place that a check comes from; null for a check that has none. Kinds share ids, so the report's kind decides. */
export function checkSourceOf(kind: EvidenceReport['kind'], id: string): string | null {
  const tables: readonly Readonly<Record<string, string>>[] = [...(kind === null ? [] : ofKind[kind]), ...shared];
  return tables.find((table) => Object.hasOwn(table, id))?.[id] ?? null;
}
