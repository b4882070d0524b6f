// The engine for relaxed SIMD on machines with fused multiplication and addition.
#include "exports.hpp"
#include "transform-pairs.hpp"

STUN_ENGINE(isFused() ? 1 : 0, FmaLanes<FqParameters>, PairDomain<FmaLanes<FrParameters>>)
