#pragma once
#include <cstdint>

#include "Processor.hpp"

namespace ctorch {

/// c[rows][columns] = a · b, or += if the product accumulates. Element (i, p) of a is a[i · rowStep + p · depthStep]; b consists of
/// panels of `width` columns, each [depth][width] and `panelStep` floats after the one before.
///
/// Each element of c is a sum over the depth in ascending order, whatever the number of rows.
struct Product {
  int64_t rows, columns, depth;
  int64_t rowStep, depthStep, width, panelStep;
  bool accumulates;
};

/// The number of columns of a panel, for a multiple of 16 columns: those that a block of registers has (Multiply.hpp).
///
/// Columns beyond them would separate the rows of a block in memory: a quarter of the lines of the first cache would be used.
inline int64_t panelWidth(int64_t columns) {
  return !hasAVX512() ? 16 : columns % 64 == 0 ? 64 : columns % 32 == 0 ? 32 : 16;
}

}  // namespace ctorch
