import OnePassCore
import OnePassData
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

@Suite("Predictions with the newest weights", .serialized) struct LivePredictorTests {
  /// Weights of a new model.
  private func weights(seed: UInt64, classes: Int = 3) throws -> WeightsMailbox.Weights {
    let card = ModelCard(
      name: "resnet8", stem: .small, classes: classes, classNames: nil, pipeline: LearnerTests.pipeline,
      blurPool: false)
    let model = try card.makeModel(seed: seed, device: .cpu)
    return try WeightsMailbox.Weights(copying: model.stateDictionary, of: card, step: Int(seed))
  }

  private static let images = (0..<3).map {
    EncodedImage(bytes: noise($0, count: 256), encoding: .pixels(width: 16, height: 16, channels: 1))
  }

  /// The logits of the images, in label order, after each of some sets of weights was adopted.
  private func logits(_ all: [WeightsMailbox.Weights]) throws -> [[[Double]]] {
    let mailbox = WeightsMailbox()
    let predictor = LivePredictor(mailbox, threads: nil, decodeThreads: 1)
    return try all.map { weights in
      mailbox.put(weights)
      try predictor.update()
      #expect(predictor.weights?.step == weights.step && predictor.classes == weights.card.classes)
      return try predictor.predict(Self.images).map { outcome in
        guard case .predicted(let prediction) = outcome else { return [] }
        return prediction.classes.sorted { $0.label < $1.label }.map(\.logit)
      }
    }
  }

  @Test("Predictions are those of the weights that were adopted last, also after classes were added")
  func swap() throws {
    let sets = try [weights(seed: 1), weights(seed: 2), weights(seed: 1), weights(seed: 3, classes: 5)]
    let made = try logits(sets)
    #expect(made[0] == made[2] && made[0] != made[1])
    #expect(made[3].allSatisfy { $0.count == 5 })
    for (weights, logits) in zip(sets, made) { #expect(try self.logits([weights]) == [logits]) }
  }
}
