import Foundation
import OnePassCore

/// The images of an uncompressed tar, in order.
enum TarImages {
  /// - Parameter areJPEG: Whether files of other formats are passed over.
  static func read(_ path: String, areJPEG: Bool = true) throws -> [EncodedImage] {
    let tar = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var images: [EncodedImage] = []
    var at = 0
    while at + 512 <= tar.count, tar[at] != 0 {
      guard let size = Int(String(decoding: tar[at + 124..<at + 135], as: UTF8.self), radix: 8) else {
        throw OnePassError(.badData, "\(path): not an uncompressed tar file.")
      }
      let start = at + 512
      if size > 3, !areJPEG || (tar[start] == 0xFF && tar[start + 1] == 0xD8) {
        images.append(EncodedImage(bytes: Array(tar[start..<start + size])))
      }
      at = start + (size + 511) / 512 * 512
    }
    return images
  }
}
