import Foundation
import OnePassCore

extension ListedEntry {
  /// A shard: its name without folders and queries, and the size of a local file.
  init(shard path: String) {
    let isRemote = HTTPAddress.isMeant(by: path)
    let shown = isRemote ? HTTPAddress.shown(path) : path
    var status = stat()
    let bytes = !isRemote && stat(path, &status) == 0 ? Int(status.st_size) : nil
    self.init(name: Array((shown.split(separator: "/").last ?? "").utf8), bytes: bytes)
  }
}
