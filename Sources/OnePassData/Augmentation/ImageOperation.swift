import CImages
import Foundation

/// An operation on the 8-bit levels of an image, with its magnitude.
enum ImageOperation: Hashable, Sendable {
  /// Columns by which each row is moved further than the row above it. The first row stays.
  case shearX(Double)
  /// Rows by which each column is moved further than the column before it. The first column stays.
  case shearY(Double)
  /// Pixels to the right.
  case translateX(Int)
  /// Pixels downwards.
  case translateY(Int)
  /// Counter-clockwise, around the centre.
  case rotate(degrees: Double)
  /// The factor is 0 for black, 1 for no change.
  case brightness(Double)
  /// The factor is 0 for grey, 1 for no change.
  case colour(Double)
  /// The factor is 0 for the mean grey, 1 for no change.
  case contrast(Double)
  /// The factor is 0 for a mean over the neighbours, 1 for no change.
  case sharpness(Double)
  /// The number of high bits to keep, 1 … 8.
  case posterise(bits: Int)
  /// Levels from the threshold on are inverted.
  case solarise(threshold: Double)
  /// In each channel the lowest level becomes 0 and the highest 255.
  case autoContrast
  /// In each channel all levels become about equally frequent.
  case equalise

  /// The source of each pixel, for an operation that moves pixels in an image of this side; `nil` for the others.
  ///
  /// As in Pillow's affine transforms, it is the centre of each pixel, in steps of 2⁻¹⁶.
  func source(side: Int) -> CImagesAffine? {
    // x = columns.0 · column + columns.1 · row + columns.2, and y likewise from rows.
    var columns = (1.0, 0.0, 0.0)
    var rows = (0.0, 1.0, 0.0)
    switch self {
    case .shearX(let shear): columns.1 = shear
    case .shearY(let shear): rows.0 = shear
    case .translateX(let shift): columns.2 = -Double(shift)
    case .translateY(let shift): rows.2 = -Double(shift)
    case .rotate(let degrees):
      let angle = degrees * .pi / 180
      let middle = Double(side) / 2
      columns = (cos(angle), -sin(angle), middle - cos(angle) * middle + sin(angle) * middle)
      rows = (sin(angle), cos(angle), middle - sin(angle) * middle - cos(angle) * middle)
    default: return nil
    }
    func fixed(_ value: Double) -> Int32 { Int32((value * 65_536 + 0.5).rounded(.down)) }
    return CImagesAffine(
      x: fixed(columns.2 + columns.0 * 0.5 + columns.1 * 0.5),
      y: fixed(rows.2 + rows.0 * 0.5 + rows.1 * 0.5),
      x_by_column: fixed(columns.0), y_by_column: fixed(rows.0),
      x_by_row: fixed(columns.1), y_by_row: fixed(rows.1))
  }
}
