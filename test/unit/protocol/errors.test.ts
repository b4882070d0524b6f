/** Errors: what is thrown anywhere becomes one of ours, and each class ends the command line with its own code. */
import assert from 'node:assert/strict';
import { asStunError, errorEntry, exitCodeOf, isErrorCode, StunError, type ErrorClass } from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';

describe('errors', () => {
  it('keep code, details and cause', () => {
    const cause = new Error('below');
    const error = new StunError('STUN_BUDGET', 'too little', { details: { left: 1 }, cause });
    assert.deepEqual([error.code, error.details, error.cause, error.message], ['STUN_BUDGET', { left: 1 }, cause, 'too little']);
    assert.equal(error.name, 'StunError');
    assert.deepEqual(new StunError('STUN_BUDGET', 'too little').details, {});
    assert.ok(!('cause' in new StunError('STUN_BUDGET', 'too little')));
  });

  it('are internal when they are not ours, with what was thrown as their cause', () => {
    const ours = new StunError('STUN_BUDGET', 'too little');
    assert.equal(asStunError(ours), ours);
    for (const thrown of [new TypeError('x'), 'text', null]) {
      const error = asStunError(thrown);
      assert.deepEqual([error.code, error.cause], ['STUN_INTERNAL', thrown]);
    }
  });

  it('end the command line by their class', () => {
    const codes: readonly [ErrorCode, ErrorClass, exitCode: number][] = [
      ['STUN_INPUT', 'input', 1],
      ['STUN_SIGNATURE', 'verification', 2],
      ['STUN_LANE_LOCKED', 'unavailable', 3],
      ['STUN_EVIDENCE_STALE', 'policy', 4],
      ['STUN_MODEL_MANIFEST', 'config', 5],
      ['STUN_INTERNAL', 'internal', 6],
    ];
    for (const [code, wanted, exitCode] of codes) {
      assert.equal(errorEntry(code).class, wanted);
      assert.equal(exitCodeOf(code), exitCode);
    }
  });

  it('have codes of the registry alone', () => {
    assert.ok(isErrorCode('STUN_INPUT'));
    for (const other of ['', 'STUN_NOTHING', 'toString', '__proto__', 'constructor']) assert.ok(!isErrorCode(other), other);
  });
});
