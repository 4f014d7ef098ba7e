import OnePassCore
import OnePassData
import OnePassTorch

/// Predicts with the newest weights of a run in progress. It belongs to the thread that created it.
package final class LivePredictor {
  /// The model of the weights in use. It is made again when its classes change.
  private struct Model {
    let trained: TrainedModel
    let predictor: Predictor
  }

  private let mailbox: WeightsMailbox
  private let threads: Int?
  private let decodeThreads: Int
  private var model: Model?
  /// The weights in use; `nil` before the first.
  package private(set) var weights: (step: Int, time: ContinuousClock.Instant)?

  /// - Parameters:
  ///   - mailbox: Where the run puts its weights.
  ///   - decodeThreads: The number of threads that decode images.
  package init(_ mailbox: WeightsMailbox, threads: Int?, decodeThreads: Int) {
    (self.mailbox, self.threads, self.decodeThreads) = (mailbox, threads, decodeThreads)
  }

  deinit { model?.predictor.shutdown() }

  /// The number of classes of the weights in use; 0 before the first.
  package var classes: Int { model?.trained.card.classes ?? 0 }

  /// Adopts the newest weights of the run.
  /// - Throws: `OnePassError` (`usage`) for a custom kind of model.
  package func update() throws {
    guard let new = mailbox.take() else { return }
    let model = try model.flatMap { $0.trained.card.classes == new.card.classes ? $0 : nil } ?? make(new.card)
    try model.trained.model.stateDictionary.load(from: new.state)
    model.predictor.weightsChanged()
    weights = (new.step, new.time)
  }

  private func make(_ card: ModelCard) throws -> Model {
    let trained = try TrainedModel(card, seed: 0, device: "cpu", threads: threads)
    let made = Model(
      trained: trained, predictor: try Predictor(trained, top: card.classes, decodeThreads: decodeThreads))
    model?.predictor.shutdown()
    model = made
    return made
  }

  /// Predicts images with one set of weights, of at least one class.
  /// - Returns: For each image all classes, the most likely first, or the error of decoding it.
  /// - Throws: `OnePassError` (`engine`) if a prediction is not finite.
  package func predict(_ images: [EncodedImage]) throws -> [PredictionOutcome] {
    guard let predictor = model?.predictor else { preconditionFailure("There must be weights.") }
    return try predictor.finish(
      predictor.submit(images.map { NamedImage("The image", .success($0)) }))
  }

  /// The weights in use, as the bytes of a safetensors file.
  package func write(to path: String) throws {
    guard let trained = model?.trained else { preconditionFailure("There must be weights.") }
    try trained.model.stateDictionary.write(to: path, metadata: ["step": "\(weights?.step ?? 0)"])
  }
}
