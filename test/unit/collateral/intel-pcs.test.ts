import assert from 'node:assert/strict';
import { assessSgx, assessTdx, collateralKeyOf, parseSgxQuote, parseTdxQuote, pckRequestOf } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { defaultHttpLimits } from '#collateral/http.ts';
import { intelCollateral, intelPcs, pccsAt, pckCertificate } from '#collateral/intel-pcs.ts';
import type { IntelCollateralDocument } from '#collateral/intel-pcs.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { acceptedSgxQuote, sgxMachine, sgxPolicyWith } from '../attestation/sgx-fixture.ts';
import { pki, reportData } from '../attestation/simulated-fixture.ts';
import { answers, atUnix, familyCollateral, key, machine, published, recorded } from './fetched-collateral.ts';

const unreachable = (): Response => {
  throw new TypeError('fetch failed');
};

describe('collateral over HTTP', () => {
  it('asks the paths of the PCS and gives collateral that verifies as it came', async () => {
    const dependencies = recorded(answers());
    const quote = machine.quote(new Uint8Array(64));
    assert.deepEqual({ tee: 'tdx', ...collateralKeyOf(parseTdxQuote(quote)) }, key);
    const collateral = await familyCollateral(dependencies).fetch();
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
    const pccs = intelCollateral({ ...pccsAt('https://pccs.example:8081'), update: 'early' }, dependencies, key);
    assert.deepEqual(await pccs.fetch(), published);
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
    assert.deepEqual(await familyCollateral(dependencies).fetch(), published);
    assert.deepEqual(dependencies.pausesMs, [500, 3000, 2000]);
  });

  it('gives up after the last try', async () => {
    const replies = answers();
    replies.delete('/IntelSGXRootCA.der');
    const dependencies = recorded(replies);
    await rejectsCode(familyCollateral(dependencies).fetch(), 'STUN_COLLATERAL_UNAVAILABLE');
    assert.equal(dependencies.urls.filter((url) => url.endsWith('.der')).length, defaultHttpLimits.attempts);
  });

  it('says that a platform is unknown, and asks once', async () => {
    const replies = answers().set('/tdx/certification/v4/tcb', () => new Response('', { status: 404 }));
    const dependencies = recorded(replies);
    await rejectsCode(familyCollateral(dependencies).fetch(), 'STUN_COLLATERAL_NOT_FOUND');
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
      await rejectsCode(familyCollateral(recorded(answers().set(path, reply))).fetch(), 'STUN_COLLATERAL_RESPONSE');
    });
  }

  it('refuses a key that would not fit a URL', () => {
    throwsCode(() => intelCollateral(intelPcs, recorded(answers()), { ...key, fmspc: '../../x' }), 'STUN_INPUT');
  });

  it('stops when it is aborted', async () => {
    const aborted = AbortSignal.abort(new Error('stopped'));
    const dependencies = {
      ...recorded(new Map()),
      fetch: (_url: unknown, init?: RequestInit) => Promise.reject(init?.signal?.reason as Error),
    };
    await assert.rejects(familyCollateral(dependencies).fetch(aborted), /stopped/);
  });
});

describe('collateral of SGX over HTTP', () => {
  it('comes from the paths of SGX and verifies as it came', async () => {
    const enclave = sgxMachine();
    const dependencies = recorded(answers(enclave.collateral as IntelCollateralDocument, 'sgx'));
    const named = { tee: 'sgx', ...collateralKeyOf(parseSgxQuote(acceptedSgxQuote)) } as const;
    const collateral = await intelCollateral(intelPcs, dependencies, named).fetch();
    assert.deepEqual(collateral, enclave.collateral);
    assert.ok(dependencies.urls.every((url) => !url.includes('/tdx/')));
    const policy = sgxPolicyWith({});
    assert.equal(assessSgx({ quote: acceptedSgxQuote, collateral, atUnix, roots: [pki.root], policy }).failure, null);
  });
});

