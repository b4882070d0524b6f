// The engine that every 64-bit target can run; the reference for the others.
#include "engine-of.hpp"

const Engine portableEngine = makeEngine<Prime<FqParameters, PortableProduct>, Domain<Prime<FrParameters, PortableProduct>>>("portable");
