/** Lengths of envelope heads. docs/protocol.md section 6: HPKE's enc of X-Wing, and the salt of a result. */
export const HPKE_ENC_LENGTH = 1120;
export const RESULT_HEAD_LENGTH = 32;
