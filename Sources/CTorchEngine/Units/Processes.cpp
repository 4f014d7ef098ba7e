// The code that communicates between processes, and normalisation, which can. A separate compilation unit, so that the two
// units take about equal time.

// Included first, since it reports a missing libtorch.
#include "../Guard.hpp"

#include "../Distributed/Nccl.cpp"
#include "../Distributed/ProcessGroup.cpp"
#include "../Distributed/Reducer.cpp"
#include "../Distributed/Store.cpp"
#include "../Distributed/SynchronisedNorm.cpp"
#include "../Normalisation.cpp"
