// The engine for x86-64 with BMI2 and ADX.
#include "engine-of.hpp"
#include "lanes-adx.hpp"
#include "product-sum-adx.hpp"

const Engine adxEngine = makeEngine<AdxLanes<FqParameters>, Domain<Prime<FrParameters, AdxProduct>>>("adx");
