import OnePassCore

// Streams that are unusable, and images that cannot be decoded. `source` is a source specification.
extension OnePassError {
  static func shuffleBufferNotNeeded(_ source: String) -> OnePassError {
    OnePassError(
      .usage, "--shuffle-buffer is not needed, because \(source) is already in random order; omit it.")
  }

  static func orderSeedWithoutEffect(_ source: String) -> OnePassError {
    OnePassError(
      .usage,
      "--order-seed has no effect on \(source), which sets its own order; omit it, or pass --shuffle-buffer N."
    )
  }

  static func noExamples(in source: String) -> OnePassError {
    OnePassError(.badData, "\(source) contains no examples; check the path and the names of its files.")
  }

  static func streamLengthUnknown(_ source: String) -> OnePassError {
    OnePassError(.usage, "\(source) does not report its length; pass --limit.")
  }

  /// - Parameters:
  ///   - needsLimit: Whether the length of the stream is unknown.
  ///   - needsClasses: Whether its number of classes is unknown.
  static func streamNotCountable(
    _ source: String, needsLimit: Bool, needsClasses: Bool, cause: any Error
  ) -> OnePassError {
    let options =
      (needsLimit ? ["--limit with the number of examples"] : [])
      + (needsClasses ? ["--classes with the number of classes"] : [])
    return OnePassError(
      .usage, "\(source) cannot be read in advance; pass \(options.joined(separator: " and ")).",
      cause: cause)
  }

  static func tooFewClasses(_ classes: Int, in source: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(source) has \(classes) \(classes == 1 ? "class" : "classes"), and a classifier needs at least 2; "
        + "pass --classes if there are more.")
  }

  /// - Parameter location: The file of the example, if it has one.
  static func exampleDiffers(_ example: Int, of source: String, location: String? = nil) -> OnePassError {
    let place = location.map { " (\($0))" } ?? ""
    return OnePassError(
      .badData,
      "\(source) does not match the ledger: example \(example)\(place) differs; "
        + "pass the same stream again, from its start.")
  }

  /// - Parameters:
  ///   - new: The classes that the run does not have.
  ///   - missing: The classes of the run that the data does not have.
  static func classesDiffer(in source: String, new: [String], missing: [String]) -> OnePassError {
    func list(_ names: [String]) -> String {
      names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    }
    let difference =
      new.isEmpty && missing.isEmpty
      ? "the same names in another order"
      : [new.isEmpty ? nil : "new: \(list(new))", missing.isEmpty ? nil : "missing: \(list(missing))"]
        .compactMap(\.self).joined(separator: "; ")
    return OnePassError(
      .badData,
      "\(source) has other classes than the run (\(difference)); resume with the same data.")
  }

  static func dataOfSeveralSources(_ path: String) -> OnePassError {
    OnePassError(
      .usage, "--data is not possible, because the stream of \(path) continued with another source; omit it.")
  }

  static func filesDiffer(in source: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(source) has other files than at the start of the run, and several passes have no ledger to compare them with; "
        + "resume with the same data.")
  }

  static func unexpectedExample(_ example: Int, insteadOf expected: Int, from source: String) -> OnePassError
  {
    OnePassError(
      .badData,
      "\(source) delivered example \(example) instead of \(expected); "
        + "a source must deliver each example once, in the order of positions.")
  }

  static func streamLengthDiffers(_ source: String, _ count: Int, before: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(source) has \(count) examples, and the run was started with \(before); resume with the same data.")
  }

  /// - Parameter first: The location of the first broken image, and the reason.
  static func tooManyBrokenImages(
    _ broken: Int, of count: Int, in source: String, limit: Double, first: String?
  ) -> OnePassError {
    let first = first.map { " The first is \($0)" } ?? ""
    return OnePassError(
      .badData,
      "\(source) has \(broken) broken images among the first \(count), more than --broken-limit \(limit) allows.\(first)"
    )
  }

  /// - Parameter reason: The reason for the first of them, if it is known.
  static func noDecodableImages(
    amongFirst count: Int, of source: String, reason: String?, cause: (any Error)? = nil
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(source) has no image among its first \(count) that can be decoded.\(reason.map { " \($0)" } ?? "")",
      cause: cause)
  }

  // MARK: Single images

  /// - Parameter reason: The message of the decoder.
  static func undecodableImage(reason: String) -> OnePassError {
    OnePassError(.badData, reason)
  }

  /// - Parameter image: Its path, or its place in a list, as `Image 3`.
  static func undecodableImage(_ image: String, cause: OnePassError) -> OnePassError {
    OnePassError(.badData, "\(image) cannot be decoded. \(cause.message)", cause: cause)
  }

  /// - Parameter position: The position of the first example of the class.
  static func tooManyClasses(
    _ name: String, at position: Int, in source: String, limit: Int
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(source): example \(position) is of class \"\(name)\", and there are \(limit) others already, which is the "
        + "limit; raise it with --classes open:LIMIT, or correct the label.")
  }
}
