/**
 * A stage for whole workers: a development chain with deployed contracts, attestors that verify evidence and sign approvals, and a
 * service of the test's own that signs providers in and hands out jobs. The worker on it is the real one.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyEvidence, parsePolicy, canonicalPolicyJson, type Policy } from '#attestation/index.ts';
import { createSimulatedPki, exportSimulatedPki, type SimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { contractsOf, type Deployment, type StunContracts } from '#chain/deployment.ts';
import { startDevChain, type DevChain } from '#chain/dev-chain.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import {
  bytesToBigInt,
  fieldToHex,
  fromHex,
  generateEddsaKeyPair,
  hardwareIdHashOf,
  keysetDigestOf,
  orderDomainOf,
  orderIdOf,
  parseKeyset,
  policyIdOf,
  randomField,
  recoverEip712,
  settlementBundleFromWire,
  signEip712,
  toHex,
  utf8,
  type Hex,
  type ReceiptRecordWire,
  type SettlementBundle,
} from '#protocol/index.ts';
import type { SentJob } from '../../unit/worker/fixtures.ts';
import type { TestOrder } from '../../unit/protocol/fixtures.ts';
import { deployRecorded } from '#test/contracts/recorded-deployment.ts';

const FUNDER = 1;
const PROVIDER = 2;
const ATTESTORS = [3, 4, 5];

/** Reads a whole request body. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function answer(
  response: ServerResponse,
  status: number,
  body?: object | Uint8Array,
  headers: Record<string, string> = {},
): void {
  const bytes = body instanceof Uint8Array ? body : body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  response.writeHead(status, headers).end(bytes);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What an attestor does wrong; one thing at a time. */
export interface AttestorFault {
  readonly approval?: Readonly<Record<string, unknown>>;
  readonly secretKey?: Uint8Array;
  readonly status?: number;
}

/** What a worker asks an attestor. */
interface AttestationBody {
  readonly keyset: Hex;
  readonly evidence: string;
  readonly policy: Parameters<typeof parsePolicy>[0];
  readonly expiresAtUnix: number;
}

interface QueuedJob {
  readonly sent: SentJob;
  leaseId?: string;
}

/** A finished job as the service got it. */
export interface CompletedJob {
  readonly record: ReceiptRecordWire;
  readonly sealedResult: Uint8Array;
}

/** The service of the test. */
export class StageService {
  readonly #server: Server;
  url = '';
  readonly listings: Record<string, unknown>[] = [];
  readonly delisted: string[] = [];
  readonly queue: QueuedJob[] = [];
  readonly openings = new Map<string, Uint8Array>();
  readonly completed = new Map<string, CompletedJob>();
  readonly declined = new Map<string, string>();
  readonly bundles: SettlementBundle[] = [];
  readonly quotes: string[] = [];
  quoteNonce: string | undefined;
  /** Answers 503 to these paths. */
  down: RegExp | undefined;
  /** Paths that got that answer. */
  readonly refused: string[] = [];
  /** Called before a lease is handed out. */
  onLease: (() => void) | undefined;
  readonly #tokens = new Map<string, string>();
  readonly #account: Hex;

