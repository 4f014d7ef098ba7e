import OnePassCore
import OnePassData
import OnePassTorch

extension TrainedModel {
  /// Predicts the most likely classes of images as they arrive.
  ///
  /// Images are predicted in mini-batches, which depend on what has arrived: a mini-batch is not delayed for an image that has
  /// not. The mini-batch size affects results only through rounding. An image that cannot be read or decoded does not affect the others.
  /// - Parameters:
  ///   - input: The images, for example `ImageFiles`.
  ///   - top: The number of classes per image.
  ///   - isStrict: Whether an image that cannot be predicted, or an entry that the input leaves out, is an error.
  ///   - decodeThreads: The number of image decoding threads; one per core if `nil`.
  ///   - notify: Called with notices about what the input leaves out.
  ///   - receive: Called with the outcomes of each mini-batch, in the order of the images.
  /// - Throws: `OnePassError`: that of the input, or of the first image with `isStrict`; `engine` if a prediction is not finite.
  ///   `receive` has been called with all earlier outcomes.
  public func predict(
    _ input: any ImageInput, top: Int = 5, isStrict: Bool = false, decodeThreads: Int? = nil,
    notify: (String) -> Void = { _ in }, receive: ([PredictionOutcome]) throws -> Void
  ) throws {
    let predictor = try Predictor(
      self, top: top, decodeThreads: decodeThreads ?? AvailableProcessors.current.count)
    defer { predictor.shutdown() }
    try withoutActuallyEscaping(notify) { notify in
      let notices = ReportNotices(of: input.specification, notify: notify)
      defer { notices.finish(input.report) }
      var pending: [Predictor.Pending] = []
      var images: [NamedImage] = []
      func finishFirst() throws {
        let outcomes = try predictor.finish(pending.removeFirst())
        let failed = isStrict ? outcomes.firstIndex { $0.error != nil } : nil
        let kept = outcomes[..<(failed ?? outcomes.endIndex)]
        if !kept.isEmpty { try receive(Array(kept)) }
        if let failed, let error = outcomes[failed].error { throw error }
      }
      /// Predicts a mini-batch. The previous one is predicted while it is decoded.
      func submit(waitingForAll: Bool) throws {
        if !images.isEmpty { pending.append(predictor.submit(images)) }
        images = []
        while pending.count > (waitingForAll ? 0 : 1) { try finishFirst() }
      }
      func next() throws -> NamedImage? {
        do {
          let image = try input.next()
          if isStrict { try input.report.requireEmpty(of: input.specification) }
          return image
        } catch {
          try submit(waitingForAll: true)
          throw error
        }
      }
      while true {
        if !input.isReady { try submit(waitingForAll: true) }
        guard let image = try next() else { break }
        notices.update(input.report)
        images.append(image)
        if images.count == Predictor.batchSize { try submit(waitingForAll: false) }
      }
      try submit(waitingForAll: true)
    }
  }

  /// Predicts the most likely classes of image files.
  /// - Parameters:
  ///   - paths: Image files, or folders with image files at any depth.
  ///   - top: The number of classes per image.
  /// - Throws: `OnePassError`: `io` if a file cannot be read, `badData` if it cannot be decoded.
  public func predict(_ paths: [String], top: Int = 5) throws -> [Prediction] {
    var predictions: [Prediction] = []
    try predict(ImageFiles(paths), top: top) { predictions += try $0.map { try $0.prediction } }
    return predictions
  }

  /// Predicts the most likely classes of images in memory.
  /// - Parameters:
  ///   - images: Image files, or pixels.
  ///   - top: The number of classes per image.
  /// - Returns: The classes of each image, the most likely first.
  /// - Throws: `OnePassError` (`badData`) if an image cannot be decoded.
  public func predict(_ images: [EncodedImage], top: Int = 5) throws -> [[Prediction.Class]] {
    var predictions: [[Prediction.Class]] = []
    try predict(ImagesInMemory(images), top: top) { predictions += try $0.map { try $0.prediction.classes } }
    return predictions
  }

  /// Calls `body` with a function that predicts the most likely classes of an image, the most likely first.
  ///
  /// The function throws `OnePassError` (`badData`) if the image cannot be decoded.
  func predicting<Result>(
    top: Int, _ body: ((EncodedImage) throws -> [Prediction.Class]) throws -> Result
  ) throws -> Result {
    let predictor = try Predictor(self, top: top, decodeThreads: 1)
    defer { predictor.shutdown() }
    return try body { image in
      try predictor.finish(predictor.submit([NamedImage("The image", .success(image))]))[0].prediction.classes
    }
  }
}

/// The images of an array, named by their indices.
private final class ImagesInMemory: ImageInput {
  let specification = "images"
  private var images: EnumeratedSequence<[EncodedImage]>.Iterator

  init(_ images: [EncodedImage]) { self.images = images.enumerated().makeIterator() }

  func next() -> NamedImage? {
    images.next().map { NamedImage("Image \($0.offset)", .success($0.element)) }
  }
}
