/**
 * Writes docs/api/openapi.json from the routes, or checks with `--check` that the file is what they give.
 * The routes are only described here, never served: nothing behind them is opened.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { attestorRoutes } from '../composition/attestor.ts';
import type { Route } from '../http/route.ts';
import { apiRoutes } from '../routes/index.ts';
import type { Services } from '../services.ts';
import type { AttestorParts } from '../attestor/approve.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { openApiDocument } from './document.ts';

/** The file of the document. */
export const openApiPath = fileURLToPath(new URL('../../docs/api/openapi.json', import.meta.url));

/** The routes of all roles, each operation once. */
export function describedRoutes(): readonly Route[] {
  // Building routes reads nothing but the place of the store; handlers would, and none is called.
  const services = { db: { sql: undefined } } as unknown as Services;
  const all = [...apiRoutes(services), ...attestorRoutes({} as AttestorParts, createMetrics())];
  return all.filter((route, i) => all.findIndex((other) => other.operationId === route.operationId) === i);
}

/** The text of the file. */
export function openApiText(): string {
  return `${JSON.stringify(openApiDocument(describedRoutes()), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = openApiText();
  const operations = describedRoutes().length;
  if (!process.argv.includes('--check')) {
    writeFileSync(openApiPath, text);
    process.stdout.write(`wrote ${operations} operations\n`);
  } else if (readFileSync(openApiPath, 'utf8') === text) {
    process.stdout.write(`1 generated file is fresh: ${operations} operations\n`);
  } else {
    process.stderr.write('docs/api/openapi.json is not what the routes give: run node verifier-service/openapi/write.ts\n');
    process.exitCode = 1;
  }
}
