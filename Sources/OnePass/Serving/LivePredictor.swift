import OnePassCore
import OnePassData
import OnePassTorch

/// Predicts with the newest weights of a run in progress. It belongs to the thread that created it.
package final class LivePredictor {
  private let trained: TrainedModel
  private let predictor: Predictor
  private let mailbox: WeightsMailbox
  /// The weights in use; `nil` before the first.
  package private(set) var weights: (step: Int, time: ContinuousClock.Instant)?

  /// - Parameters:
  ///   - card: The model of the run.
  ///   - mailbox: Where the run puts its weights.
  ///   - decodeThreads: The number of threads that decode images.
  /// - Throws: `OnePassError` (`usage`) for a custom kind of model.
  package init(_ card: ModelCard, _ mailbox: WeightsMailbox, threads: Int?, decodeThreads: Int) throws {
    self.mailbox = mailbox
    trained = try TrainedModel(card, seed: 0, device: "cpu", threads: threads)
    predictor = try Predictor(trained, top: card.classes, decodeThreads: decodeThreads)
  }

  deinit { predictor.shutdown() }

  /// Adopts the newest weights of the run.
  package func update() throws {
    guard let new = mailbox.take() else { return }
    try trained.model.stateDictionary.load(from: new.state)
    weights = (new.step, new.time)
  }

  /// Predicts images with one set of weights.
  /// - Returns: For each image all classes, the most likely first, or the error of decoding it.
  /// - Throws: `OnePassError` (`engine`) if a prediction is not finite.
  package func predict(_ images: [EncodedImage]) throws -> [PredictionOutcome] {
    try predictor.finish(
      predictor.submit(images.map { NamedImage("The image", .success($0)) }))
  }

  /// The weights in use, as the bytes of a safetensors file.
  package func write(to path: String) throws {
    try trained.model.stateDictionary.write(to: path, metadata: ["step": "\(weights?.step ?? 0)"])
  }
}
