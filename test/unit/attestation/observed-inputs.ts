/** Collects what is assessed while a body runs, so that another build of attestation can be given the same. */

/** One assessment: the function's name and its argument. */
export interface ObservedInput {
  readonly call: 'assessTdx' | 'assessSgx' | 'assessSnp' | 'assessGpu' | 'assessRims' | 'assessEar' | 'assessNras';
  readonly input: object;
}

let collected: ObservedInput[] | null = null;

/** Passes an input on, and keeps it while somebody collects. */
export function observed<I extends object>(call: ObservedInput['call'], input: I): I {
  collected?.push({ call, input });
  return input;
}

/** Runs a body and gives the inputs that it assessed, in order. */
export function inputsOf(body: () => unknown): readonly ObservedInput[] {
  const own: ObservedInput[] = [];
  collected = own;
  try {
    body();
  } finally {
    collected = null;
  }
  return own;
}
