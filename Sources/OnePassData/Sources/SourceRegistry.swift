import OnePassCore

/// The parameters with which a source is opened.
///
/// ```swift
/// let empty = SourceKind("empty", forms: "empty", summary: "a stream without examples") { request in
///   SequenceSource(request.specification, [LabelledImage](), classNames: request.classNames)
/// }
/// ```
public struct SourceRequest: Sendable {
  /// The whole specification: `folder:photos`.
  public let specification: String
  /// The text after the first colon; `nil` without one.
  public let argument: String?
  /// The seed of the order, for sources that are shuffled.
  public let seed: UInt64
  /// The class names in label order that labels must refer to, for example those of an evaluated model.
  public let classNames: [String]?
  /// The key by which examples name their subject; `nil` if subjects are not needed.
  public let subjectKey: SubjectKey?
  /// The number of classes, if it is known without reading the data.
  public internal(set) var classCount: Int?
  /// Where WebDataset samples have their label; the `.cls` entry if `nil`.
  public internal(set) var labelKey: LabelKey?
  /// The column of images in Parquet files; it is chosen by types and names if `nil`.
  public internal(set) var imageColumn: String?
  /// The column of labels in Parquet files; it is chosen by types and names if `nil`.
  public internal(set) var labelColumn: String?
  /// Whether classes that are neither listed nor numbered have their name with each example; see `Example.className`.
  package internal(set) var hasOpenClasses = false
  /// How messages of a broker are read; `nil` where a stream must end, so that one of a broker is refused.
  package internal(set) var live: LiveOptions?
}

/// A kind of source: its name, its forms and how it is opened.
///
/// ```swift
/// for kind in SourceRegistry.kinds { print(kind.forms, kind.summary) }
/// ```
public struct SourceKind: Sendable {
  /// The part of a specification before the colon.
  public let name: String
  /// The forms of its specification.
  public let forms: String
  /// A phrase for help and error messages.
  public let summary: String
  /// Whether its specification can contain URLs.
  let readsURLs: Bool
  /// Whether it delivers the examples in their own order, whatever the seed.
  let keepsOrder: Bool
  /// Whether it is a stream of a broker.
  package private(set) var isLive = false
  /// Whether help lists it.
  package private(set) var isListed = true
  let open: @Sendable (SourceRequest) throws -> any ExampleSource

  /// Creates a kind of source.
  /// - Parameters:
  ///   - name: The part of a specification before the colon.
  ///   - forms: The forms of its specification.
  ///   - summary: A phrase for help and error messages.
  ///   - readsURLs: Whether its specification can contain URLs.
  ///   - keepsOrder: Whether it delivers the examples in their own order, whatever the seed.
  ///   - open: Opens a source.
  public init(
    _ name: String, forms: String, summary: String, readsURLs: Bool = false, keepsOrder: Bool = false,
    open: @escaping @Sendable (SourceRequest) throws -> any ExampleSource
  ) {
    self.name = name
    self.forms = forms
    self.summary = summary
    self.readsURLs = readsURLs
    self.keepsOrder = keepsOrder
    self.open = open
  }

  /// A stream of a broker.
  init(
    live name: String, forms: String, summary: String, isListed: Bool,
    open: @escaping @Sendable (SourceRequest) throws -> any ExampleSource
  ) {
    self.init(name, forms: forms, summary: summary, readsURLs: true, keepsOrder: true, open: open)
    (isLive, self.isListed) = (true, isListed)
  }
}

