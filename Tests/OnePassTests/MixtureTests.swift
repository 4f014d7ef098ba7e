import Foundation
import OnePassCore
import OnePassReplay
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

/// Mixed mini-batches and their targets, compared with torchvision's, and λ, compared with its distribution.
@Suite("Mixed mini-batches and soft targets") struct MixtureTests {
  struct Reference: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
      let kind: String
      let share: Double
      let centre: [Int]?
      let images: [Double]
      let targets: [Double]
      var testDescription: String { "\(kind) \(share) \(centre ?? [])" }
    }

    let labels: [Int]
    let cases: [Case]
  }

  static func reference() throws -> Reference {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: folder.appendingPathComponent("mixing.json")))
  }

  @Test("Mixtures equal torchvision's MixUp and CutMix", arguments: try reference().cases)
  func equalsTorchvision(_ reference: Reference.Case) throws {
    let shape = [4, 1, 9, 7]
    let mixture =
      reference.centre.map {
        Mixture(cutting: reference.share, centre: ($0[0], $0[1]), width: 7, height: 9)
      } ?? Mixture(averaging: reference.share)
    for isChannelsLast in [true, false] {
      let plain = try Tensor(referenceNumbers(0, count: 4 * 9 * 7), shape: shape)
      let images = try isChannelsLast ? plain.channelsLast() : plain
      let mixed = try mixture(images)
      #expect(mixed.shape == shape)
      for (value, expected) in zip(try mixed.floats(), reference.images) {
        #expect(abs(Double(value) - expected) < 1e-6)
      }
      // The input may be borrowed, and must not change.
      #expect(try images.floats() == plain.floats())
    }
    var configuration = RunConfiguration(data: "test")
    configuration.recipe.mixing = .mixup
    let soft = try #require(SoftTargets(configuration, classes: 4))
    let labels = try Self.reference().labels
    for (value, expected) in zip(try soft.targets(labels, [], mixture), reference.targets) {
      #expect(abs(Double(value) - expected) < 1e-6)
    }
  }

  @Test("Smoothed targets are distributions")
  func smoothedTargetsAreDistributions() throws {
    var configuration = RunConfiguration(data: "test")
    #expect(SoftTargets(configuration, classes: 3) == nil)
    configuration.recipe.labelSmoothing = 0.3
    let soft = try #require(SoftTargets(configuration, classes: 3))
    let targets = try soft.targets([2, 0], [], nil)
    for (value, expected) in zip(targets, [0.1, 0.1, 0.8, 0.8, 0.1, 0.1]) {
      #expect(abs(Double(value) - expected) < 1e-6)
    }
    #expect(soft.mixture(update: 0, part: 0, shape: [2, 1, 8, 8]) == nil)
    let mixed = try soft.targets([2, 0], [], Mixture(averaging: 0.75))
    for (value, expected) in zip(mixed, [0.275, 0.1, 0.625, 0.625, 0.1, 0.275]) {
      #expect(abs(Double(value) - expected) < 1e-6)
    }
  }

  /// (1 − w)·t + w·stored, computed by hand, with the same t. The stored predictions [0, 1, 0] and [0.4, 0, 0.6] are whole 255ths.
  @Test("Stored predictions are part of the targets")
  func storedPredictionsHaveTheirShare() throws {
    var configuration = RunConfiguration(data: "test")
    (configuration.memory.storedPredictions, configuration.recipe.labelSmoothing) = (0.4, 0.3)
    let soft = try #require(SoftTargets(configuration, classes: 3))
    let stored = [
      StoredPrediction(classes: [1, 0, 2], probabilities: [1, 0, 0]).note,
      StoredPrediction(classes: [2, 0, 1], probabilities: [0.6, 0.4, 0]).note,
    ]
    for (mixture, expected) in [
      (nil, [0.06, 0.46, 0.48, 0.64, 0.06, 0.3]),
      (Mixture(averaging: 0.75), [0.205, 0.36, 0.435, 0.495, 0.16, 0.345]),
    ] {
      let targets = try soft.targets([2, 0], stored, mixture)
      #expect(targets.count == expected.count)
      for (value, expected) in zip(targets, expected) { #expect(abs(Double(value) - expected) < 1e-6) }
    }
    // An incoming image has no note.
    for (value, expected) in zip(try soft.targets([2], [], nil), [0.1, 0.1, 0.8]) {
      #expect(abs(Double(value) - expected) < 1e-6)
    }
    configuration.recipe.labelSmoothing = 0
    let alone = try #require(SoftTargets(configuration, classes: 3))
    #expect(alone.isNeeded(stored, nil) && !alone.isNeeded([], nil))
    #expect(alone.noteMaker(isReplayed: false) != nil && alone.noteMaker(isReplayed: true) != nil)
    // The note is invalid for three classes.
    let other = StoredPrediction(classes: [3], probabilities: [1]).note
    #expect { try alone.targets([0], [other], nil) } throws: { ($0 as? OnePassError)?.code == .badData }
    configuration.recipe.mixing = .mixup
    let mixing = try #require(SoftTargets(configuration, classes: 3))
    #expect(mixing.noteMaker(isReplayed: false) != nil && mixing.noteMaker(isReplayed: true) == nil)
  }

  /// Weights are mixed in the same way as images. Losses are divided by their sum, which must not change.
  @Test("Mixed weights keep their sum")
  func weightsKeepTheirSum() {
    let weights: [Float] = [0.5, 2, 1, 0.25]
    let mixed = Mixture(averaging: 0.75).mixed(weights)
    #expect(mixed == [0.4375, 1.625, 1.25, 0.4375])
    #expect(mixed.reduce(0, +) == weights.reduce(0, +))
  }

  @Test("A mixture is a function of seed and update")
  func amixtureIsAFunctionOfSeedAndUpdate() throws {
    var configuration = RunConfiguration(data: "test")
    configuration.recipe.mixing = .cutmix
    let soft = try #require(SoftTargets(configuration, classes: 3))
    let shape = [8, 3, 32, 32]
    let first = (0..<50).map { soft.mixture(update: $0, part: 0, shape: shape) }
    #expect(first == (0..<50).map { soft.mixture(update: $0, part: 0, shape: shape) })
    #expect(Set(first).count > 45)
    #expect(soft.mixture(update: 3, part: 1, shape: shape) != first[3])
    configuration.seed = 2
    let other = try #require(SoftTargets(configuration, classes: 3))
    #expect(other.mixture(update: 3, part: 0, shape: shape) != first[3])
  }

  @Test("Images of one pixel and mini-batches of one image can be mixed")
  func smallestOnes() throws {
    for (shape, seed) in [([1, 1, 1, 1], 1), ([1, 3, 5, 4], 2), ([3, 1, 1, 1], 3)] {
      let images = try Tensor(referenceNumbers(0, count: shape.reduce(1, *)), shape: shape)
      for kind in [Mixing.mixup, .cutmix] {
        var generator = SeededGenerator(seed: UInt64(seed), .test)
        let mixture = Mixture(kind, alpha: 0.5, width: shape[3], height: shape[2], using: &generator)
        #expect((0...1).contains(mixture.share))
        #expect(try mixture(images).shape == shape)
        guard shape[0] == 1 else { continue }
        for (a, b) in zip(try mixture(images).floats(), try images.floats()) { #expect(abs(a - b) < 1e-6) }
      }
    }
  }
}
