import OnePassReplay

/// The storage of a memory's images.
enum MemoryImages {
  /// In the RAM of this process.
  case inProcess
  /// In a folder that belongs to the run.
  case onDisk(MemoryDirectory)
  /// In the RAM of several ranks. Each image is on one of them.
  case shared(ImageTransfer)

  var store: (any ImageStore)? {
    switch self {
    case .inProcess: nil
    case .onDisk(let directory): directory.images
    case .shared(let transfer): transfer.images
    }
  }

  var directory: MemoryDirectory? { if case .onDisk(let directory) = self { directory } else { nil } }
  var transfer: ImageTransfer? { if case .shared(let transfer) = self { transfer } else { nil } }
}
