import OnePassCore

/// What a source is opened with.
public struct SourceRequest: Sendable {
  /// The whole specification: `folder:photos`.
  public let specification: String
  /// What follows the first colon, `nil` without one.
  public let argument: String?
  /// Fixes the order of sources that are shuffled.
  public let seed: UInt64
  /// Names that labels have to refer to, in label order: those of a model that is to be evaluated.
  public let classNames: [String]?
  /// Where examples say whom they are about, if that is asked for.
  public let subjectKey: SubjectKey?
}

/// A kind of source: how it is written, what it is, how it is opened.
public struct SourceKind: Sendable {
  /// What stands before the colon of a specification.
  public let name: String
  /// The ways in which it is written.
  public let forms: String
  public let summary: String
  let open: @Sendable (SourceRequest) throws -> any ExampleSource

  public init(
    _ name: String, forms: String, summary: String,
    open: @escaping @Sendable (SourceRequest) throws -> any ExampleSource
  ) {
    self.name = name
    self.forms = forms
    self.summary = summary
    self.open = open
  }
}

/// Every kind of source that a specification can name; a new one is a file and a line here.
public enum SourceRegistry {
  public static let kinds: [SourceKind] = [
    SourceKind(
      "fashion-mnist", forms: "fashion-mnist[:test]",
      summary: "70,000 images of clothes, 28x28 grey, 10 classes", open: openFashionMNIST),
    SourceKind(
      "idx", forms: "idx:DIR[:test]",
      summary: "a pair of MNIST-style idx files, plain or .gz", open: openIDX),
    SourceKind(
      "folder", forms: "folder:DIR",
      summary: "JPEG and PNG files, a folder for each class", open: openFolder),
    SourceKind(
      "zip", forms: "zip:FILE",
      summary: "a zip archive of such folders, read as it lies", open: openZip),
    SourceKind(
      "ilsvrc", forms: "ilsvrc:FILE",
      summary: "ILSVRC2012_img_train.tar as it comes, a tar of a tar for each class", open: openILSVRC),
    SourceKind(
      "cifar", forms: "cifar:DIR[:test]",
      summary: "CIFAR-10 or CIFAR-100 in the original binary files", open: openCIFAR),
    SourceKind(
      "list", forms: "list:FILE",
      summary: "JPEG and PNG files, a line PATH LABEL for each in a text file", open: openList),
    SourceKind(
      "synthetic", forms: "synthetic:COUNT:SIZE:CLASSES",
      summary: "noise, to try a machine without data", open: openSynthetic),
    SourceKind(
      "wds", forms: "wds:DIR/train-{0000..0009}.tar, wds:https://…, wds:@LIST or wds:-",
      summary:
        "WebDataset tar shards (.tar, .tar.gz, .tar.zst): files, addresses, a list of them, standard input",
      open: openWebDataset),
    SourceKind(
      "hf", forms: "hf:DIR/train-{00000..00009}.parquet or hf:https://…",
      summary: "Parquet files with an image and a label, as Hugging Face has them", open: openParquet),
  ]

  /// A specification as it may be shown and kept: without the queries of addresses, which may be what opens the files.
  public static func withoutSecrets(_ specification: String) -> String { HTTPAddress.shown(specification) }

  /// Opens the source that a specification names.
  ///
  /// ```swift
  /// let stream = try SourceRegistry.open("fashion-mnist", seed: 1)
  /// ```
  /// - Parameters:
  ///   - specification: a kind and its argument, `KIND:ARGUMENT`; see ``kinds``.
  ///   - seed: fixes the order of a source that is shuffled; shards come in their own order.
  ///   - classNames: the names that labels have to refer to. A folder's images get the labels of these names;
  ///     lists and shards may name classes instead of numbering them; a source that has other names is refused.
  ///   - subjectKey: where examples say whom they are about; a source that cannot tell is refused.
  /// - Throws: `OnePassError`: `usage` for an unknown kind or a malformed argument, `io` for a missing path,
  ///   `badData` for contents that are not what the kind says.
  public static func open(
    _ specification: String, seed: UInt64, classNames: [String]? = nil, subjectKey: SubjectKey? = nil
  ) throws -> any ExampleSource {
    let parts = specification.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first, let kind = kinds.first(where: { $0.name == name }) else {
      let forms = kinds.map { "\($0.forms) (\($0.summary))" }.joined(separator: ", ")
      throw OnePassError(
        .usage, "\"\(withoutSecrets(specification))\" names no data. Write one of: \(forms).")
    }
    let argument = parts.count > 1 ? String(parts[1]) : nil
    return try kind.open(
      SourceRequest(
        specification: specification, argument: argument, seed: seed, classNames: classNames,
        subjectKey: subjectKey))
  }
}

extension SourceRequest {
  /// A table in the random order of the seed.
  /// - Throws: `OnePassError` (`usage`) if its examples do not say whom they are about, and that is asked for.
  func shuffled(_ table: some ExampleTable) throws -> ShuffledSource {
    if let subjectKey {
      guard table.count == 0 || table.path(at: 0) != nil else {
        throw OnePassError(
          .usage,
          "The examples of \(specification) say nothing of a subject: leave out --subject-key \(subjectKey).")
      }
      if case .field = subjectKey {
        throw OnePassError(
          .usage,
          "--subject-key \(subjectKey) is a field of a WebDataset sample: for \(specification), use folder or stem."
        )
      }
    }
    return ShuffledSource(table, specification: specification, seed: seed, subjectKey: subjectKey)
  }

  /// The argument, which this kind needs.
  func requiredArgument(_ form: String) throws -> String {
    guard let argument, !argument.isEmpty else {
      throw OnePassError(.usage, "\"\(specification)\" does not say where the data is. Write \(form).")
    }
    return argument
  }

  /// The argument of a kind with two parts, `DIR` or `DIR:test`.
  func directoryAndPart(_ form: String) throws -> (directory: String, test: Bool) {
    let argument = try requiredArgument(form)
    let test = argument.hasSuffix(":test")
    return (test ? String(argument.dropLast(":test".count)) : argument, test)
  }

  /// The names that hold for a source with names of its own, or none.
  /// - Throws: `OnePassError` (`badData`) if both are there and differ.
  func agreedClassNames(with own: [String]?) throws -> [String]? {
    guard let own, let classNames, own != classNames else { return own ?? classNames }
    let difference = zip(own, classNames).first { $0 != $1 }.map { ": \"\($0)\" is not \"\($1)\"" }
    throw OnePassError(
      .badData,
      "The \(own.count) classes of \(specification) are not the \(classNames.count) classes asked for"
        + "\(difference ?? ""). Use data with the same classes in the same order.")
  }
}
