import Foundation
import OnePassCore

/// The columns of a Parquet file that are read: which has the images, and which the labels.
///
/// A column is named by the user, or else chosen. A choice between columns is reported. Where neither the types that the
/// `datasets` library notes nor the names decide, the file is refused.
struct ParquetColumns {
  /// A column of images: bytes, paths, or a structure of both.
  struct Image {
    let name: String
    fileprivate(set) var bytes: ParquetLeaf?
    fileprivate(set) var path: ParquetLeaf?
  }

  let image: Image
  let label: ParquetLeaf
  /// The class names that the `datasets` library noted for the labels.
  let classNames: [String]?
  /// What was chosen among several columns.
  private(set) var report = SourceReport()

  /// The names of columns that are taken before others, in this order.
  private static let usualImages = ["image", "img", "jpg", "png"]
  private static let usualLabels = ["label", "labels", "fine_label", "cls"]

  /// - Parameters:
  ///   - imageName: The column of images; it is chosen if `nil`.
  ///   - labelName: The column of labels; it is chosen if `nil`.
  /// - Throws: `OnePassError`: `usage` if there is no such column or a choice is needed, `badData` if no column can be used.
  init(of file: ParquetFile, image imageName: String?, label labelName: String?) throws {
    let features = Features(file)
    let images = Self.images(in: file)
    let labels = file.leaves.filter(\.canBeLabel)
    if let imageName {
      // The whole structure, or one of its parts.
      let parts = file.leaves.filter { $0.name == imageName }.compactMap { Image($0) }
      guard let named = images.first(where: { $0.name == imageName }) ?? parts.first else {
        throw Self.unusable(imageName, as: .image, in: file)
      }
      image = named
    } else {
      let (candidates, taken) = try Self.choose(images, features, in: file)
      image = taken
      report.choose("the image column", taken, among: candidates, \.name)
    }
    if let labelName {
      guard let named = labels.first(where: { $0.name == labelName }) else {
        throw Self.unusable(labelName, as: .label, in: file)
      }
      label = named
    } else {
      let (candidates, taken) = try Self.choose(labels, features, in: file)
      label = taken
      report.choose("the label column", taken, among: candidates, \.name)
    }
    classNames = label.content == .integer ? features.classes[label.name] : nil
  }

  // MARK: Images

  /// All columns that can have images.
  private static func images(in file: ParquetFile) -> [Image] {
    file.leaves.reduce(into: []) { images, leaf in
      guard let image = Image(partOf: leaf) else { return }
      if let index = images.firstIndex(where: { $0.name == image.name }) {
        images[index].bytes = images[index].bytes ?? image.bytes
        images[index].path = images[index].path ?? image.path
      } else {
        images.append(image)
      }
    }
  }

  private static func choose(
    _ images: [Image], _ features: Features, in file: ParquetFile
  ) throws -> (candidates: [Image], taken: Image) {
    let noted = images.filter { features.images.contains($0.name) }
    // Columns of text are images only where a name says so.
    let stored = images.filter { $0.bytes != nil && !$0.name.contains(".") }
    let usual = images.filter { usualImages.contains($0.name) || features.images.contains($0.name) }
    let paths = images.filter { ListColumns.pathNames.contains($0.name.lowercased()) }
    let candidates = [noted, stored, usual, paths].first { !$0.isEmpty } ?? []
    guard let first = candidates.first else {
      throw OnePassError.unreadableParquet(file.name, .noImageColumn(file.columnNames))
    }
    if candidates.count == 1 { return (candidates, first) }
    for name in usualImages {
      if let taken = candidates.first(where: { $0.name == name }) { return (candidates, taken) }
    }
    throw OnePassError.ambiguousParquetColumns(candidates.map(\.name), as: .image, in: file.name)
  }

  // MARK: Labels

