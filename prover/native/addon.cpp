// The engines as a Node-API addon (version 8). Every function answers with its result or, as a number, a status of platform.hpp;
// arguments of the wrong type are status 5. Nothing here throws, and no input makes it read outside the arrays it was given.
#include <node_api.h>

#include "engine.hpp"
#include "processor.hpp"
#include "threads.hpp"

namespace {

const Engine *const engines[] = {&ifmaEngine, &adxEngine, &portableEngine};

bool canRun(const Engine *engine) {
  const Processor found = processor();
  return engine == &ifmaEngine ? found.ifma : engine == &adxEngine ? found.adx : true;
}

struct Bytes {
  uint8_t *data;
  size_t length;
};

/// The bytes of a Uint8Array, over shared memory or not.
bool bytesOf(napi_env env, napi_value value, Bytes &bytes) {
  bool is = false;
  napi_typedarray_type type;
  void *data;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
  if (napi_get_typedarray_info(env, value, &type, &bytes.length, &data, nullptr, nullptr) != napi_ok) return false;
  bytes.data = (uint8_t *)data;
  return type == napi_uint8_array;
}

napi_value number(napi_env env, uint32_t value) {
  napi_value result = nullptr;
  napi_create_uint32(env, value, &result);
  return result;
}

/// A new Uint8Array with a copy of some bytes, or null.
napi_value copyOf(napi_env env, const uint8_t *bytes, size_t length) {
  napi_value buffer, array;
  void *data;
  if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok) return number(env, statusMemory);
  __builtin_memcpy(data, bytes, length);
  if (napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array) != napi_ok) return number(env, statusMemory);
  return array;
}

const Engine *engineOf(napi_env env, napi_value value) {
  char name[16];
  size_t length;
  if (napi_get_value_string_utf8(env, value, name, sizeof name, &length) != napi_ok) return nullptr;
  for (const Engine *engine : engines)
    if (__builtin_strcmp(engine->name, name) == 0 && canRun(engine)) return engine;
  return nullptr;
}

/// Reads `count` arguments; missing ones are undefined and fail their own check.
bool arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  size_t given = count;
  return napi_get_cb_info(env, info, &given, values, nullptr, nullptr) == napi_ok;
}

bool count32(napi_env env, napi_value value, uint32_t least, uint32_t most, uint32_t &result) {
  double exact;
  if (napi_get_value_double(env, value, &exact) != napi_ok || !(exact >= least && exact <= most)) return false;
  result = (uint32_t)exact;
  return result == exact;
}

// Keys and witness programs.

enum Kind { kindKey, kindProgram };

struct Opened {
  Kind kind;
  const Engine *engine;
  const uint8_t *bytes;
  size_t length;
  bool shared;
  void *prepared;
  size_t holders;
  Opened *next;
  Surroundings surroundings;
  Platform platform;
};

/// One thread's hold on what was opened: the reference keeps its bytes from being freed.
struct Handle {
  Opened *opened;
  napi_ref bytes;
};

constexpr napi_type_tag handleTags[] = {{0x5354554e6b657973, 0x9d1f6c0b7a3e4285}, {0x5354554e70726f67, 0x3b58e7a2c4d1906f}};
pthread_mutex_t openedLock = PTHREAD_MUTEX_INITIALIZER;
Opened *allOpened = nullptr;

void drop(Opened *opened) {
  pthread_mutex_lock(&openedLock);
  if (--opened->holders == 0) {
    Opened **place = &allOpened;
    while (*place != opened) place = &(*place)->next;
    *place = opened->next;
    const auto close = opened->kind == kindKey ? opened->engine->close : opened->engine->closeProgram;
    close(opened->platform, opened->prepared);
    free(opened);
  }
  pthread_mutex_unlock(&openedLock);
}

Status hold(Kind kind, const Engine *engine, Bytes bytes, bool shared, size_t budget, Opened *&held) {
  pthread_mutex_lock(&openedLock);
  for (held = shared ? allOpened : nullptr; held; held = held->next)
    if (held->shared && held->kind == kind && held->engine == engine && held->bytes == bytes.data && held->length == bytes.length)
      break;
  Status status = statusDone;
  if (held) held->holders++;
  else if (!(held = (Opened *)malloc(sizeof(Opened)))) status = statusMemory;
  else {
    *held = {kind, engine, bytes.data, bytes.length, shared, nullptr, 1, allOpened, {budget}, {}};
    held->platform = platformOf(held->surroundings);
    const auto open = kind == kindKey ? engine->open : engine->openProgram;
    status = open(held->platform, bytes.data, bytes.length, &held->prepared);
    if (status == statusDone) allOpened = held;
    else free(held);
  }
  pthread_mutex_unlock(&openedLock);
  return status;
}

