import OnePassCore

// MARK: Specifications

extension OnePassError {
  /// - Parameters:
  ///   - exists: Whether there is a file of that name.
  ///   - forms: How each known source is written, with its summary.
  static func unknownSource(_ specification: String, exists: Bool, forms: [String]) -> OnePassError {
    let fact = exists ? "its name does not state its kind" : "no file or folder has this name"
    return OnePassError(
      .usage,
      "\"\(specification)\": unknown data source; \(fact); use one of: \(forms.joined(separator: ", ")).")
  }

  static func noSourceInEnvironment(_ name: String) -> OnePassError {
    OnePassError(.usage, "env:\(name): the environment variable \(name) is not set to a source; export it.")
  }

  static func noArgument(_ specification: String, form: String) -> OnePassError {
    OnePassError(.usage, "\(specification): does not name the data; write \(form).")
  }

  static func unknownFashionMNISTPart(_ specification: String) -> OnePassError {
    OnePassError(.usage, "\(specification): unknown split; use fashion-mnist or fashion-mnist:test.")
  }

  static func noFashionMNIST(in folder: String, variable: String) -> OnePassError {
    OnePassError(
      .io,
      "\(folder): Fashion-MNIST not found; install it (apt-get install dataset-fashion-mnist), "
        + "set \(variable) to its folder, or use idx:DIR.")
  }

  static func impossibleSynthetic(_ specification: String, form: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(specification): out of range; write \(form), with 1 to 4096 pixels a side and 2 to 65535 classes.")
  }
}

// MARK: Classes and labels

extension OnePassError {
  static func classNamesDiffer(
    in specification: String, found: [String], expected: [String]
  ) -> OnePassError {
    let difference = zip(found, expected).first { $0 != $1 }.map { " (\"\($0)\" is not \"\($1)\")" } ?? ""
    return OnePassError(
      .badData,
      "\(specification): its \(found.count) classes differ from the \(expected.count) classes expected\(difference); "
        + "use data with the same classes in the same order.")
  }

  static func classCountDiffers(in specification: String, found: Int, expected: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(specification): \(found) classes, but \(expected) are expected; use data with the same classes.")
  }

  /// - Parameter place: The sample or the line.
  static func strayLabel(_ label: String, at place: String, indices: ClosedRange<Int>) -> OnePassError {
    OnePassError(
      .badData,
      "\(place): label \(label) is far from the other labels (\(indices.lowerBound) to \(indices.upperBound)); "
        + "correct it, or pass --classes N or a file of class names.")
  }

  static func labelIsOutOfRange(
    _ label: Int, example id: Int, in specification: String, classCount: Int
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(specification): example \(id) has label \(label), but there are \(classCount) classes "
        + "(0 to \(classCount - 1)); correct the label or the number of classes.")
  }
}

// MARK: Subjects

extension OnePassError {
  static func noSubjects(in specification: String, for key: SubjectKey) -> OnePassError {
    OnePassError(
      .usage, "--subject-key \(key): the examples of \(specification) have no subject; omit the option.")
  }

  static func noMetadataField(in specification: String, for key: SubjectKey) -> OnePassError {
    OnePassError(
      .usage,
      "--subject-key \(key): only WebDataset samples have fields; use folder or stem for \(specification).")
  }
}

// MARK: Places of labels

extension OnePassError {
  static func labelKeyNotApplicable(_ key: LabelKey, to specification: String) -> OnePassError {
    OnePassError(
      .usage,
      "--label-key \(key): only WebDataset samples (wds:) have several places for a label; "
        + "omit the option for \(HTTPAddress.shown(specification)).")
  }

  static func labelKeyNeedsClassNames(_ key: LabelKey, of specification: String) -> OnePassError {
    OnePassError(
      .usage,
      "--label-key \(key): the classes of \(specification) cannot be found in advance; "
        + "pass --classes FILE with one class name per line.")
  }
}

// MARK: Length and position

extension OnePassError {
  /// - Parameter count: The number of examples in the stream.
  static func cannotResume(
    _ specification: String, at position: Int, of count: Int
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(specification): cannot resume at example \(position) of a stream of \(count); "
        + "resume with the same data as before.")
  }

  static func shuffleBufferDiffers(saved: Int, resumed: Int) -> OnePassError {
    OnePassError(
      .badData,
      "The checkpoint is damaged: its shuffle buffer was saved at example \(saved), but the run resumes at \(resumed); "
        + "use another checkpoint.")
  }

  private static func lengthIsUnknown(of subject: String, _ remedy: String) -> OnePassError {
    OnePassError(
      .usage, "\(subject): the number of examples and the classes are not known in advance; \(remedy).")
  }

  static func lengthIsUnknown(of specification: String) -> OnePassError {
    lengthIsUnknown(
      of: specification, "use a source that states them, such as shards written by onepass pack")
  }

  static func lengthIsUnknown(ofStandardInput specification: String) -> OnePassError {
    lengthIsUnknown(
      of: "\(specification) (standard input)",
      "save the stream to a file, or use shards with an index (onepass pack writes both)")
  }

  /// Remote shards are not read a second time only to count them.
  static func lengthIsUnknown(ofRemote specification: String) -> OnePassError {
    lengthIsUnknown(
      of: specification, "put the index that onepass pack writes beside the shards, which are not read twice")
  }
}

// MARK: Live streams

extension OnePassError {
  static func streamFailed(_ specification: String, after examples: Int, cause: any Error) -> OnePassError {
    OnePassError(
      .io,
      "\(specification): failed after \(examples) \(examples == 1 ? "example" : "examples"): \(cause); "
        + "resume from the last checkpoint.",
      cause: cause)
  }

  static func awaitedInTask(_ specification: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(specification): next() was called inside a task, where it can block the tasks that produce the examples; "
        + "train on a dedicated thread, as onTrainingThread does.")
  }
}
