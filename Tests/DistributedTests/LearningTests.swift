import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("Learning with several ranks", .waitsForPrograms, .serialized) struct LearningTests {
  static func reference() throws -> [String: [Double]] {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return try JSONDecoder().decode(
      [String: [Double]].self, from: Data(contentsOf: folder.appendingPathComponent("normalisation.json")))
  }

  @Test(
    "Batch normalisation over ranks equals PyTorch's on the whole mini-batch",
    arguments: [[3, 3], [5, 1], [4, 2, 0]])
  func normalisation(sizes: [Int]) throws {
    let results = try Ranks.together(sizes.count, ["normalisation"] + sizes.map(String.init))
    for (name, expected) in try Self.reference() {
      let parts = try results.map { try #require($0[name]) }
      let part = name.split(separator: " ").last ?? ""
      let whole: [Double]
      switch part {
      case "weight", "bias":  // Each rank has the gradient of its images.
        whole = (0..<expected.count).map { index in parts.reduce(0) { $0 + $1[index] } }
      case "mean", "variance":
        for other in parts { #expect(other == parts[0]) }
        whole = parts[0]
      default: whole = Array(parts.joined())
      }
      let worst = zip(whole, expected).map { abs($0 - $1) }.max() ?? .infinity
      // Sums of 54 products of order 10, in float32.
      #expect(whole.count == expected.count && worst < 2e-5, "\(name): \(worst)")
    }
  }

  @Test(
    "Gradients over ranks equal those of the whole mini-batch in one process",
    arguments: ["sequential", "joint"], [[3, 3], [2, 2, 1, 1], [6, 0]])
  func gradients(updates: String, sizes: [Int]) throws {
    let one = try Ranks.alone(["gradients", updates, "6"])
    let many = try Ranks.together(sizes.count, ["gradients", updates] + sizes.map(String.init))
    for rank in many { #expect(rank == many[0]) }
    #expect(one.values.joined().map(abs).max() ?? 0 > 0.1)
    #expect(try difference(one, many[0]) < 1e-6)
  }

  @Test("A ResNet learns the same on several ranks as on one", arguments: [[8, 8], [7, 4, 3, 2]])
  func training(sizes: [Int]) throws {
    let one = try Ranks.alone(["training", "10", "0.001", "16"])
    let many = try Ranks.together(sizes.count, ["training", "10", "0.001"] + sizes.map(String.init))
    #expect(try difference(one, many[0]) < 1e-5)
  }
}
