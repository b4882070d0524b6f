// The engine for x86-64 with AVX-512 IFMA: eight lanes for points and transforms, BMI2 and ADX for
// the rest.
#include "engine-of.hpp"
#include "lanes-ifma.hpp"
#include "product-sum-adx.hpp"
#include "transform-ifma.hpp"

const Engine ifmaEngine = makeEngine<IfmaLanes<FqParameters>, LaneDomain<IfmaLanes<FrParameters>>>("ifma");