void finalize(napi_env env, void *data, void *) {
  Handle *handle = (Handle *)data;
  if (handle->bytes) napi_delete_reference(env, handle->bytes);
  drop(handle->opened);
  free(handle);
}

/// Opens (bytes, engine, shared, budgetMb): a handle; preparing must fit the budget. What is shared is prepared once for all threads of the process that open the same
/// memory; its bytes must not change any more.
napi_value open(napi_env env, napi_callback_info info, Kind kind) {
  napi_value values[4], external;
  Bytes bytes;
  bool shared;
  uint32_t budget;
  if (!arguments(env, info, values, 4) || !bytesOf(env, values[0], bytes) ||
      napi_get_value_bool(env, values[2], &shared) != napi_ok || !count32(env, values[3], 1, UINT32_MAX, budget))
    return number(env, statusArgument);
  const Engine *engine = engineOf(env, values[1]);
  if (!engine) return number(env, statusArgument);
  Handle *handle = (Handle *)malloc(sizeof(Handle));
  if (!handle) return number(env, statusMemory);
  handle->bytes = nullptr;
  const Status status = hold(kind, engine, bytes, shared, (size_t)budget << 20, handle->opened);
  if (status != statusDone) {
    free(handle);
    return number(env, status);
  }
  if (napi_create_external(env, handle, finalize, nullptr, &external) != napi_ok) {
    drop(handle->opened);
    free(handle);
    return number(env, statusMemory);
  }
  if (napi_create_reference(env, values[0], 1, &handle->bytes) != napi_ok ||
      napi_type_tag_object(env, external, &handleTags[kind]) != napi_ok)
    return number(env, statusMemory);
  return external;
}

napi_value openKey(napi_env env, napi_callback_info info) { return open(env, info, kindKey); }
napi_value openProgram(napi_env env, napi_callback_info info) { return open(env, info, kindProgram); }

bool openedOf(napi_env env, napi_value value, Kind kind, const Opened *&opened) {
  Handle *handle;
  bool tagged = false;
  if (napi_check_object_type_tag(env, value, &handleTags[kind], &tagged) != napi_ok || !tagged ||
      napi_get_value_external(env, value, (void **)&handle) != napi_ok)
    return false;
  opened = handle->opened;
  return true;
}

/// runProgram(program, inputs, witness, budgetMb): fills the witness with 32 bytes for each wire. Answers a status, to which 256 times
/// the number of the broken rule is added when that is statusRefused.
napi_value runProgram(napi_env env, napi_callback_info info) {
  napi_value values[4];
  const Opened *program;
  Bytes inputs, witness;
  uint32_t budget, rule = 0;
  if (!arguments(env, info, values, 4) || !openedOf(env, values[0], kindProgram, program) || !bytesOf(env, values[1], inputs) ||
      !bytesOf(env, values[2], witness) || !count32(env, values[3], 1, UINT32_MAX, budget))
    return number(env, statusArgument);
  const Engine *engine = program->engine;
  if (inputs.length != 32 * engine->programInputs(program->prepared) ||
      witness.length != 32 * engine->programWires(program->prepared))
    return number(env, statusArgument);
  Surroundings surroundings = {(size_t)budget << 20};
  const Status status = engine->runProgram(platformOf(surroundings), program->prepared, inputs.data, witness.data, rule);
  napi_value result = nullptr;
  napi_create_double(env, status + (status == statusRefused ? 256.0 * rule : 0), &result);
  return result;
}

napi_value byteCount(napi_env env, uint64_t bytes) {
  napi_value result = nullptr;
  napi_create_double(env, (double)bytes, &result);
  return result;
}

/// keyMemory(key): bytes that the prepared key takes.
napi_value keyMemory(napi_env env, napi_callback_info info) {
  napi_value values[1];
  const Opened *open;
  if (!arguments(env, info, values, 1) || !openedOf(env, values[0], kindKey, open)) return number(env, statusArgument);
  return byteCount(env, open->surroundings.usedBytes);
}

/// proofMemory(key, threads): bytes that a proof takes beside the prepared key, key and witness.
napi_value proofMemory(napi_env env, napi_callback_info info) {
  napi_value values[2];
  const Opened *open;
  uint32_t threads;
  if (!arguments(env, info, values, 2) || !openedOf(env, values[0], kindKey, open) ||
      !count32(env, values[1], 1, mostThreads, threads))
    return number(env, statusArgument);
  return byteCount(env, open->engine->proofMemory(open->prepared, threads));
}

