#pragma once
#include <cstdint>

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

/// The number of columns of a panel, for a multiple of 16 columns.
inline int64_t panelWidth(int64_t columns) { return columns % 64 == 0 ? 64 : columns % 32 == 0 ? 32 : 16; }

}  // namespace ctorch
