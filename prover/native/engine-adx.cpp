// The engine for x86-64 with BMI2 and ADX.
#include "engine-of.hpp"
#include "product-adx.hpp"

const Engine adxEngine = makeEngine<Prime<FqParameters, AdxProduct>, Domain<Prime<FrParameters, AdxProduct>>>("adx");