/// prove(key, witness, randomness, control, threads, budgetMb): the proof and its public signals.
napi_value prove(napi_env env, napi_callback_info info) {
  napi_value values[6];
  const Opened *open;
  Bytes witness, randomness, control;
  uint32_t threads, budget;
  if (!arguments(env, info, values, 6) || !openedOf(env, values[0], kindKey, open) || !bytesOf(env, values[1], witness) ||
      !bytesOf(env, values[2], randomness) || randomness.length != randomnessBytes || !bytesOf(env, values[3], control) ||
      control.length != sizeof(Control) || (uintptr_t)control.data % alignof(Control) != 0 ||
      !count32(env, values[4], 1, mostThreads, threads) || !count32(env, values[5], 1, UINT32_MAX, budget))
    return number(env, statusArgument);
  Surroundings surroundings = {(size_t)budget << 20, threads, 0, (Control *)control.data};
  const Platform platform = platformOf(surroundings);
  const size_t length = proofBytes(open->engine->publicSignals(open->prepared));
  Buffer<uint8_t> proof(platform, length);
  if (!proof.ok()) return number(env, statusMemory);
  const Status status =
      open->engine->prove(platform, open->prepared, witness.data, witness.length, randomness.data, proof.get());
  return status == statusDone ? copyOf(env, proof.get(), length) : number(env, status);
}

// For tests.

/// multiply(engine, group, points, scalars, window): the sum as an affine point.
napi_value multiply(napi_env env, napi_callback_info info) {
  napi_value values[5];
  Bytes points, scalars;
  uint32_t group, window;
  if (!arguments(env, info, values, 5)) return number(env, statusArgument);
  const Engine *engine = engineOf(env, values[0]);
  if (!engine || !count32(env, values[1], 1, 2, group) || !bytesOf(env, values[2], points) || !bytesOf(env, values[3], scalars) ||
      !count32(env, values[4], 0, 64, window) || scalars.length % 32 != 0 || points.length != scalars.length * 2 * group)
    return number(env, statusArgument);
  Surroundings surroundings = {SIZE_MAX};
  uint8_t sum[128];
  const Status status =
      engine->multiply(platformOf(surroundings), group, points.data, scalars.data, scalars.length / 32, window, sum);
  return status == statusDone ? copyOf(env, sum, 64 * group) : number(env, status);
}

/// transform(engine, values): the values on the coset.
napi_value transform(napi_env env, napi_callback_info info) {
  napi_value values[2];
  Bytes elements;
  if (!arguments(env, info, values, 2)) return number(env, statusArgument);
  const Engine *engine = engineOf(env, values[0]);
  if (!engine || !bytesOf(env, values[1], elements)) return number(env, statusArgument);
  const size_t count = elements.length / 32;
  if (count == 0 || elements.length % 32 != 0 || (count & (count - 1)) != 0) return number(env, statusArgument);
  Surroundings surroundings = {SIZE_MAX};
  const Platform platform = platformOf(surroundings);
  Buffer<uint8_t> copy(platform, elements.length);
  if (!copy.ok()) return number(env, statusMemory);
  __builtin_memcpy(copy.get(), elements.data, elements.length);
  const Status status = engine->transform(platform, copy.get(), (unsigned)__builtin_ctzll(count));
  return status == statusDone ? copyOf(env, copy.get(), copy.size()) : number(env, status);
}

/// engineNames(): those that this machine can run, the fastest first.
napi_value engineNames(napi_env env, napi_callback_info) {
  napi_value names, name;
  if (napi_create_array(env, &names) != napi_ok) return nullptr;
  uint32_t count = 0;
  for (const Engine *engine : engines)
    if (canRun(engine) && napi_create_string_utf8(env, engine->name, NAPI_AUTO_LENGTH, &name) == napi_ok)
      napi_set_element(env, names, count++, name);
  return names;
}

}  // namespace

#define STUN_EXPORTED extern "C" __attribute__((visibility("default")))

STUN_EXPORTED int32_t node_api_module_get_api_version_v1(void) { return 8; }

/// Called once for every thread of JavaScript that loads the addon.
STUN_EXPORTED napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  const struct {
    const char *name;
    napi_callback function;
  } functions[] = {{"engineNames", engineNames}, {"openKey", openKey},   {"openProgram", openProgram}, {"runProgram", runProgram},
                   {"keyMemory", keyMemory},     {"proofMemory", proofMemory}, {"prove", prove},
                   {"multiply", multiply},       {"transform", transform}};
  for (const auto &one : functions) {
    napi_value function;
    if (napi_create_function(env, one.name, NAPI_AUTO_LENGTH, one.function, nullptr, &function) == napi_ok)
      napi_set_named_property(env, exports, one.name, function);
  }
  return exports;
}
