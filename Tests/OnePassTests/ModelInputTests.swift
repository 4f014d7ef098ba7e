import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

/// What a model is given, seen by a model of a program's own.
@Suite(.serialized) struct ModelInputTests {
  /// A network, and the images that it was trained and evaluated on.
  struct Watching: ImageClassifier {
    struct Input: Hashable {
      let isTraining: Bool
      let count: Int
      let side: Int
    }

    final class Inputs {
      var all: [Input] = []
    }

    let base: any ImageClassifier
    let inputs: Inputs
    var classes: Int { base.classes }
    var channels: Int { base.channels }
    var namedTensors: [NamedTensor] { base.namedTensors }

    func callAsFunction(_ images: Tensor, _ mode: Mode) throws -> Tensor {
      let (count, side) = (images.shape[0], images.shape[2])
      #expect(images.shape == [count, 1, side, side])
      inputs.all.append(Input(isTraining: mode == .training, count: count, side: side))
      return try base(images, mode)
    }
  }

  static let images = StripedImages(count: 112)

  func source(_ count: Int) -> IndexedSource {
    IndexedSource("stripes", count: count, classCount: 4) { position in
      LabelledImage(
        EncodedImage(
          bytes: Self.images.pixels(position), encoding: .pixels(width: 12, height: 12, channels: 1)),
        label: Self.images.label(position))
    }
  }

  /// Seven steps of 16 from half of 12 pixels, to the nearest 4: 6.0, 7.7, 9.4 and 11.1 pixels in the first half.
  @Test(arguments: [UpdateMode.sequential, .joint])
  func allMiniBatchesOfAStepHaveItsSide(updates: UpdateMode) throws {
    nonisolated(unsafe) let inputs = Watching.Inputs()
    var configuration = RunConfiguration(data: "stripes")
    (configuration.recipe.batchSize, configuration.replay.steps, configuration.step.updates) = (
      16, 2, updates
    )
    (configuration.memory.storage, configuration.recipe.learningRate) = (.examples(24), 0.05)
    (configuration.machine.threads, configuration.machine.decodeThreads, configuration.machine.device) = (
      1, 1, "cpu"
    )
    (configuration.recipe.progressiveResolution, configuration.recipe.reestimateBatchNorm) = (0.5, true)
    let kind = ModelKind("watching") {
      Watching(
        base: try CIFARResNet(
          .resnet8, classes: $0.classes, channels: $0.channels, from: $0.initialiser),
        inputs: inputs)
    }
    let result = try TrainingRun(
      configuration, source: source(112), evaluationSource: source(20), model: kind
    ).start()
    let trained = inputs.all.filter(\.isTraining)
    #expect(trained.allSatisfy { $0.count == 16 })
    #expect(
      trained.map(\.side) == Array(repeating: 8, count: 1 + 3 + 3) + Array(repeating: 12, count: 4 * 3),
      "\(trained.map(\.side))")
    // Statistics, and the evaluation.
    let others = inputs.all.filter { !$0.isTraining }
    #expect(others.reduce(0) { $0 + $1.count } == 24 + 20 && others.allSatisfy { $0.side == 12 })
    #expect(result.compute.sides?.map(\.examples) == [7 * 16, 12 * 16])
  }

  @Test func aModelOfConvolutionsIsBlurredWhoeverMadeIt() throws {
    let kind = ModelKind("own") {
      try CIFARResNet(.resnet8, classes: $0.classes, channels: $0.channels, from: $0.initialiser)
    }
    let images = try Tensor(
      (0..<2 * 144).map { Float($0 % 7) - 3 }, shape: [2, 1, 12, 12]
    ).channelsLast()
    func logits(_ blurPool: Bool) throws -> [Float] {
      let model = try kind.makeModel(
        classes: 4, channels: 1, stem: .small, seed: 1, device: .cpu, blurPool: blurPool)
      return try withoutGradient { try model(images, .evaluation).floats() }
    }
    let known = try ModelRegistry.make(
      "resnet8", classes: 4, channels: 1, stem: .small, seed: 1, device: .cpu, blurPool: true)
    #expect(try logits(true) == withoutGradient { try known(images, .evaluation).floats() })
    #expect(try logits(true) != logits(false))
  }
}
