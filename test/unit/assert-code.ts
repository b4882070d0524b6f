/** Asserts on stable codes: the one way tests look at errors. */
import assert from 'node:assert/strict';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';

function check(thrown: unknown, code: ErrorCode): void {
  assert.ok(thrown instanceof StunError, `expected ${code}, got ${String(thrown)}`);
  assert.equal(thrown.code, code, `expected ${code}, got ${thrown.code}: ${thrown.message}`);
}

/** The call throws a StunError of exactly this code. */
export function throwsCode(call: () => unknown, code: ErrorCode): void {
  let thrown: unknown;
  let returned = false;
  try {
    call();
    returned = true;
  } catch (error) {
    thrown = error;
  }
  assert.ok(!returned, `expected ${code}, but nothing was thrown`);
  check(thrown, code);
}

/** The promise rejects with a StunError of exactly this code. */
export async function rejectsCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  let thrown: unknown;
  let resolved = false;
  try {
    await promise;
    resolved = true;
  } catch (error) {
    thrown = error;
  }
  assert.ok(!resolved, `expected ${code}, but the promise resolved`);
  check(thrown, code);
}
