import OnePassCore
import OnePassReplay

/// A hash of what a source lists: names, labels and sizes. It contains none of them.
///
/// It shows at once whether files were added, removed or renamed since the start of a run, wherever the data is.
struct DataListing: Codable, Hashable {
  private let hash: String

  /// The hash of the listing of a source; `nil` if it has none.
  init?(of source: any ExampleSource) {
    let hash = RunningHash()
    var bytes: [UInt8] = []
    func writeOut() {
      bytes.withUnsafeBytes { hash.update($0) }
      bytes.removeAll(keepingCapacity: true)
    }
    let isListed = source.visitListing { entry in
      for number in [entry.name.count, entry.label ?? -1, entry.bytes ?? -1] {
        withUnsafeBytes(of: Int64(number).littleEndian) { bytes += $0 }
      }
      bytes += entry.name
      if bytes.count >= 1 << 16 { writeOut() }
    }
    guard isListed else { return nil }
    writeOut()
    self.hash = "\(hash.value)"
  }
}
