import OnePassCore

// MARK: Class folders

extension OnePassError {
  static func noClassFolders(in root: String) -> OnePassError {
    OnePassError(
      .badData, "\(root): no class folders; put the images of each class into their own subfolder.")
  }

  /// - Parameters:
  ///   - folders: The names of all folders.
  ///   - training: The folder of the training data, if there is one.
  ///   - evaluation: The folder of other data, if there is one.
  static func foldersAreParts(
    of root: String, _ folders: [String], _ training: String?, _ evaluation: String?
  ) -> OnePassError {
    let evaluating = evaluation.map { " --eval-data folder:\(root)/\($0)" } ?? ""
    let remedy =
      training.map { "use folder:\(root)/\($0)\(evaluating)" }
      ?? "use one of them, for example folder:\(root)/\(evaluation ?? folders[0])"
    return OnePassError(
      .badData,
      "\(root): contains parts of a data set (\(folders.joined(separator: ", "))) instead of class folders; "
        + "\(remedy).")
  }

  static func unknownClassFolder(_ path: String, known names: [String]) -> OnePassError {
    OnePassError(
      .badData,
      "\(path): not one of the \(names.count) expected classes\(firstOf(names)); rename or remove the folder."
    )
  }

  static func noImages(inClassFolder path: String) -> OnePassError {
    OnePassError(
      .badData, "\(path): no image files (\(ImageNames.listed)); add images or remove the folder.")
  }

  static func noImages(inFolder path: String) -> OnePassError {
    OnePassError(.badData, "\(path): no image files (\(ImageNames.listed)); pass another folder.")
  }

  /// The first of the class names as an example: ` (ant, …)`.
  static func firstOf(_ names: [String]) -> String { names.first.map { " (\($0), …)" } ?? "" }
}

// MARK: Lists

extension OnePassError {
  private static let lineForm = "write the image's path, a space and its class"

  static func noImagesListed(in list: String) -> OnePassError {
    OnePassError(.badData, "\(list): no images listed; write one line PATH LABEL per image.")
  }

  static func listedPathsAreTooLong(in list: String) -> OnePassError {
    OnePassError(
      .badData, "\(list): paths exceed 4 GiB in total; split the list, or pack the images into shards.")
  }

  static func noLabel(onLine line: Int, of list: String) -> OnePassError {
    OnePassError(.badData, "\(list):\(line): no label; \(lineForm).")
  }

  static func imageNameInPlaceOfLabel(_ label: String, onLine line: Int, of list: String) -> OnePassError {
    OnePassError(.badData, "\(list):\(line): ends in \(label) where a label is expected; \(lineForm).")
  }

  private static let headerForm =
    "keep PATH and LABEL only, or add a first line with the names of the columns, such as path and label"

  static func severalListColumns(_ columns: Int, onLine line: Int, of list: String) -> OnePassError {
    OnePassError(
      .badData, "\(list):\(line): \(columns) columns, of which the label could be any; \(headerForm).")
  }

  static func otherListColumns(
    _ columns: Int, onLine line: Int, of list: String, header: Int
  ) -> OnePassError {
    OnePassError(
      .badData, "\(list):\(line): \(columns) columns, but the header has \(header); correct the line.")
  }

  static func listOfCommas(onLine line: Int, of list: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(list):\(line): columns separated by commas; "
        + "add a first line with their names, such as path,label, or separate them by tabs.")
  }

  static func ambiguousListHeader(_ names: [String], of list: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(list): its columns \(names.joined(separator: " and ")) could each be used; rename all but one of them."
    )
  }

  static func labelIsOutOfRange(
    _ label: String, onLine line: Int, of list: String, largest: Int
  ) -> OnePassError {
    OnePassError(
      .badData, "\(list):\(line): label \(label) is out of range (0 to \(largest)); correct the label.")
  }

  static func unknownLabel(
    _ label: String, onLine line: Int, of list: String, known names: [String]
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(list):\(line): label \"\(label)\" is not one of the \(names.count) expected classes\(firstOf(names)); "
        + "correct or remove the line.")
  }
}

// MARK: idx files

extension OnePassError {
  static func isNotIDX(_ path: String) -> OnePassError {
    OnePassError(
      .badData, "\(path): not an idx file of unsigned bytes with 1 to 4 dimensions; download it again.")
  }

  static func idxSizeDiffers(
    _ path: String, bytes: Int, expected: Int, dimensions: [Int]
  ) -> OnePassError {
    let shape = dimensions.map(String.init).joined(separator: " x ")
    return OnePassError(
      .badData,
      "\(path): \(bytes) bytes, but its header (\(shape)) requires \(expected); download it again.")
  }

  /// - Parameter reason: libarchive's message.
  static func damagedGzip(_ path: String, reason: String) -> OnePassError {
    OnePassError(.badData, "\(path): truncated or corrupt (\(reason)); download it again.")
  }

  static func gzipExceedsIDXHeader(_ path: String) -> OnePassError {
    damagedGzip(path, reason: "its contents do not match their idx header")
  }

  static func idxHoldsNoImageShape(_ path: String, dimensions count: Int) -> OnePassError {
    OnePassError(
      .badData, "\(path): \(count) dimensions; images need N x H x W, or N x H x W x 3 for colour.")
  }

  static func idxIsEmpty(_ path: String) -> OnePassError {
    OnePassError(.badData, "\(path): no images; download it again.")
  }

  static func idxCountsDiffer(
    images: Int, in imagePath: String, labels: Int, in labelPath: String
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(imagePath): \(images) images, but \(labels) labels in \(labelPath); use two files that belong together."
    )
  }

  static func noIDXFile(named name: String, in folder: String) -> OnePassError {
    OnePassError(
      .io, "\(folder): no \(name) (or .gz); put the idx files into the folder under these names.")
  }
}

// MARK: CIFAR

extension OnePassError {
  static func cifarSizeIsOdd(_ path: String, bytes: Int, recordBytes: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(path): \(bytes) bytes, which is not a multiple of the record size (\(recordBytes) bytes); download it again."
    )
  }

  static func cifarLabelIsOutOfRange(
    _ label: Int, record: Int, of path: String, classCount: Int
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(path): record \(record) has label \(label), but CIFAR-\(classCount) has \(classCount) classes; download it again."
    )
  }

  static func cifarIsPickled(in folder: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(folder): the Python version of CIFAR (pickled) is not supported; download the binary version.")
  }

  static func noCIFARFiles(in folder: String) -> OnePassError {
    OnePassError(
      .io,
      "\(folder): no data_batch_1.bin (CIFAR-10) or train.bin (CIFAR-100); "
        + "pass the folder from the archive of the binary version.")
  }

  static func cifarNamesDiffer(_ path: String, names: Int, expected: Int) -> OnePassError {
    OnePassError(.badData, "\(path): \(names) class names instead of \(expected); download it again.")
  }
}
