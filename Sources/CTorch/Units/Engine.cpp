// What computes in one process, as one unit: the headers of libtorch are most of what there is to compile, and are read once
// for all of these files. None of their file-local names may be that of another.

// First: it says what to do where there is no libtorch.
#include "../Guard.hpp"

#include "../Convolution.cpp"
#include "../Error.cpp"
#include "../Graph.cpp"
#include "../Layers.cpp"
#include "../Memory.cpp"
#include "../Muon.cpp"
#include "../Operators.cpp"
#include "../Precision.cpp"
#include "../Runtime.cpp"
#include "../Tensor.cpp"
#include "../Training.cpp"
#include "../Transfer.cpp"
