/// The extensions of image files, in lower case. No other list exists.
///
/// The format of an image is detected from its bytes, not from its name.
enum ImageNames {
  /// torchvision's `IMG_EXTENSIONS`, for sources that choose files by name: folders, archives of folders, lists.
  static let files = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"]

  /// The parts of a WebDataset sample that are images: those that the webdataset library decodes, and the files above.
  static let parts = files + ["pbm", "img", "image"]

  /// The extensions of files as text for error messages: `.jpg, .jpeg … or .webp`.
  static let listed = alternatives(files)
  /// The extensions of sample parts as text for error messages.
  static let listedParts = alternatives(parts)

  private static func alternatives(_ names: [String]) -> String {
    names.dropLast().map { ".\($0)" }.joined(separator: ", ") + " or .\(names[names.count - 1])"
  }
}

/// Whether a file name has the extension of an image: one of torchvision's, in any case.
func isImageName(_ name: [UInt8]) -> Bool {
  guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
  return ImageNames.files.contains(String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased())
}
