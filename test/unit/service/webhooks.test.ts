import assert from 'node:assert/strict';
import { throwsCode } from '#test/unit/assert-code.ts';
import { checkWebhookUrl, isPublicAddress, publicLookup } from '#service/webhooks/address.ts';

describe('service: webhook addresses', () => {
  const notPublic = [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '2001:db8::1',
  ];
  for (const address of notPublic) it(`do not count ${address} as public`, () => assert.equal(isPublicAddress(address), false));
  for (const address of ['1.1.1.1', '8.8.8.8', '2606:4700:4700::1111'])
    it(`count ${address} as public`, () => assert.equal(isPublicAddress(address), true));

  const refused = [
    'http://example.org/x',
    'https://user:pass@example.org/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'ftp://example.org/',
    'nonsense',
    'https://example.org/#x',
  ];
  for (const url of refused)
    it(`refuse ${url}`, () => {
      throwsCode(() => checkWebhookUrl(url, false), 'STUN_WEBHOOK_URL');
    });

  it('take https', () => {
    assert.equal(checkWebhookUrl('https://example.org/hook?a=1', false).host, 'example.org');
  });

  it('refuse a name that leads to this machine when it is resolved', async () => {
    const error = await new Promise<unknown>((resolve) => {
      publicLookup(false)('localhost', { all: true }, (failure) => resolve(failure));
    });
    assert.equal((error as { code: string }).code, 'STUN_WEBHOOK_URL');
  });
});
