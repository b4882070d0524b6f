/**
 * Every command that README and docs show in an `sh` block, and what runs it. test/meta/doc-commands.test.ts holds this list and the
 * documents together; `.ci/run` runs those marked `ci`, in this order, from the root of the checkout.
 */

/** How a documented command is known to work. */
export type Proof =
  /** `.ci/run` runs it as it stands and wants exit status 0 within the limit, and every line that `says` describes in its output. */
  | { readonly ci: { readonly limitMinutes: number; readonly says?: readonly RegExp[] } }
  /** It is a step of `.ci/run` itself. */
  | { readonly step: 'check' | 'test' }
  /** A test runs the same command with values of its own. */
  | { readonly test: string }
  /** It cannot run here; the document says so beside it. */
  | { readonly notRun: string };

/** The command as the document shows it, one line, continuation lines joined. */
export interface DocumentedCommand {
  readonly command: string;
  readonly proof: Proof;
}

/**
 * What the demonstration must say before it ends: that the native backend proves, that proofs of answers were paid and a liar slashed, that money settled and that nothing of the order is left
 * in escrow, that the exported bundle holds offline and against the chain, and how to go on.
 */
const demonstrationEnd = [
  /, proofs by native \((?:ifma|adx|portable)\)$/m,
  /^ +proven +4 jobs, settled with 4 inference proofs +[\d,]+ gas +paid$/m,
  /^ +challengeable +challenged, answered with the proof +.* gas +bond to the provider$/m,
  /^ +challengeable +the worker lied; .* gas +refunded, stake slashed$/m,
  /^The chain$/m,
  /^ +out +to the provider +[1-9][\d,.]* gwei$/m,
  /^ +left +in escrow +0 gwei$/m,
  /^ +next settlement +[\d,]+ gas +16 jobs +\d+ a job$/m,
  /^ +signature-only baseline, next +[\d,]+ gas/m,
  /^ +offline +holds: [1-9]/m,
  /^ +against the chain +holds: [1-9].*chain: checked$/m,
  /^Try next:\n(?: {2}\S.*\n){3}$/m,
];

/** Why the steps of a ceremony are not run with `--circuit`. */
const REAL_CIRCUIT =
  'computing the first key of a circuit of the project takes minutes; test/integration/cli/ceremony.test.ts runs the step with --r1cs';

