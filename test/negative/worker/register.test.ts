/** Approvals that a worker refuses before it spends gas on them: each differs from a good one in one thing. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { fieldToHex, randomField, signEip712, StunError, toHex, utf8, type ErrorCode } from '#protocol/index.ts';
import { checkApproval, collectApprovals, type RegistrationRequest } from '#worker/register.ts';
import { rejectsCode, throwsCode } from '../../unit/assert-code.ts';
import { NOW } from '../../unit/protocol/fixtures.ts';
import { makeKeys, REGISTRY } from '../../unit/worker/fixtures.ts';

const secretKey = new Uint8Array(32).fill(5);
const attestor = toHex(keccak_256(secp256k1.getPublicKey(secretKey, false).subarray(1)).subarray(12));

describe('worker registration', () => {
  let request: RegistrationRequest;
  before(async () => {
    const keys = await makeKeys();
    request = {
      keys,
      evidence: utf8('{"an":"evidence document"}'),
      policy: { version: 1 },
      policyId: randomField(),
      platformCode: 129,
      leafExpiresAtUnix: NOW + 7 * 86400,
    };
  });

  function answer(change: Record<string, unknown> = {}, signWith = secretKey, named = attestor): Record<string, unknown> {
    const approval = {
      provider: request.keys.keyset.provider as string,
      keysetDigest: request.keys.enclaveId as string,
      policyId: fieldToHex(request.policyId) as string,
      hardwareIdHash: fieldToHex(77n) as string,
      platform: 129,
      expiresAtUnix: request.leafExpiresAtUnix,
      evidenceDigest: `0x${createHash('sha256').update(request.evidence).digest('hex')}`,
      nonce: '12345',
      deadlineUnix: NOW + 3600,
      ...change,
    };
    const signature = signEip712(
      signWith,
      'EnclaveApproval',
      { chainId: 31337n, verifyingContract: REGISTRY },
      {
        provider: approval.provider,
        keysetDigest: approval.keysetDigest,
        policyId: BigInt(approval.policyId),
        hardwareIdHash: BigInt(approval.hardwareIdHash),
        platform: BigInt(approval.platform),
        expiresAt: BigInt(approval.expiresAtUnix),
        evidenceDigest: approval.evidenceDigest,
        nonce: BigInt(approval.nonce),
        deadline: BigInt(approval.deadlineUnix),
      },
    );
    return { attestor: named, approval, signature };
  }

  it('takes an approval for exactly what was asked', () => {
    assert.equal(checkApproval(answer(), request).hardwareIdHash, 77n);
  });

  const wrong: readonly [field: string, value: unknown][] = [
    ['provider', `0x${'12'.repeat(20)}`],
    ['keysetDigest', `0x${'12'.repeat(32)}`],
    ['policyId', fieldToHex(5n)],
    ['platform', 1],
    ['expiresAtUnix', NOW + 8 * 86400],
    ['evidenceDigest', `0x${'12'.repeat(32)}`],
  ];
  for (const [field, value] of wrong) {
    it(`refuses an approval for another ${field}`, () => {
      throwsCode(() => checkApproval(answer({ [field]: value }), request), 'STUN_APPROVAL');
      assert.throws(
        () => checkApproval(answer({ [field]: value }), request),
        (error: unknown) => error instanceof StunError && error.details['field'] === field,
      );
    });
  }

  it('refuses an approval that another key signed', () => {
    throwsCode(() => checkApproval(answer({}, new Uint8Array(32).fill(6)), request), 'STUN_APPROVAL');
  });

  it('refuses an answer that is no approval', () => {
    throwsCode(() => checkApproval({ attestor }, request), 'STUN_INPUT');
  });

  describe('with attestors', () => {
    const servers: ReturnType<typeof createServer>[] = [];
    async function serving(status: number, body: () => unknown): Promise<string> {
      const server = createServer((asked, response) => {
        asked.resume();
        asked.on('end', () =>
          response.writeHead(status).end(typeof body() === 'string' ? String(body()) : JSON.stringify(body())),
        );
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }
    after(() => servers.forEach((server) => server.close()));
    const registry = (threshold: number, known: boolean) => ({
      threshold: () => Promise.resolve(threshold),
      isAttestor: () => Promise.resolve(known),
    });

    async function refusalOf(urls: readonly string[], threshold = 1, known = true): Promise<readonly string[]> {
      const collected = collectApprovals(urls, request, registry(threshold, known), 2000);
      await rejectsCode(collected, 'STUN_APPROVAL_QUORUM');
      const error: unknown = await collected.catch((thrown: unknown) => thrown);
      return error instanceof StunError ? (error.details['codes'] as readonly string[]) : [];
    }

    it('collects as many approvals as the registry demands', async () => {
      const urls = [await serving(200, () => answer())];
      assert.equal((await collectApprovals(urls, request, registry(1, true), 2000)).length, 1);
    });

    it('does not count an attestor that the registry does not know', async () => {
      assert.deepEqual(await refusalOf([await serving(200, () => answer())], 1, false), ['STUN_APPROVAL']);
    });

    it('does not count one attestor twice', async () => {
      const url = await serving(200, () => answer());
      await refusalOf([url, url], 2);
    });

    it('does not mix approvals for different hardware', async () => {
      const otherKey = new Uint8Array(32).fill(6);
      const other = toHex(keccak_256(secp256k1.getPublicKey(otherKey, false).subarray(1)).subarray(12));
      const hardware = { hardwareIdHash: fieldToHex(78n) };
      const urls = [await serving(200, () => answer()), await serving(200, () => answer(hardware, otherKey, other))];
      await refusalOf(urls, 2);
    });

    const answers: readonly [name: string, status: number, body: unknown, code: ErrorCode][] = [
      ['its own code for a refusal', 403, { code: 'STUN_POLICY_DEBUG', detail: 'debug' }, 'STUN_POLICY_DEBUG'],
      ['an outage for a status without a code', 500, 'oops', 'STUN_WORKER_SERVICE'],
      ['an outage for an answer that is no JSON', 200, 'hello', 'STUN_WORKER_SERVICE'],
    ];
    for (const [name, status, body, code] of answers) {
      it(`reports ${name}`, async () => {
        assert.deepEqual(await refusalOf([await serving(status, () => body)]), [code]);
      });
    }

    it('reports an outage for an attestor that is not there', async () => {
      assert.deepEqual(await refusalOf(['http://127.0.0.1:9']), ['STUN_WORKER_SERVICE']);
    });
  });
});
