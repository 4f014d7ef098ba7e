// The code for a single process as one compilation unit, since parsing the headers of libtorch takes most of the time.
// File-local names must be unique among these files.

// Included first, since it reports a missing libtorch.
#include "../Guard.hpp"

#include "../Convolution.cpp"
#include "../Error.cpp"
#include "../Graph.cpp"
#include "../Layers.cpp"
#include "../Memory.cpp"
#include "../Muon.cpp"
#include "../Operators.cpp"
#include "../Precision.cpp"
#include "../PreparedWeights.cpp"
#include "../Residual.cpp"
#include "../Runtime.cpp"
#include "../Team.cpp"
#include "../Tensor.cpp"
#include "../Threads.cpp"
#include "../Training.cpp"
#include "../Transfer.cpp"
