import OnePassCore
import OnePassData
import OnePassTorch

/// Predicts mini-batches of images, of which one is decoded while another is predicted.
struct Predictor {
  /// A mini-batch that is being decoded.
  struct Pending {
    fileprivate let images: [NamedImage]
    fileprivate let batch: PendingBatch
  }

  /// Small, so that predictions of many images start early.
  static let batchSize = 32

  private let trained: TrainedModel
  private let top: Int
  private let pool: DecodePool
  private let transfer: BatchTransfer
  private let prepared = PreparedWeights()

  init(_ trained: TrainedModel, top: Int, decodeThreads: Int) throws {
    self.trained = trained
    self.top = min(top, trained.card.classes)
    transfer = try BatchTransfer(to: trained.device, normalisation: trained.card.pipeline.normalisation)
    pool = DecodePool(pipeline: trained.card.pipeline, threads: decodeThreads, feeding: trained.device)
  }

  func shutdown() { pool.shutdown() }

  /// Must be called after the weights of the model have changed.
  func weightsChanged() { prepared.clear() }

  /// Starts to decode images.
  func submit(_ images: [NamedImage]) -> Pending {
    let examples = images.enumerated().compactMap { index, named in
      (try? named.image.get()).map { Example(id: index, label: 0, image: $0) }
    }
    let views = Array(repeating: ImagePipeline.View.centre, count: examples.count)
    return Pending(images: images, batch: pool.submit(examples, views: views))
  }

  /// Waits for the decoder and predicts.
  /// - Returns: The outcomes, in the order of the images.
  /// - Throws: `OnePassError` (`engine`) if a prediction is not finite.
  func finish(_ pending: Pending) throws -> [PredictionOutcome] {
    let batch = try pending.batch.wait()
    let classes = try batch.count == 0 ? [] : self.classes(of: batch, pending.images)
    let predicted = Dictionary(uniqueKeysWithValues: zip(batch.examples.map(\.id), classes))
    let problems = Dictionary(uniqueKeysWithValues: batch.skipped.map { ($0.id, $0.reason) })
    return pending.images.enumerated().map { index, named in
      if case .failure(let error) = named.image { return .failed(image: named.name, error) }
      if let classes = predicted[index] { return .predicted(Prediction(image: named.name, classes: classes)) }
      let cause = OnePassError.undecodableImage(reason: problems[index] ?? "The decoder gave no reason.")
      return .failed(image: named.name, OnePassError.undecodableImage(named.name, cause: cause))
    }
  }

  private func classes(of batch: ImageBatch, _ images: [NamedImage]) throws -> [[Prediction.Class]] {
    let count = trained.card.classes
    let (best, logits, probabilities) = try withoutGradient(reusing: prepared) {
      let logits = try trained.model(transfer(batch).images, .evaluation)
      return (
        try topClasses(logits, count: top).integers(), try logits.floats(), try logits.softmax().floats()
      )
    }
    return try batch.examples.enumerated().map { row, example in
      try best[row * top..<(row + 1) * top].map { label in
        let place = row * count + Int(label)
        guard probabilities[place].isFinite else {
          throw OnePassError.predictionNotFinite(images[example.id].name)
        }
        return Prediction.Class(
          label: Int(label), name: trained.card.className(Int(label)),
          probability: Double(probabilities[place]), logit: Double(logits[place]))
      }
    }
  }
}
