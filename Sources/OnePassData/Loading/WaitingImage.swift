import Foundation
import OnePassCore

extension Example {
  /// Images of fewer bytes are not counted: their entry takes as much.
  private static let leastCounted = 4_096

  /// The same example, whose image is counted by the budget while it waits for its step.
  ///
  /// Beyond the share of waiting images it is written to a temporary file, which has no name and ends with the process.
  /// - Throws: `OnePassError` (`io`) if it cannot be written.
  package func waiting(in memory: DecodeMemory = .shared) throws -> Example {
    let count = image.byteCount
    guard count >= Self.leastCounted, image.isUncounted else { return self }
    guard let reservation = memory.reserveWaiting(count) else {
      memory.noteWritten(count)
      return with(image: try written())
    }
    return with(image: image.counted(by: reservation))
  }

  private func written() throws -> EncodedImage {
    let file = try OpenFile.temporary(in: temporaryDirectory)
    try image.withUnsafeBufferPointer { try file.write(UnsafeRawBufferPointer($0)) }
    guard let bytes = WrittenBytes(descriptor: file.descriptor, count: image.byteCount) else {
      throw OnePassError.failed(.read, file.path)
    }
    return image.written(as: bytes)
  }

  /// The same example with its image in memory that is not counted, for a store that counts it.
  package var uncounted: Example { with(image: image.uncounted) }
}