  constructor(account: Hex) {
    this.#account = account;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => answer(response, 500, { error: String(error) }));
    });
  }

  async start(): Promise<void> {
    this.url = await listen(this.#server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = await bodyOf(request);
    if (this.down?.test(path) === true) {
      this.refused.push(path);
      return answer(response, 503);
    }
    const json = (): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;
    if (path === '/v1/session/challenges') return answer(response, 201, this.#challenge());
    if (path === '/v1/sessions') return this.#signIn(json(), response);
    const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
    if (this.#tokens.get(token) !== this.#account) return answer(response, 401, { code: 'STUN_SIGNATURE' });
    const [, , , , id = ''] = path.split('/');
    if (path === '/v1/enclaves') this.listings.push(json());
    else if (path.startsWith('/v1/enclaves/')) this.delisted.push(path.split('/')[3]!);
    else if (path === '/v1/worker/leases') return this.#lease(response);
    else if (path.endsWith('/payload')) return answer(response, 200, this.queue.find((job) => job.leaseId === id)!.sent.envelope);
    else if (path.startsWith('/v1/worker/openings/')) {
      const opening = this.openings.get(id);
      return opening === undefined ? answer(response, 404, { code: 'STUN_NOT_FOUND' }) : answer(response, 200, opening);
    } else if (path.endsWith('/complete')) this.#complete(id, body);
    else if (path.endsWith('/decline')) this.declined.set(this.#finish(id), String(json()['code']));
    else if (path === '/v1/worker/segments') {
      this.bundles.push(settlementBundleFromWire(json()['bundle']));
      return answer(response, 201, { segmentId: String(this.bundles.length) });
    } else if (path === '/v1/worker/quotes') {
      this.quotes.push(String(json()['evidence']));
      this.quoteNonce = undefined;
    }
    answer(response, 200, {});
  }

  #challenge(): object {
    const issuedAtUnix = Math.floor(Date.now() / 1000);
    return { audience: this.url, nonce: toHex(randomBytes(32)), issuedAtUnix, expiresAtUnix: issuedAtUnix + 300 };
  }

  #signIn(body: Record<string, unknown>, response: ServerResponse): void {
    const text = (name: string): string => String(body[name]);
    const signer = recoverEip712(
      'SignIn',
      { chainId: 31337n, verifyingContract: `0x${'00'.repeat(20)}` },
      {
        account: text('account'),
        audience: text('audience'),
        nonce: text('nonce'),
        issuedAt: BigInt(text('issuedAtUnix')),
        expiresAt: BigInt(text('expiresAtUnix')),
      },
      text('signature'),
    );
    const token = randomUUID();
    this.#tokens.set(token, signer);
    answer(response, 200, { token, expiresAtUnix: Math.floor(Date.now() / 1000) + 3600 });
  }

  #lease(response: ServerResponse): void {
    const headers: Record<string, string> = this.quoteNonce === undefined ? {} : { 'stun-quote-nonce': this.quoteNonce };
    this.onLease?.();
    const next = this.queue[0];
    if (next === undefined) {
      // A short poll in place of a long one, so that tests stay quick.
      setTimeout(() => answer(response, 204, undefined, headers), 20);
      return;
    }
    next.leaseId = randomUUID();
    const expiresAtUnix = Math.floor(Date.now() / 1000) + 60;
    answer(
      response,
      200,
      { leaseId: next.leaseId, jobId: fieldToHex(next.sent.head), header: next.sent.wire, expiresAtUnix },
      headers,
    );
  }

  #complete(leaseId: string, frame: Buffer): void {
    const length = Number(bytesToBigInt(frame.subarray(0, 4)));
    const { record } = JSON.parse(frame.subarray(4, 4 + length).toString()) as { record: ReceiptRecordWire };
    this.completed.set(record.receipt.demandHead, { record, sealedResult: new Uint8Array(frame.subarray(4 + length)) });
    this.#finish(leaseId);
  }

  #finish(leaseId: string): string {
    const index = this.queue.findIndex((job) => job.leaseId === leaseId);
    const [job] = index < 0 ? [] : this.queue.splice(index, 1);
    return job === undefined ? '' : fieldToHex(job.sent.head);
  }
}

/** Everything. */
export interface Stage {
  readonly chain: DevChain;
  readonly deployment: Deployment;
  readonly contracts: StunContracts;
  readonly service: StageService;
  readonly attestorUrls: readonly string[];
  /** By attestor. */
  readonly faults: Map<number, AttestorFault>;
  readonly pki: SimulatedPki;
  readonly policy: Policy;
  readonly provider: Hex;
  readonly folder: string;
  /** Settings of a worker on this stage, to be changed one at a time. */
  readonly settings: (models: readonly { modelPath: string; manifestPath: string }[]) => Record<string, unknown>;
  /** Opens an order on chain for the stage's provider. */
  readonly openOrder: (modelId: bigint, change?: { segmentLength?: number; budget?: bigint }) => Promise<TestOrder>;
  readonly close: () => Promise<void>;
}

