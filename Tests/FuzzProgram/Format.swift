import OnePassCore

/// A file format of untrusted input, with its reader.
enum Format: String, CaseIterable {
  case tar, zip, parquet, idx, png, jpeg, webp, tiff, bmp, pnm, safetensors, yaml

  /// Reads a file to its end, as the program does.
  /// - Parameters:
  ///   - bytes: The file.
  ///   - folder: A folder for the file, if its reader needs a path.
  /// - Throws: `OnePassError` for a damaged file. Any other error is a finding.
  func read(_ bytes: [UInt8], in folder: WorkFolder) throws {
    switch self {
    case .tar: try readTar(bytes, in: folder)
    case .zip: try readZip(bytes, in: folder)
    case .parquet: try readParquet(bytes, in: folder)
    case .idx: try readIDX(bytes, in: folder)
    case .png, .jpeg, .webp, .tiff, .bmp, .pnm: try readImage(bytes)
    case .safetensors: try readSafetensors(bytes, in: folder)
    case .yaml: try readYAML(bytes)
    }
  }

  /// Repairs the checksums of a mutated file, so that the code behind their check is reached.
  func repair(_ bytes: inout [UInt8]) {
    switch self {
    case .tar: Checksums.repairTar(&bytes)
    case .zip: Checksums.repairZip(&bytes)
    case .png: Checksums.repairPNG(&bytes)
    default: break
    }
  }

  /// The memory limit of the reader in addition to the file, in bytes, as documented.
  ///
  /// For images: 100 million pixels in three channels, as many again for turned images, libjpeg's coefficients of a progressive
  /// file, which are twice as large, and the first output of libwebp and libtiff, four bytes per pixel.
  /// For Parquet: a page, compressed and uncompressed. Other formats take no more than the file contains.
  var memoryLimit: Int {
    switch self {
    case .png, .bmp, .pnm: 700 << 20
    case .jpeg, .webp, .tiff: 1_000 << 20
    case .parquet: 256 << 20
    case .tar, .zip, .idx, .safetensors, .yaml: 64 << 20
    }
  }
}
