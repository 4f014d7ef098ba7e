import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

@Suite("The learner gives the same results on all of its paths") struct LearnerTests {
  static let pipeline = ImagePipeline(size: 16, channels: 1, geometry: .padAndCrop(padding: 2))
  static let images = StripedImages(count: 80, side: 16)

  /// The losses of ten updates, the ninth on a smaller mini-batch, and the number of correctly classified examples.
  func losses(
    of pixelType: PixelType, recording: Bool, weights: [Float]? = nil, precision: Precision = .float32,
    change: (inout RunConfiguration) -> Void = { _ in }, mixing: Bool = false,
    observe: (Learner) -> Void = { _ in }
  ) throws -> (losses: [[Float]], correct: Int) {
    var configuration = RunConfiguration(data: "stripes")
    (configuration.model.name, configuration.method, configuration.recipe.batchSize) = ("resnet8", .naive, 8)
    (configuration.recipe.learningRate, configuration.machine.cudaGraphs) = (0.02, recording)
    configuration.machine.precision = precision
    change(&configuration)
    let plan = try TrainingPlan(configuration, streamExamples: 80, classes: 4, classNames: nil)
    let card = ModelCard(
      name: "resnet8", stem: .small, classes: 4, classNames: nil, pipeline: Self.pipeline, blurPool: false)
    let learner = try Learner(
      model: card.makeModel(seed: 1, device: .cpu), device: .cpu,
      normalisation: Self.pipeline.normalisation, configuration: configuration, plan: plan)
    observe(learner)
    let pool = DecodePool(pipeline: Self.pipeline, threads: 1, pixelType: pixelType)
    defer { pool.shutdown() }
    var (all, correct): ([[Float]], Int) = ([], 0)
    for update in 0..<10 {
      let count = update == 8 ? 5 : 8
      let examples = (update * 8..<update * 8 + count).map { id in
        Example(
          id: id, label: Self.images.label(id),
          image: EncodedImage(
            bytes: Self.images.pixels(id), encoding: .pixels(width: 16, height: 16, channels: 1)))
      }
      let views = examples.map { ImagePipeline.View.augmented(seed: 1, id: $0.id, visit: 0) }
      let batch = try pool.submit(examples, views: views).wait()
      // Replayed images have a stored prediction, mostly of the class after their label.
      let stored =
        mixing && configuration.memory.storedPredictions > 0
        ? batch.labels.map { StoredPrediction(classes: [($0 + 1) % 4, $0], probabilities: [0.7, 0.2]).note }
        : []
      let pass = try learner.train(
        WeightedBatch(
          images: batch, weights: weights.map { Array($0.prefix(count)) }, notes: stored,
          isReplayed: mixing, wantsPredictions: true))
      all.append(try pass.losses())
      correct += try zip(pass.predictions(), batch.labels).count { $0.label == $1 }
    }
    #expect(learner.updatesMade == 10)
    return (all, correct)
  }

  func distance(_ a: [[Float]], _ b: [[Float]]) -> Float {
    zip(a.joined(), b.joined()).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .infinity
  }

  @Test("Normalisation on the device and recorded updates do not change the losses")
  func pathsAgree() throws {
    for weights in [nil, [0.25, 2, 1, 0.5, 1.5, 1, 0.75, 1] as [Float]] {
      let plain = try losses(of: .float32, recording: false, weights: weights)
      // The model learns, so that the paths are compared on changed weights.
      #expect(plain.losses[9].reduce(0, +) < 0.9 * plain.losses[0].reduce(0, +))
      #expect(plain.correct > 0 && plain.correct < 77)
      for (pixelType, recording) in [(PixelType.uint8, false), (.float32, true), (.uint8, true)] {
        let other = try losses(of: pixelType, recording: recording, weights: weights)
        #expect(other.losses.map(\.count) == plain.losses.map(\.count))
        // Rounding of the last bit (2^-24), which ten updates amplify.
        #expect(distance(other.losses, plain.losses) < 1e-3, "\(pixelType), recording \(recording)")
        #expect(abs(other.correct - plain.correct) <= 1)
      }
    }
  }

