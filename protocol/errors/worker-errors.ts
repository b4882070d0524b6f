/** Error codes of the worker area: models and their runs, evidence from the platform, the worker's own duties. */
import type { ErrorEntry } from './stun-error.ts';

export const workerErrors = {
  STUN_MODEL_MANIFEST: {
    class: 'config',
    actor: 'provider',
    httpStatus: 500,
    doc: 'The manifest beside the model is malformed or contradicts the model: names, element types and dimensions must be those of the ONNX graph.',
  },
  STUN_MODEL_LOAD: {
    class: 'config',
    actor: 'provider',
    httpStatus: 500,
    doc: 'onnxruntime does not load the model, or one of its inputs or outputs is no tensor. Check the file and its operator set.',
  },
  STUN_MODEL_EXECUTION_PROVIDER: {
    class: 'config',
    actor: 'provider',
    httpStatus: 500,
    doc: 'The configured execution provider cannot be used on this machine. Install it, or set `fallbackToCpu` to run on the CPU.',
  },
  STUN_MODEL_INPUT_NAME: {
    class: 'input',
    actor: 'customer',
    httpStatus: 422,
    doc: 'The input does not hold exactly the tensors that the model takes. The manifest lists the names.',
  },
  STUN_MODEL_INPUT_DTYPE: {
    class: 'input',
    actor: 'customer',
    httpStatus: 422,
    doc: 'An input tensor has another element type than the model takes. The manifest lists the types; nothing is converted.',
  },
  STUN_MODEL_INPUT_SHAPE: {
    class: 'input',
    actor: 'customer',
    httpStatus: 422,
    doc: 'An input tensor has another shape than the model takes, or two named dimensions disagree. The manifest lists the dimensions.',
  },
  STUN_MODEL_INPUT_NOT_FINITE: {
    class: 'input',
    actor: 'customer',
    httpStatus: 422,
    doc: 'An input tensor holds NaN or an infinity and the manifest of the model does not allow that. Send finite numbers.',
  },
  STUN_MODEL_RUN: {
    class: 'verification',
    actor: 'customer',
    httpStatus: 422,
    doc: 'onnxruntime refused the input while it ran the model. Its message stays inside the enclave, for it may quote the input.',
  },
  STUN_MODEL_TIMEOUT: {
    class: 'policy',
    actor: 'customer',
    httpStatus: 422,
    doc: 'The model ran longer than the provider allows a job. Send a smaller input or choose another provider.',
  },
  STUN_MODEL_MEMORY: {
    class: 'policy',
    actor: 'customer',
    httpStatus: 422,
    doc: 'The model took more memory than the provider allows a job. Send a smaller input or choose another provider.',
  },
  STUN_MODEL_CRASHED: {
    class: 'internal',
    actor: 'provider',
    httpStatus: 500,
    doc: 'The process that ran the model ended by itself. The job failed alone; look for a defect of the model or of onnxruntime.',
  },
  STUN_MODEL_OUTPUT_SIZE: {
    class: 'policy',
    actor: 'customer',
    httpStatus: 422,
    doc: 'The output is larger than the provider returns. Send a smaller input or choose another provider.',
  },
  STUN_TSM_UNAVAILABLE: {
    class: 'unavailable',
    actor: 'provider',
    httpStatus: 503,
    doc: 'The kernel has no configfs-tsm report interface, or refuses it to this user. Linux 6.7 or later, mounted configfs and root are needed.',
  },
  STUN_TSM_BUSY: {
    class: 'unavailable',
    actor: 'provider',
    httpStatus: 503,
    doc: 'The platform refused to make a quote too many times in a row (rate limit or another writer). Try again later.',
  },
  STUN_TSM_PROVIDER: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 500,
    doc: 'The quote comes from another kind of platform than the worker is configured for. Check `platform`.',
  },
  STUN_CERTIFICATE_TABLE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 502,
    doc: 'The certificate table that the host gave with a SEV-SNP report is malformed. Ask whoever runs the host, or have the host leave it empty and name a file in `collateralPath`.',
  },
  STUN_ENDORSEMENTS_MISSING: {
    class: 'config',
    actor: 'provider',
    httpStatus: 500,
    doc: 'A SEV-SNP report needs the certificates of its key, and the host gave none. Fetch them with `stun evidence fetch` and name the file in `collateralPath`.',
  },
  STUN_GPU_COLLECTION: {
    class: 'unavailable',
    actor: 'provider',
    httpStatus: 503,
    doc: "NVIDIA's `nvattest` is missing, failed, or gave something that is no evidence over this nonce. Run `nvattest collect-evidence --device gpu` by hand.",
  },
  STUN_PLATFORM: {
    class: 'config',
    actor: 'provider',
    httpStatus: 500,
    doc: 'The machine is not the confidential machine that the configuration names. Run in a TDX or SEV-SNP guest, or say `simulated` for a trial.',
  },
  STUN_SIMULATED_REFUSED: {
    class: 'config',
    actor: 'provider',
    httpStatus: 500,
    doc: 'Simulated hardware is refused on this chain: it protects nothing. It is allowed on chain id 31337 alone.',
  },
  STUN_APPROVAL: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 502,
    doc: "An attestor's approval is for something else than was asked, or is not signed by that attestor. Check the list of attestors.",
  },
  STUN_APPROVAL_QUORUM: {
    class: 'unavailable',
    actor: 'provider',
    httpStatus: 503,
    doc: 'Too few attestors approved the enclave. The reason carries their codes; correct the evidence or try again later.',
  },
  STUN_WORKER_STORE: {
    class: 'config',
    actor: 'provider',
    httpStatus: 500,
    doc: "The worker's database is of another version or cannot be written. Receipts are only released after they are stored.",
  },
  STUN_WORKER_SERVICE: {
    class: 'unavailable',
    actor: 'operator',
    httpStatus: 502,
    doc: 'The verifier service did not answer, or answered with something that is not its interface. The worker tries again.',
  },
} as const satisfies Record<string, ErrorEntry>;
