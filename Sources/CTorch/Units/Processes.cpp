// What reaches over processes, and normalisation, which can: a unit of its own, as long to compile as the other.

// First: it says what to do where there is no libtorch.
#include "../Guard.hpp"

#include "../Distributed/Nccl.cpp"
#include "../Distributed/ProcessGroup.cpp"
#include "../Distributed/Reducer.cpp"
#include "../Distributed/Store.cpp"
#include "../Distributed/SynchronisedNorm.cpp"
#include "../Normalisation.cpp"