  static let recipes: [@Sendable (inout RunConfiguration) -> Void] = [
    {
      ($0.recipe.optimiser, $0.recipe.muonWeightDecay, $0.recipe.weightDecay, $0.recipe.weightDecayOn) = (
        .muon, 0.1, 0.01, .filters
      )
    },
    { ($0.recipe.labelSmoothing, $0.recipe.schedule, $0.recipe.warmUp) = (0.2, .trapezoid, 0.3) },
    { $0.recipe.mixing = .mixup },
    { ($0.recipe.mixing, $0.recipe.labelSmoothing, $0.recipe.optimiser) = (.cutmix, 0.1, .muon) },
    { $0.memory.storedPredictions = 0.4 },
    { ($0.memory.storedPredictions, $0.recipe.mixing) = (0.4, .cutmix) },
  ]

  @Test(
    "A recorded update equals an ordinary one with every recipe", arguments: recipes.indices, [false, true])
  func recordedRecipes(recipe: Int, mixing: Bool) throws {
    let change = Self.recipes[recipe]
    let weights: [Float] = [0.25, 2, 1, 0.5, 1.5, 1, 0.75, 1]
    let plain = try losses(of: .float32, recording: false, weights: weights, change: change, mixing: mixing)
    let other = try losses(of: .uint8, recording: true, weights: weights, change: change, mixing: mixing)
    #expect(other.losses.map(\.count) == plain.losses.map(\.count))
    #expect(distance(other.losses, plain.losses) < 2e-3)
    // The losses differ from the paper's recipe, unless the recipe only changes replayed images.
    let paper = try losses(of: .float32, recording: false, weights: weights)
    #expect((distance(plain.losses, paper.losses) > 0.01) == (mixing || ![2, 4, 5].contains(recipe)))
  }

  @Test("The reported loss is that of the label, with any targets")
  func lossesOfTheLabel() throws {
    let paper = try losses(of: .float32, recording: false)
    for recording in [false, true] {
      let smoothed = try losses(
        of: .float32, recording: recording, change: { $0.recipe.labelSmoothing = 0.5 }, mixing: true)
      // The first losses have the same weights.
      #expect(distance(Array(smoothed.losses.prefix(1)), Array(paper.losses.prefix(1))) < 1e-5)
      #expect(distance(smoothed.losses, paper.losses) > 0.01)
    }
  }

  @Test("Incoming images are not mixed")
  func firstTime() throws {
    let paper = try losses(of: .float32, recording: false)
    let mixed = try losses(of: .float32, recording: false, change: { $0.recipe.mixing = .cutmix })
    #expect(mixed.losses == paper.losses)
    let seen = try losses(
      of: .float32, recording: false, change: { $0.recipe.mixing = .cutmix }, mixing: true)
    #expect(seen.losses[0] != paper.losses[0])
  }

  @Test(
    "Mixed precision trains as well",
    .enabled(if: Device.cpu.supports(.bfloat16), "this processor has no bfloat16"))
  func mixedPrecision() throws {
    let plain = try losses(of: .float32, recording: false)
    let mixed = try losses(of: .uint8, recording: true, precision: .bfloat16)
    // An error of 2^-8 per product. The first losses have the same weights.
    #expect(distance(Array(mixed.losses.prefix(1)), Array(plain.losses.prefix(1))) < 0.02)
    #expect(distance(mixed.losses, plain.losses) > 1e-4)
    #expect(mixed.losses[9].reduce(0, +) < 0.9 * mixed.losses[0].reduce(0, +))
  }

  @Test("A learner with recorded updates is deallocated")
  func noCycle() throws {
    weak var learner: Learner?
    _ = try losses(of: .uint8, recording: true, observe: { learner = $0 })
    #expect(learner == nil)
  }
}
