import OnePassCore

/// What is wrong with the directory of a zip archive.
enum ZipDefect: String {
  case noEndRecord = "no end-of-archive record"
  case damagedEndRecord = "damaged end-of-archive record"
  case damagedDirectory = "damaged central directory"
}

extension OnePassError {
  // MARK: Archives of class folders

  static func noImages(inArchive path: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(path): no image files (\(ImageNames.listed)) in class folders; "
        + "put the images of each class into their own folder."
    )
  }

  /// - Parameters:
  ///   - folders: The names of all folders.
  ///   - training: The folder of the training data, if there is one.
  ///   - evaluation: The folder of other data, if there is one.
  static func archivedFoldersAreParts(
    of archive: String, _ folders: [String], _ training: String?, _ evaluation: String?
  ) -> OnePassError {
    let named = training ?? folders[0]
    let evaluating = training == nil ? "" : evaluation.map { " --eval-data folder:DIR/\($0)" } ?? ""
    return OnePassError(
      .badData,
      "\(archive): contains parts of a data set (\(folders.joined(separator: ", "))) instead of class folders; "
        + "unpack it into DIR and use folder:DIR/\(named)\(evaluating).")
  }

  static func duplicateEntry(_ name: String, in archive: String) -> OnePassError {
    OnePassError(
      .badData, "\(archive): two files named \(name); re-create the archive without the duplicate.")
  }

  static func unknownArchiveClass(
    _ name: String, in archive: String, known names: [String]
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(archive): class \(name) is not one of the \(names.count) expected classes\(firstOf(names)); "
        + "use data with the same classes.")
  }

  static func isILSVRCValidationSet(_ path: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(path): images but no class tars, so it may be the validation set; "
        + "unpack it and list its images with their classes (list:FILE).")
  }

  static func noClassTars(in path: String) -> OnePassError {
    OnePassError(.badData, "\(path): no class tars with images; use ILSVRC2012_img_train.tar, uncompressed.")
  }

  // MARK: Zip

  static func damagedZip(_ path: String, _ defect: ZipDefect) -> OnePassError {
    OnePassError(
      .badData,
      "\(path): not a complete zip archive (\(defect.rawValue)); download it again or re-create it.")
  }

  static func splitZip(_ path: String) -> OnePassError {
    OnePassError(
      .badData, "\(path): one part of a split zip archive; join the parts first (zip -s 0 --out FILE).")
  }

  static func encryptedZip(_ path: String, entry: String) -> OnePassError {
    OnePassError(.badData, "\(path): encrypted (entry \(entry)); re-create it without a password.")
  }
}
