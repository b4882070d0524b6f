// The engine that every WebAssembly can run.
#include "exports.hpp"
#include "product-29.hpp"

STUN_ENGINE(1, Prime<FqParameters, Product29>, Domain<Prime<FrParameters, Product29>>)
