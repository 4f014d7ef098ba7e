import OnePassCore

/// What is read from outside, and by which reader.
enum Format: String, CaseIterable {
  case tar, zip, parquet, idx, png, jpeg, safetensors, yaml

  /// Reads a file to its end as the program does.
  /// - Parameters:
  ///   - bytes: The file.
  ///   - folder: A place for it, where its reader takes a path.
  /// - Throws: `OnePassError` for what is broken; anything else is a finding.
  func read(_ bytes: [UInt8], in folder: WorkFolder) throws {
    switch self {
    case .tar: try readTar(bytes, in: folder)
    case .zip: try readZip(bytes, in: folder)
    case .parquet: try readParquet(bytes, in: folder)
    case .idx: try readIDX(bytes, in: folder)
    case .png, .jpeg: try readImage(bytes)
    case .safetensors: try readSafetensors(bytes, in: folder)
    case .yaml: try readYAML(bytes)
    }
  }

  /// Makes the checksums of a mutated file right again, so that what lies behind them is reached.
  func repair(_ bytes: inout [UInt8]) {
    switch self {
    case .tar: Checksums.repairTar(&bytes)
    case .zip: Checksums.repairZip(&bytes)
    case .png: Checksums.repairPNG(&bytes)
    default: break
    }
  }

  /// What the reader of a file may take at once beside the file itself, in bytes: the limits that the readers state.
  ///
  /// Images: 100 million pixels in three channels, and libjpeg's coefficients of a progressive file, which are twice as large.
  /// Parquet: a page, packed and unpacked. All else takes what it finds in the file.
  var memoryLimit: Int {
    switch self {
    case .png: 700 << 20
    case .jpeg: 1_000 << 20
    case .parquet: 256 << 20
    case .tar, .zip, .idx, .safetensors, .yaml: 64 << 20
    }
  }
}
