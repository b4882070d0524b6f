/** The default policy, but for trial: simulated hardware is admitted, and only that differs. */
import { defaultPolicy } from '../policy/default-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { deepFreeze } from '../policy/policy.ts';

export const simulatedPolicy: Policy = deepFreeze({ ...defaultPolicy, allowSimulated: true });
