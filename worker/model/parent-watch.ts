/**
 * A thread of the runner's process that ends the process when the worker is gone. The main thread cannot: it hears of nothing while
 * onnxruntime computes, so a killed worker would leave a hung model behind.
 */
const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, 500);