describe('PCK certificates over HTTP', () => {
  const named = (certificationType: 1 | 2 | 3): ReturnType<typeof sgxMachine> => sgxMachine({ certificationType });
  const requestOf = (type: 1 | 2 | 3): NonNullable<ReturnType<typeof pckRequestOf>> => {
    const request = pckRequestOf(parseSgxQuote(named(type).quote(reportData)));
    assert.ok(request !== null);
    return request;
  };
  const chain = named(3).collateral.pck_certificate_chain ?? '';
  const [leaf = '', ...authorities] = chain.split(/(?=-----BEGIN)/);
  const path = '/sgx/certification/v4/pckcert';
  const reply = (body: string, header = authorities.join('')): (() => Response) => {
    return () => new Response(body, { headers: { 'SGX-PCK-Certificate-Issuer-Chain': encodeURIComponent(header) } });
  };

  it('are asked of Intel by the encrypted PPID, with the key of a subscriber', async () => {
    const dependencies = recorded(new Map([[path, reply(leaf)]]));
    const request = requestOf(3);
    const found = await pckCertificate({ ...intelPcs, subscriptionKey: 'secret' }, dependencies, request).fetch();
    const quote = parseSgxQuote(named(3).quote(reportData));
    const { fmspc, pckCa } = key;
    assert.deepEqual(collateralKeyOf(quote, found.pck_certificate_chain), { fmspc, pckCa });
    const { cpuSvn, encryptedPpid } = request;
    const query = `encrypted_ppid=${encryptedPpid}&cpusvn=${cpuSvn}&pcesvn=0d00&pceid=0000`;
    assert.deepEqual(dependencies.urls, [`https://api.trustedservices.intel.com${path}?${query}`]);
    assert.deepEqual(dependencies.requests[0]?.headers, { 'ocp-apim-subscription-key': 'secret' });
  });

  it('are asked of a PCCS by the quoting enclave, whatever the PPID looks like', async () => {
    for (const type of [1, 2, 3] as const) {
      const dependencies = recorded(new Map([[path, reply(leaf)]]));
      const found = pckCertificate(pccsAt('http://pccs.example:8081'), dependencies, requestOf(type));
      assert.equal((await found.fetch()).pck_certificate_chain, `${leaf.trimEnd()}\n${authorities.join('')}`);
      const url = new URL(dependencies.urls[0] ?? '');
      assert.equal(url.searchParams.get('qeid'), Buffer.from('STUN SIMULATED\0\0').toString('hex'));
      assert.equal(url.searchParams.has('encrypted_ppid'), type === 3);
    }
  });

  it('cannot be found by Intel for a PPID in another form', () => {
    for (const type of [1, 2] as const)
      throwsCode(() => pckCertificate(intelPcs, recorded(new Map()), requestOf(type)), 'STUN_PCK_MISSING');
    throwsCode(() => pckCertificate(intelPcs, recorded(new Map()), { ...requestOf(3), qeId: '../' }), 'STUN_INPUT');
  });

  it('are not asked for when the quote carries its own', () => {
    assert.equal(pckRequestOf(parseSgxQuote(acceptedSgxQuote)), null);
    throwsCode(() => collateralKeyOf(parseSgxQuote(named(3).quote(reportData))), 'STUN_PCK_MISSING');
  });

  for (const [name, answer] of [
    ['no certificate', reply('<html>')],
    ['two certificates', reply(chain)],
    ['a certificate cut short', reply(leaf.replace(/.{8}(?=\s*-----END)/s, ''))],
    ['no authorities', reply(leaf, leaf)],
    ['no header', () => new Response(leaf)],
  ] as const) {
    it(`refuses an answer with ${name}`, async () => {
      const found = pckCertificate(intelPcs, recorded(new Map([[path, answer]])), requestOf(3));
      await rejectsCode(found.fetch(), 'STUN_COLLATERAL_RESPONSE');
    });
  }
});