/// The kinds of source that a specification can name.
///
/// ```swift
/// let stream = try SourceRegistry.open("fashion-mnist", seed: 1)
/// ```
public enum SourceRegistry {
  /// All kinds, in the order in which help lists them.
  public static let kinds: [SourceKind] =
    [
      SourceKind(
        "fashion-mnist", forms: "fashion-mnist[:test]",
        summary: "70,000 images of clothes, 28x28 grey, 10 classes", open: openFashionMNIST),
      SourceKind(
        "idx", forms: "idx:DIR[:test]",
        summary: "a pair of MNIST-style idx files, plain or .gz", open: openIDX),
      SourceKind(
        "folder", forms: "folder:DIR",
        summary: "image files, one folder per class", open: openFolder),
      SourceKind(
        "zip", forms: "zip:FILE",
        summary: "a zip archive of such folders, read in place", open: openZip),
      SourceKind(
        "ilsvrc", forms: "ilsvrc:FILE",
        summary: "ILSVRC2012_img_train.tar as distributed, a tar with one tar per class", open: openILSVRC),
      SourceKind(
        "cifar", forms: "cifar:DIR[:test]",
        summary: "CIFAR-10 or CIFAR-100 in the original binary files", open: openCIFAR),
      SourceKind(
        "list", forms: "list:FILE",
        summary: "image files, one line PATH LABEL per image in a text file", open: openList),
      SourceKind(
        "synthetic", forms: "synthetic:COUNT:SIZE:CLASSES",
        summary: "noise images, to test a machine without data", open: openSynthetic),
      SourceKind(
        "wds", forms: "wds:DIR/train-{0000..0009}.tar, wds:https://…, wds:@LIST or wds:-",
        summary:
          "WebDataset tar shards (plain or compressed): files, URLs, a list of both, standard input",
        readsURLs: true, keepsOrder: true, open: openWebDataset),
      SourceKind(
        "hf", forms: "hf:DIR/train-{00000..00009}.parquet or hf:https://…",
        summary: "Parquet files with images and labels, in the layout of Hugging Face", readsURLs: true,
        keepsOrder: true, open: openParquet),
    ] + live

  /// Removes queries and passwords from the addresses in a specification, for messages and records.
  public static func withoutSecrets(_ specification: String) -> String { HTTPAddress.shown(specification) }

  /// Whether the order of a specification's source is a function of the seed, by its kind.
  ///
  /// `nil` if the specification names no kind, such as that of a custom source.
  package static func orderDependsOnSeed(_ specification: String) -> Bool? {
    let name = specification.prefix { $0 != ":" }
    return kinds.first { $0.name == name }.map { !$0.keepsOrder }
  }

  /// Opens the source that a specification names.
  ///
  /// ```swift
  /// let stream = try SourceRegistry.open("fashion-mnist", seed: 1)
  /// ```
  /// - Parameters:
  ///   - specification: A kind and its argument, `KIND:ARGUMENT`; see ``kinds``. A path without a kind is read by its type, and
  ///     `env:NAME` by the environment variable NAME.
  ///   - seed: The seed of the order, for sources that are shuffled. Shards keep their own order.
  ///   - classNames: The class names in label order that labels must refer to. Folders get the labels of these
  ///     names. Lists and shards may use names instead of numbers.
  ///   - subjectKey: The key by which examples name their subject.
  ///   - classCount: The number of classes, if it is known. Numbers in lists are then labels if they are below it.
  ///   - labelKey: Where WebDataset samples have their label; the `.cls` entry if `nil`.
  ///   - imageColumn: The column of images in Parquet files; it is chosen by types and names if `nil`.
  ///   - labelColumn: The column of labels in Parquet files; it is chosen by types and names if `nil`.
  /// - Throws: `OnePassError`: `usage` for an unknown kind, a malformed argument or a source without subjects;
  ///   `io` for a missing path; `badData` for contents of another kind or with other class names.
  public static func open(
    _ specification: String, seed: UInt64, classNames: [String]? = nil, subjectKey: SubjectKey? = nil,
    classCount: Int? = nil, labelKey: LabelKey? = nil, imageColumn: String? = nil,
    labelColumn: String? = nil
  ) throws -> any ExampleSource {
    try open(
      specification, seed: seed, classNames: classNames, subjectKey: subjectKey, classCount: classCount,
      labelKey: labelKey, imageColumn: imageColumn, labelColumn: labelColumn, hasOpenClasses: false)
  }