/** Starts a stage. */
export async function startStage(): Promise<Stage> {
  const chain = await startDevChain();
  const account = (index: number): Hex => chain.accounts[index]!.address;
  const deployment = await deployRecorded(chain, {
    attestors: ATTESTORS.map(account),
    threshold: 2,
    feeBps: 100,
    feeAccount: account(9),
    guardian: account(8),
  });
  const pki = createSimulatedPki();
  const policy = parsePolicy(canonicalPolicyJson(simulatedPolicy));
  const faults = new Map<number, AttestorFault>();
  const attestors = ATTESTORS.map((index) => attestorServer(chain, deployment, pki, index, () => faults.get(index)));
  const attestorUrls = await Promise.all(attestors.map(listen));
  const service = new StageService(account(PROVIDER));
  await service.start();
  const folder = await mkdtemp(join(tmpdir(), 'stun-stage-'));
  await writeFile(join(folder, 'deployment.json'), JSON.stringify(deployment));
  await writeFile(join(folder, 'pki.json'), exportSimulatedPki(pki));
  await writeFile(join(folder, 'policy.json'), canonicalPolicyJson(policy));
  const contracts = contractsOf(deployment, chain.wallet(FUNDER));

  const openOrder = async (modelId: bigint, change: { segmentLength?: number; budget?: bigint } = {}): Promise<TestOrder> => {
    const terms = {
      assurance: 0,
      publicModelId: 0n,
      settlementFamily: deployment.families[0]!.family,
      inferenceFamily: `0x${'00'.repeat(32)}`,
      segmentLength: change.segmentLength ?? 16,
      feeBps: 100,
      priceScale: 10n ** 9n,
      challengeWindowSeconds: 0,
      answerPeriodSeconds: 0,
      bond: 0n,
      slash: 0n,
      challenger: NATIVE_TOKEN,
    };
    const place = { chainId: 31337n, escrow: deployment.escrow, funder: account(FUNDER), token: NATIVE_TOKEN };
    const demandKey = generateEddsaKeyPair();
    const opening = {
      domain: orderDomainOf(place, terms),
      demandKey: demandKey.publicKey,
      modelId,
      policyId: policyIdOf(utf8(canonicalPolicyJson(policy))),
      salt: randomField(),
    };
    const orderId = orderIdOf(opening);
    await contracts.escrow.open(place, {
      orderId,
      token: NATIVE_TOKEN,
      deadlineUnix: (await chain.nowUnix()) + 86_400,
      graceSeconds: 86_400,
      terms,
      budgets: [{ provider: account(PROVIDER), amount: change.budget ?? 10n ** 15n }],
    });
    return { place, terms, opening, orderId, demandKey };
  };

  return {
    chain,
    deployment,
    contracts,
    service,
    attestorUrls,
    faults,
    pki,
    policy,
    provider: account(PROVIDER),
    folder,
    settings: (models) => ({
      serviceUrl: service.url,
      attestorUrls,
      rpcUrl: chain.url,
      deploymentPath: join(folder, 'deployment.json'),
      providerKey: chain.accounts[PROVIDER]!.privateKey,
      platform: 'simulated',
      simulatedPkiPath: join(folder, 'pki.json'),
      policyPath: join(folder, 'policy.json'),
      models: models.map((model) => ({ ...model, price: '700' })),
      storePath: join(folder, `${randomUUID()}.sqlite`),
      leaseWaitMs: 0,
      requestTimeoutMs: 10_000,
      logLevel: 'silent',
    }),
    openOrder,
    close: async () => {
      await service.close();
      for (const server of attestors) {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      }
      await chain.close();
    },
  };
}

function attestorServer(
  chain: DevChain,
  deployment: Deployment,
  pki: SimulatedPki,
  index: number,
  fault: () => AttestorFault | undefined,
): Server {
  const { address, privateKey } = chain.accounts[index]!;
  return createServer((request, response) => {
    void bodyOf(request).then((body) => {
      try {
        const { keyset, evidence, policy, expiresAtUnix } = JSON.parse(body.toString()) as AttestationBody;
        const wrong = fault();
        if (wrong?.status !== undefined) return answer(response, wrong.status, { code: 'STUN_POLICY_DEBUG', detail: 'refused' });
        const keysetBytes = fromHex(keyset);
        const parsed = parsePolicy(policy);
        const verified = verifyEvidence(utf8(evidence), {
          atUnix: Math.floor(Date.now() / 1000),
          roots: [pki.root],
          policy: parsed,
          keysetDigest: keysetDigestOf(keysetBytes),
        });
        const approval = {
          provider: parseKeyset(keysetBytes).provider,
          keysetDigest: toHex(keysetDigestOf(keysetBytes)),
          policyId: fieldToHex(policyIdOf(utf8(canonicalPolicyJson(parsed)))),
          hardwareIdHash: fieldToHex(hardwareIdHashOf(verified.platformCode, verified.hardwareId)),
          platform: verified.platformCode,
          expiresAtUnix: Number(expiresAtUnix),
          evidenceDigest: toHex(verified.evidenceDigest),
          nonce: BigInt(toHex(randomBytes(16))).toString(),
          deadlineUnix: Math.floor(Date.now() / 1000) + 3600,
          ...wrong?.approval,
        };
        const signature = signEip712(
          wrong?.secretKey ?? fromHex(privateKey),
          'EnclaveApproval',
          { chainId: 31337n, verifyingContract: deployment.registry },
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
        return answer(response, 200, { attestor: address, approval, signature });
      } catch (error) {
        return answer(response, 422, { code: (error as { code?: string }).code ?? 'STUN_INTERNAL', detail: String(error) });
      }
    });
  });
}
