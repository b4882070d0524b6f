/** What programs that the worker starts see of its environment. */

/** What programs need to find their files, libraries, devices and the network's proxy. */
const PASSED = new Set(
  (
    'PATH HOME USER LANG TZ TMPDIR LD_LIBRARY_PATH NODE_OPTIONS NODE_ENV NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR ' +
    'HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy'
  ).split(' '),
);
const PASSED_PREFIXES = ['CUDA_', 'NVIDIA_', 'LC_'];
const NAMES_A_SECRET = /KEY|TOKEN|SECRET|PASS|CREDENTIAL/;

/**
 * The environment for a child process: the variables that are listed here, so that a secret of the worker under whatever name stays
 * with the worker. A proxy's address is passed on with the password it may hold.
 * @param environment - variable names and values
 */
export function childEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const passes = (name: string): boolean =>
    PASSED.has(name) || (PASSED_PREFIXES.some((prefix) => name.startsWith(prefix)) && !NAMES_A_SECRET.test(name));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => passes(name)));
}