  /// The same, with open classes where `hasOpenClasses` is true.
  package static func open(
    _ specification: String, seed: UInt64, classNames: [String]?, subjectKey: SubjectKey?, classCount: Int?,
    labelKey: LabelKey?, imageColumn: String?, labelColumn: String?, hasOpenClasses: Bool
  ) throws -> any ExampleSource {
    try open(
      specification,
      SourceRequest(
        specification: specification, argument: nil, seed: seed, classNames: classNames,
        subjectKey: subjectKey, classCount: classCount, labelKey: labelKey, imageColumn: imageColumn,
        labelColumn: labelColumn, hasOpenClasses: hasOpenClasses))
  }

  /// Opens a source with all parameters of a request, apart from its specification.
  package static func open(_ specification: String, _ request: SourceRequest) throws -> any ExampleSource {
    let specification = try reading(of: specification).specification
    let parts = specification.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first, let kind = kinds.first(where: { $0.name == name }) else {
      preconditionFailure("A reading must have a known kind.")
    }
    let argument = parts.count > 1 ? String(parts[1]) : nil
    if !kind.readsURLs, let argument, URLText(argument).isURL {
      throw OnePassError.urlOfLocalSource(specification, kind: kind.name)
    }
    if let labelKey = request.labelKey, name != "wds", !kind.isLive {
      throw OnePassError.labelKeyNotApplicable(labelKey, to: specification)
    }
    for (use, column) in [(ParquetColumnUse.image, request.imageColumn), (.label, request.labelColumn)]
    where name != "hf" {
      if let column { throw OnePassError.columnNotApplicable(column, as: use, to: specification) }
    }
    return try kind.open(request.naming(specification, argument))
  }
}

extension SourceRequest {
  /// A request for a stream of a broker.
  package init(
    _ specification: String, seed: UInt64, classNames: [String]?, subjectKey: SubjectKey?, classCount: Int?,
    labelKey: LabelKey?, hasOpenClasses: Bool = false, live: LiveOptions
  ) {
    self.init(
      specification: specification, argument: nil, seed: seed, classNames: classNames, subjectKey: subjectKey,
      classCount: classCount, labelKey: labelKey, hasOpenClasses: hasOpenClasses, live: live)
  }

  /// The same request for a specification and the part after its kind.
  fileprivate func naming(_ specification: String, _ argument: String?) -> SourceRequest {
    SourceRequest(
      specification: specification, argument: argument, seed: seed, classNames: classNames,
      subjectKey: subjectKey, classCount: classCount, labelKey: labelKey, imageColumn: imageColumn,
      labelColumn: labelColumn, hasOpenClasses: hasOpenClasses, live: live)
  }

  /// A stream of a table, shuffled with the request's seed.
  /// - Throws: `OnePassError` (`usage`) if subjects are requested and the table has none.
  func shuffled(_ table: some ExampleTable) throws -> ShuffledSource {
    if let subjectKey {
      guard table.count == 0 || table.path(at: 0) != nil else {
        throw OnePassError.noSubjects(in: specification, for: subjectKey)
      }
      if case .field = subjectKey {
        throw OnePassError.noMetadataField(in: specification, for: subjectKey)
      }
    }
    return ShuffledSource(table, specification: specification, seed: seed, subjectKey: subjectKey)
  }

  /// The argument of a kind that requires one.
  func requiredArgument(_ form: String) throws -> String {
    guard let argument, !argument.isEmpty else {
      throw OnePassError.noArgument(specification, form: form)
    }
    return argument
  }

  /// The argument of a kind with two parts, `DIR` or `DIR:test`.
  func directoryAndPart(_ form: String) throws -> (directory: String, test: Bool) {
    let argument = try requiredArgument(form)
    let test = argument.hasSuffix(":test")
    return (test ? String(argument.dropLast(":test".count)) : argument, test)
  }

  /// The class names of the source or of the request, whichever exist.
  /// - Throws: `OnePassError` (`badData`) if both exist and differ.
  func agreedClassNames(with own: [String]?) throws -> [String]? {
    guard let own, let classNames, own != classNames else { return own ?? classNames }
    throw OnePassError.classNamesDiffer(in: specification, found: own, expected: classNames)
  }
}
