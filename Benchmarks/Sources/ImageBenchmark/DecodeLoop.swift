import Foundation
import OnePassCore
import OnePassData

/// Decodes the same images to RGB on a thread, once a pass.
///
/// `@unchecked Sendable` because a pass uses each on one thread.
final class DecodeLoop: @unchecked Sendable {
  private let images: [EncodedImage]
  private let decoder = ImageDecoder()
  private var outcome: Result<Int, any Error> = .success(0)

  init(_ images: [EncodedImage]) { self.images = images }

  private func run() {
    outcome = Result {
      try images.reduce(0) { $0 + (try decoder.decode($1, channels: 3).pixels.isEmpty ? 0 : 1) }
    }
  }

  /// One pass of each loop, at the same time. Returns the number of images.
  static func pass(of loops: [DecodeLoop]) throws -> Int {
    DispatchQueue.concurrentPerform(iterations: loops.count) { loops[$0].run() }
    return try loops.reduce(0) { $0 + (try $1.outcome.get()) }
  }
}