export const docCommands: readonly DocumentedCommand[] = [
  // README.md
  { command: 'npm start', proof: { ci: { limitMinutes: 8, says: demonstrationEnd } } },
  { command: 'npm test', proof: { step: 'test' } },
  // docs/circuits.md
  { command: 'node scripts/with-node.mjs circuits/build/main.ts settlement-16', proof: { ci: { limitMinutes: 3 } } },
  { command: 'node scripts/with-node.mjs circuits/build/main.ts all --check', proof: { ci: { limitMinutes: 5 } } },
  // examples/credit-model/README.md
  { command: 'node_modules/.bin/node examples/credit-model/train.ts --check', proof: { ci: { limitMinutes: 4 } } },
  // examples/credit-trees/README.md
  { command: 'node_modules/.bin/node examples/credit-trees/train.ts --check', proof: { ci: { limitMinutes: 4 } } },
  // examples/digits/README.md
  { command: 'node_modules/.bin/node examples/digits/train.ts --check', proof: { ci: { limitMinutes: 12 } } },
  // docs/proven-inference.md
  {
    command:
      'npx stun model compile examples/credit-model/credit-model.onnx --out .stun/credit-model --calibrate examples/credit-model/unseen-rows.csv --label defaulted',
    proof: { ci: { limitMinutes: 3, says: [/^disagreements: \d+ of 128 held-out rows/m, /DEVELOPMENT KEY/] } },
  },
  // CONTRIBUTING.md
  { command: 'npm run check', proof: { step: 'check' } },
  { command: 'npm test -- test/negative/protocol', proof: { ci: { limitMinutes: 3 } } },
  { command: "npm test -- 'small order'", proof: { ci: { limitMinutes: 5 } } },
  { command: 'npm run format', proof: { ci: { limitMinutes: 3 } } },
  { command: 'npm run generate', proof: { ci: { limitMinutes: 5 } } },
  { command: 'npm run mutate -- protocol', proof: { ci: { limitMinutes: 4 } } },
  { command: 'npm run test:full', proof: { notRun: 'takes about an hour; its last result stands in test/full-result.json' } },
  { command: 'npm run bench', proof: { ci: { limitMinutes: 1 } } },
  {
    command: 'npm run build:browser',
    proof: { ci: { limitMinutes: 1, says: [/^\.stun\/browser\/attestation\.js: \d+ bytes after gzip/m] } },
  },
  { command: 'npm run build:native', proof: { ci: { limitMinutes: 5 } } },
  { command: 'npm run build:wasm', proof: { ci: { limitMinutes: 5 } } },
  // docs/customer.md, docs/auditor.md
  { command: 'npx stun doctor', proof: { ci: { limitMinutes: 1 } } },
  { command: 'npx stun completion bash', proof: { ci: { limitMinutes: 1 } } },
  { command: 'npx stun policy show', proof: { test: 'test/integration/cli/contract.test.ts' } },
  { command: 'npx stun enclaves list', proof: { test: 'test/integration/cli/journey.test.ts' } },
  {
    command: 'npx stun order open --model-id MODEL --budget PROVIDER=0.5ether --policy policy.json --deadline 7d',
    proof: { test: 'test/integration/cli/journey.test.ts' },
  },
  { command: 'npx stun backup export --out backup.json', proof: { test: 'test/integration/cli/journey.test.ts' } },
  { command: 'npx stun submit inputs.json --max-price 900 --wait 60s', proof: { test: 'test/integration/cli/journey.test.ts' } },
  {
    command: 'npx stun result JOB --wait 60s --receipt receipt.json --out output.bin',
    proof: { test: 'test/integration/cli/journey.test.ts' },
  },
  { command: 'npx stun receipt verify receipt.json', proof: { test: 'test/integration/cli/journey.test.ts' } },
  {
    command:
      'npx stun model quantise .stun/credit-model --rows examples/credit-model/unseen-rows.csv --label defaulted --cut-off --out inputs.json',
    proof: { test: 'test/integration/cli/model-quantise.test.ts' },
  },
  {
    command: 'npx stun ceremony start --r1cs .stun/credit-model/circuit.r1cs --ptau powers.ptau --out 0.zkey',
    proof: { test: 'test/integration/cli/model-adopt.test.ts' },
  },
  {
    command:
      'npx stun ceremony finalise final.zkey --r1cs .stun/credit-model/circuit.r1cs --ptau powers.ptau --out transcript.json',
    proof: { test: 'test/integration/cli/model-adopt.test.ts' },
  },
  {
    command:
      'npx stun model adopt-key .stun/credit-model final.zkey --transcript transcript.json --ptau powers.ptau --out .stun/credit-model-ceremony',
    proof: { test: 'test/integration/cli/model-adopt.test.ts' },
  },
  {
    command:
      'npx stun ceremony verify .stun/credit-model-ceremony/circuit.zkey --r1cs .stun/credit-model-ceremony/circuit.r1cs --ptau powers.ptau --transcript .stun/credit-model-ceremony/transcript.json',
    proof: { test: 'test/integration/cli/model-adopt.test.ts' },
  },
  {
    command: 'npx stun model approve .stun/credit-model-ceremony --out approval.json',
    proof: { test: 'test/contracts/model-ceremony.test.ts' },
  },
  {
    command: 'npx stun model register .stun/credit-model-ceremony --approval approval.json',
    proof: { test: 'test/contracts/model-ceremony.test.ts' },
  },
  { command: 'npx stun challenge check --compiled-model .stun/credit-model', proof: { test: 'test/e2e/levels.test.ts' } },
  { command: 'npx stun challenge watch --compiled-model .stun/credit-model', proof: { test: 'test/e2e/levels.test.ts' } },
  { command: 'npx stun model register .stun/credit-model', proof: { test: 'test/e2e/levels.test.ts' } },
  {
    command:
      'npx stun order open --compiled-model .stun/credit-model --level proven --budget PROVIDER=0.5ether --policy policy.json',
    proof: { test: 'test/e2e/levels.test.ts' },
  },
  {
    command: 'npx stun receipt disclose receipt.json --output-index 0 --ge 40 --out disclosure.json',
    proof: { test: 'test/integration/cli/disclosure.test.ts' },
  },
  {
    command: 'npx stun receipt verify-disclosure disclosure.json',
    proof: { test: 'test/integration/cli/disclosure.test.ts' },
  },
  {
    command:
      'npx stun receipt disclose receipt.json --output-index 0 --ge 40 --ceremony disclosure-ceremony --out disclosure.json',
    proof: { test: 'test/integration/cli/disclosure-ceremony.test.ts' },
  },
  {
    command: 'npx stun receipt verify-disclosure disclosure.json --ceremony disclosure-ceremony',
    proof: { test: 'test/integration/cli/disclosure-ceremony.test.ts' },
  },
  {
    command: 'npx stun ceremony start --disclosure .stun/credit-model --ptau powers.ptau --out 0.zkey',
    proof: { test: 'test/integration/cli/disclosure-ceremony.test.ts' },
  },
  {
    command: 'npx stun ceremony finalise final.zkey --disclosure .stun/credit-model --ptau powers.ptau --out transcript.json',
    proof: { test: 'test/integration/cli/disclosure-ceremony.test.ts' },
  },
  {
    command:
      'npx stun ceremony export final.zkey --transcript transcript.json --disclosure .stun/credit-model --out disclosure-ceremony',
    proof: { test: 'test/integration/cli/disclosure-ceremony.test.ts' },
  },
  { command: 'npx stun order show', proof: { test: 'test/integration/cli/journey.test.ts' } },
  { command: 'npx stun order close', proof: { test: 'test/integration/cli/journey.test.ts' } },
  { command: 'npx stun order refund', proof: { test: 'test/integration/cli/journey.test.ts' } },
  { command: 'npx stun submit --resume', proof: { test: 'test/integration/client/crash.test.ts' } },
  { command: 'npx stun submit --resubmit', proof: { test: 'test/integration/cli/journey.test.ts' } },
  { command: 'npx stun backup restore backup.json', proof: { test: 'test/integration/cli/journey.test.ts' } },
  { command: 'npx stun audit export --out audit.json', proof: { test: 'test/integration/cli/journey.test.ts' } },
  { command: 'npx stun audit verify audit.json', proof: { test: 'test/integration/cli/journey.test.ts' } },
  {
    command: 'npx stun audit verify audit.json --rpc NODE --attestor ATTESTOR --attestor ATTESTOR',
    proof: { test: 'test/integration/cli/journey.test.ts' },
  },
  // docs/provider.md
  {
    command: 'npx stun bundles --store worker.sqlite --out bundles --worker-is-gone',
    proof: { test: 'test/integration/cli/bundles.test.ts' },
  },
  { command: 'npx stun payout withdraw', proof: { test: 'test/integration/cli/journey.test.ts' } },
  { command: 'npx stun settle --bundle bundles/segment.json', proof: { test: 'test/e2e/levels.test.ts' } },
  // docs/ceremony.md
  {
    command: 'npx stun chain deploy --ceremony settlement-16-ceremony --attestor ATTESTOR --attestor ATTESTOR',
    proof: { notRun: 'needs a finished ceremony of a settlement circuit, and none has been held' },
  },
  {
    command: 'npx stun prover --ceremony settlement-16-ceremony',
    proof: { notRun: 'needs a finished ceremony of a settlement circuit, and none has been held' },
  },
  {
    command: 'npx stun settle --bundle bundle.json --ceremony settlement-16-ceremony',
    proof: { notRun: 'needs a finished ceremony of a settlement circuit, and none has been held' },
  },
  {
    command: 'npx stun ceremony import-ptau powers.ptau --circuit settlement-16',
    proof: { test: 'test/integration/cli/ceremony-circuit.test.ts' },
  },
  {
    command: 'npx stun ceremony start --circuit settlement-16 --ptau powers.ptau --out 0.zkey',
    proof: { notRun: REAL_CIRCUIT },
  },
  {
    command: 'npx stun ceremony verify 0.zkey --circuit settlement-16 --ptau powers.ptau',
    proof: { notRun: REAL_CIRCUIT },
  },
  {
    command: 'npx stun ceremony contribute 0.zkey --out 1.zkey --name Alice',
    proof: { test: 'test/integration/cli/ceremony.test.ts' },
  },
  {
    command:
      "npx stun ceremony beacon 2.zkey --value 0x0102030405060708 --iterations-exponent 20 --name 'block 1' --out final.zkey",
    proof: { test: 'test/integration/cli/ceremony.test.ts' },
  },
  {
    command: 'npx stun ceremony finalise final.zkey --circuit settlement-16 --ptau powers.ptau --out transcript.json',
    proof: { notRun: REAL_CIRCUIT },
  },
  {
    command:
      'npx stun ceremony export final.zkey --transcript transcript.json --circuit settlement-16 --out settlement-16-ceremony',
    proof: { notRun: REAL_CIRCUIT },
  },
  {
    command: 'npx stun ceremony verify final.zkey --circuit settlement-16 --ptau powers.ptau --transcript transcript.json',
    proof: { notRun: REAL_CIRCUIT },
  },
];
