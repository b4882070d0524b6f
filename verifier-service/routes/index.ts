/** All routes of a role. */
import type { Route } from '../http/route.ts';
import { openApiDocument } from '../openapi/document.ts';
import type { Services } from '../services.ts';
import { renderMetrics } from '../telemetry/store-gauges.ts';
import { accountRoutes } from './accounts.ts';
import { auditRoutes } from './audit.ts';
import { enclaveRoutes } from './enclaves.ts';
import { evidenceRoutes } from './evidence.ts';
import { jobRoutes } from './jobs.ts';
import { chainCheck, databaseCheck, operationRoutes, quoteCheck, type ReadinessCheck } from './operations.ts';
import { orderRoutes } from './orders.ts';
import { segmentRoutes } from './segments.ts';
import { webhookRoutes } from './webhooks.ts';
import { workerRoutes } from './worker.ts';

/** The routes of the roles `all` and `api`. @param more - what readiness of this process needs besides */
export function apiRoutes(services: Services, more: readonly ReadinessCheck[] = []): readonly Route[] {
  const routes: Route[] = [
    ...accountRoutes(services),
    ...evidenceRoutes(services),
    ...enclaveRoutes(services),
    ...orderRoutes(services),
    ...jobRoutes(services),
    ...workerRoutes(services),
    ...segmentRoutes(services),
    ...auditRoutes(services),
    ...webhookRoutes(services),
  ];
  const checks = [databaseCheck(services), chainCheck(services), quoteCheck(services), ...more];
  let document: object | undefined;
  routes.push(
    ...operationRoutes(
      checks,
      () => renderMetrics(services),
      () => (document ??= openApiDocument(routes)),
    ),
  );
  return routes;
}

/** The routes of `prover` and `settler`: their state, nothing else. @param more - as of {@link apiRoutes} */
export function stateRoutes(services: Services, more: readonly ReadinessCheck[] = []): readonly Route[] {
  const checks = [databaseCheck(services), chainCheck(services), ...more];
  let document: object | undefined;
  const routes = operationRoutes(
    checks,
    () => renderMetrics(services),
    () => (document ??= openApiDocument(routes)),
  );
  return routes;
}
