import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isErrorCode } from '#protocol/errors/registry.ts';
import { describedRoutes, openApiPath, openApiText } from '#service/openapi/write.ts';

describe('service: OpenAPI', () => {
  const document = JSON.parse(openApiText()) as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; responses: Record<string, { description: string }> }>>;
  };

  it('is what docs/api/openapi.json holds', () => {
    assert.equal(readFileSync(openApiPath, 'utf8'), openApiText(), 'run node verifier-service/openapi/write.ts');
  });

  it('describes every route, each under an id of its own', () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path).map((one) => one.operationId));
    assert.equal(operations.length, describedRoutes().length);
    assert.equal(new Set(operations).size, operations.length);
    assert.ok(operations.length > 35);
    assert.match(document.openapi, /^3\.1\./);
  });

  it('names only codes of the registry', () => {
    let count = 0;
    for (const path of Object.values(document.paths)) {
      for (const { responses } of Object.values(path)) {
        for (const { description } of Object.values(responses)) {
          for (const code of description.match(/\bSTUN_[A-Z0-9_]+/g) ?? []) {
            assert.ok(isErrorCode(code), code);
            count++;
          }
        }
      }
    }
    assert.ok(count > 300, `${count} codes`);
  });
});