  private static func choose(
    _ labels: [ParquetLeaf], _ features: Features, in file: ParquetFile
  ) throws -> (candidates: [ParquetLeaf], taken: ParquetLeaf) {
    let noted = labels.filter { $0.content == .integer && features.classLabels.contains($0.name) }
    let usual = labels.filter { usualLabels.contains($0.name) }
    let candidates = labels.filter { label in (noted + usual).contains { $0.name == label.name } }
    for name in usualLabels {
      if let taken = noted.first(where: { $0.name == name }) { return (candidates, taken) }
    }
    for name in usualLabels {
      if let taken = usual.first(where: { $0.name == name }) { return (candidates, taken) }
    }
    // Any column of numbers could be a label, so only these names decide.
    let named = labels.filter { ListColumns.labelNames.contains($0.name.lowercased()) }
    let others = noted.isEmpty ? named : noted
    guard let first = others.first else {
      throw OnePassError.unreadableParquet(file.name, .noLabelColumn(file.columnNames))
    }
    guard others.count == 1 else {
      throw OnePassError.ambiguousParquetColumns(others.map(\.name), as: .label, in: file.name)
    }
    return (others, first)
  }

  // MARK: Named columns

  private static func unusable(
    _ name: String, as use: ParquetColumnUse, in file: ParquetFile
  ) -> OnePassError {
    let parts = file.leaves.filter { $0.name == name || $0.name.hasPrefix(name + ".") }
    guard let part = parts.first else {
      return .noSuchParquetColumn(name, as: use, in: file.name, columns: file.columnNames)
    }
    let type = parts.count > 1 ? "a structure" : part.typeName
    return .unusableParquetColumn(name, as: use, in: file.name, type: type)
  }
}

extension ParquetColumns.Image {
  /// A column of bytes or of paths by itself.
  fileprivate init?(_ leaf: ParquetLeaf) {
    guard !leaf.isRepeated, [.bytes, .text].contains(leaf.content) else { return nil }
    name = leaf.name
    (bytes, path) = leaf.content == .bytes ? (leaf, nil) : (nil, leaf)
  }

  /// Such a column, or the part `bytes` or `path` of a structure.
  fileprivate init?(partOf leaf: ParquetLeaf) {
    guard let whole = ParquetColumns.Image(leaf) else { return nil }
    let isPart = leaf.path.count > 1 && leaf.path.last == (whole.bytes == nil ? "path" : "bytes")
    name = isPart ? leaf.path.dropLast().joined(separator: ".") : leaf.name
    (bytes, path) = (whole.bytes, whole.path)
  }
}

/// The use of a column of a Parquet file.
enum ParquetColumnUse: String {
  case image, label

  /// The option that names the column.
  var option: String { "--\(rawValue)-column" }
}

/// The types of columns that the `datasets` library notes in the footer.
private struct Features {
  let images: Set<String>
  let classLabels: Set<String>
  /// The class names of the columns that have them.
  let classes: [String: [String]]

  init(_ file: ParquetFile) {
    let note = file.notes["huggingface"].flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
    let info = (note as? [String: Any])?["info"] as? [String: Any]
    let features = (info?["features"] as? [String: Any])?.compactMapValues { $0 as? [String: Any] } ?? [:]
    func columns(of type: String) -> Set<String> {
      Set(features.filter { $0.value["_type"] as? String == type }.keys)
    }
    (images, classLabels) = (columns(of: "Image"), columns(of: "ClassLabel"))
    classes = features.compactMapValues { $0["names"] as? [String] }.filter { !$0.value.isEmpty }
  }
}

extension ParquetLeaf {
  /// The name in options and messages: the names on the path, with dots between them.
  var name: String { path.joined(separator: ".") }

  fileprivate var canBeLabel: Bool { !isRepeated && [.boolean, .integer, .text].contains(content) }
}

extension ParquetFile {
  /// The names of the columns, each once, without the parts of structures.
  fileprivate var columnNames: [String] {
    leaves.reduce(into: []) { names, leaf in
      if names.last != leaf.path[0] { names.append(leaf.path[0]) }
    }
  }
}

extension SourceReport {
  /// Records which of several columns is used.
  fileprivate mutating func choose<Column>(
    _ what: String, _ taken: Column, among columns: [Column], _ name: (Column) -> String
  ) {
    guard columns.count > 1 else { return }
    choose(what, taken: name(taken), others: columns.map(name).filter { $0 != name(taken) })
  }
}
