import CImages
import Foundation

/// An operation on the 8-bit levels of an image, with how much of it there is to be.
enum ImageOperation: Hashable, Sendable {
  /// Each row is moved by so many columns more than the one above it; the first stays.
  case shearX(Double)
  /// Each column is moved by so many rows more than the one before it; the first stays.
  case shearY(Double)
  /// Pixels to the right.
  case translateX(Int)
  /// Pixels downwards.
  case translateY(Int)
  /// Counter-clockwise, about the middle.
  case rotate(degrees: Double)
  /// The factor is 0 for black, 1 for no change.
  case brightness(Double)
  /// The factor is 0 for grey, 1 for no change.
  case colour(Double)
  /// The factor is 0 for the mean grey, 1 for no change.
  case contrast(Double)
  /// The factor is 0 for a mean over the neighbours, 1 for no change.
  case sharpness(Double)
  /// The high bits that are kept, 1 … 8.
  case posterise(bits: Int)
  /// Levels from the threshold on are inverted.
  case solarise(threshold: Double)
  /// In each channel the lowest level becomes 0 and the highest 255.
  case autoContrast
  /// In each channel all levels become about equally frequent.
  case equalise

  /// Where an operation that moves pixels takes them from, in an image of this side; `nil` for the others.
  ///
  /// As Pillow's affine transforms: the middle of each pixel, in steps of 2⁻¹⁶.
  func source(side: Int) -> CImagesAffine? {
    // x = columns.0 · column + columns.1 · row + columns.2, and rows likewise.
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
