// The engine for relaxed SIMD on machines with fused multiplication and addition.
#include "exports.hpp"
#include "lanes-fma.hpp"

STUN_ENGINE(isFused() ? 1 : 0, FmaLanes<FqParameters>, Domain<Prime<FrParameters, Product29>>)
