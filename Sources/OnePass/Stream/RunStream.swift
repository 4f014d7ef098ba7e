import OnePassCore
import OnePassData

/// The stream of a run, with its optional shuffle buffer.
struct RunStream {
  /// The source that the run takes examples from.
  let source: any ExampleSource
  /// The same source, if it is a shuffle buffer.
  let buffer: ShuffleBuffer?
  /// Whether entries that are left out are an error.
  let isStrict: Bool

  init(_ source: any ExampleSource) { self.init(source, buffer: nil, isStrict: false) }

  /// A source, behind a shuffle buffer if the configuration has one.
  ///
  /// Examples beyond `limit` never enter the buffer.
  /// - Throws: `OnePassError` (`usage`) if there is a buffer and the source is already in random order, or if there is a seed
  ///   of the order and no seed changes the order.
  init(_ source: any ExampleSource, _ configuration: RunConfiguration) throws {
    guard let size = configuration.data.shuffleBuffer else {
      // The option's condition knows the kinds of sources only by their names.
      if configuration.orderSeed != nil, configuration.method != .multiEpoch,
        source.orderDependsOnSeed != true
      {
        throw OnePassError.orderSeedWithoutEffect(source.specification)
      }
      self.init(source, buffer: nil, isStrict: configuration.data.strict)
      return
    }
    guard !(source is any RandomAccessSource) else {
      throw OnePassError.shuffleBufferNotNeeded(source.specification)
    }
    let limited = configuration.data.limit.map { LimitedSource.first($0, of: source) } ?? source
    let buffer = ShuffleBuffer(limited, size: size, seed: configuration.seedOfOrder)
    self.init(buffer, buffer: buffer, isStrict: configuration.data.strict)
  }

  private init(_ source: any ExampleSource, buffer: ShuffleBuffer?, isStrict: Bool) {
    self.source = source
    self.isStrict = isStrict
    self.buffer = buffer
  }

  /// The stream in arrival order, before the buffer.
  var arriving: any ExampleSource { buffer?.base ?? source }

  /// One pass over the stream.
  func feed(alreadyTaken: [Example] = [], limit: Int) -> StreamFeed {
    StreamFeed(source, buffer: buffer, alreadyTaken: alreadyTaken, limit: limit, isStrict: isStrict)
  }
}
