import assert from 'node:assert/strict';
import { assessTdx, collateralKeyOf, parseTdxQuote } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { defaultHttpLimits } from '#collateral/http.ts';
import { createPcsSource, intelPcs } from '#collateral/pcs-source.ts';
import { rejectsCode } from '../assert-code.ts';
import { answers, atUnix, key, machine, published, recorded } from './fetched-collateral.ts';

const unreachable = (): Response => {
  throw new TypeError('fetch failed');
};

describe('collateral over HTTP', () => {
  it('asks the paths of the PCS and gives collateral that verifies as it came', async () => {
    const dependencies = recorded(answers());
    const quote = machine.quote(new Uint8Array(64));
    assert.deepEqual(collateralKeyOf(parseTdxQuote(quote)), key);
    const collateral = await createPcsSource(intelPcs, dependencies).tdxCollateral(key);
    assert.deepEqual(collateral, published);
    assert.deepEqual(dependencies.urls.toSorted(), [
      'https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
      'https://api.trustedservices.intel.com/tdx/certification/v4/qe/identity?update=standard',
      'https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=53494d000001&update=standard',
      'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der',
    ]);
    assert.equal(assessTdx({ quote, collateral, atUnix, roots: [machine.root], policy: simulatedPolicy }).failure, null);
  });

  it('asks a PCCS for its own root CRL, which comes as hex', async () => {
    const dependencies = recorded(answers());
    const pccs = createPcsSource(
      { baseUrl: 'https://pccs.example:8081', rootCrl: { kind: 'pccs' }, update: 'early' },
      dependencies,
    );
    assert.deepEqual(await pccs.tdxCollateral(key), published);
    assert.ok(dependencies.urls.includes('https://pccs.example:8081/sgx/certification/v4/rootcacrl'));
    assert.ok(dependencies.urls.includes('https://pccs.example:8081/tdx/certification/v4/qe/identity?update=early'));
  });

  it('tries again with growing pauses and honours Retry-After', async () => {
    const replies = answers();
    const good = replies.get('/tdx/certification/v4/tcb');
    assert.ok(good !== undefined);
    const queue = [
      () => new Response('', { status: 503 }),
      () => new Response('', { status: 429, headers: { 'retry-after': '3' } }),
      unreachable,
      good,
    ];
    replies.set('/tdx/certification/v4/tcb', () => (queue.shift() ?? good)());
    const dependencies = recorded(replies);
    assert.deepEqual(await createPcsSource(intelPcs, dependencies).tdxCollateral(key), published);
    assert.deepEqual(dependencies.pausesMs, [500, 3000, 2000]);
  });

  it('gives up after the last try', async () => {
    const replies = answers();
    replies.delete('/IntelSGXRootCA.der');
    const dependencies = recorded(replies);
    await rejectsCode(createPcsSource(intelPcs, dependencies).tdxCollateral(key), 'STUN_COLLATERAL_UNAVAILABLE');
    assert.equal(dependencies.urls.filter((url) => url.endsWith('.der')).length, defaultHttpLimits.attempts);
  });

  it('says that a platform is unknown, and asks once', async () => {
    const replies = answers().set('/tdx/certification/v4/tcb', () => new Response('', { status: 404 }));
    const dependencies = recorded(replies);
    await rejectsCode(createPcsSource(intelPcs, dependencies).tdxCollateral(key), 'STUN_COLLATERAL_NOT_FOUND');
    assert.equal(dependencies.urls.filter((url) => url.includes('/tcb')).length, 1);
  });

  for (const [name, path, reply] of [
    ['a refusal', '/tdx/certification/v4/tcb', () => new Response('', { status: 401 })],
    ['TCB Info without a signature', '/tdx/certification/v4/tcb', () => new Response('{"tcbInfo":{}}')],
    [
      'TCB Info without a chain',
      '/tdx/certification/v4/tcb',
      () => new Response(`{"tcbInfo":{},"signature":"${'0'.repeat(128)}"}`),
    ],
    [
      'a chain that is no PEM',
      '/sgx/certification/v4/pckcrl',
      () => new Response(Uint8Array.of(0x30, 0), { headers: { 'SGX-PCK-CRL-Issuer-Chain': 'x' } }),
    ],
    [
      'a chain that is not URL-encoded',
      '/sgx/certification/v4/pckcrl',
      () => new Response(Uint8Array.of(0x30, 0), { headers: { 'SGX-PCK-CRL-Issuer-Chain': '%zz' } }),
    ],
    ['a CRL that is a page', '/IntelSGXRootCA.der', () => new Response('<html>')],
    ['an answer that is too large', '/IntelSGXRootCA.der', () => new Response(new Uint8Array(defaultHttpLimits.maxBytes + 1))],
  ] as const) {
    it(`refuses ${name}`, async () => {
      await rejectsCode(
        createPcsSource(intelPcs, recorded(answers().set(path, reply))).tdxCollateral(key),
        'STUN_COLLATERAL_RESPONSE',
      );
    });
  }

  it('refuses a key that would not fit a URL', async () => {
    await rejectsCode(createPcsSource(intelPcs, recorded(answers())).tdxCollateral({ ...key, fmspc: '../../x' }), 'STUN_INPUT');
  });

  it('stops when it is aborted', async () => {
    const aborted = AbortSignal.abort(new Error('stopped'));
    const dependencies = {
      ...recorded(new Map()),
      fetch: (_url: unknown, init?: RequestInit) => Promise.reject(init?.signal?.reason as Error),
    };
    await assert.rejects(createPcsSource(intelPcs, dependencies).tdxCollateral(key, aborted), /stopped/);
  });
});
