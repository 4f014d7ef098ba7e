import OnePassCore
import OnePassData

/// The stream of a run, with its shuffle buffer where it has one.
struct RunStream {
  /// What the run takes its examples from.
  let source: any ExampleSource
  /// The same, if it is a shuffle buffer.
  let buffer: ShuffleBuffer?

  init(_ source: any ExampleSource) { self.init(source, buffer: nil) }

  /// A source behind the shuffle buffer that the configuration asks for, if any.
  ///
  /// What `limit` cuts off is never taken into the buffer.
  /// - Throws: `OnePassError` (`usage`) if the source is in random order already.
  init(_ source: any ExampleSource, _ configuration: RunConfiguration) throws {
    guard let size = configuration.data.shuffleBuffer else {
      self.init(source)
      return
    }
    guard !(source is any RandomAccessSource) else {
      throw OnePassError(
        .usage,
        "\(source.specification) is in a random order already: leave out --shuffle-buffer, which would only take memory."
      )
    }
    let limited = configuration.data.limit.map { LimitedSource.first($0, of: source) } ?? source
    let buffer = ShuffleBuffer(limited, size: size, seed: configuration.seed)
    self.init(buffer, buffer: buffer)
  }

  private init(_ source: any ExampleSource, buffer: ShuffleBuffer?) {
    self.source = source
    self.buffer = buffer
  }

  /// The stream as it arrives, before the buffer.
  var arriving: any ExampleSource { buffer?.base ?? source }

  /// One pass over the stream.
  func feed(alreadyTaken: [Example] = [], limit: Int) -> StreamFeed {
    StreamFeed(source, buffer: buffer, alreadyTaken: alreadyTaken, limit: limit)
  }
}
