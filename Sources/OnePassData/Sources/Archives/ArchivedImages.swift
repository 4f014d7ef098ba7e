import Foundation
import OnePassCore

/// Where the images of an archive of class folders lie, in the order in which ``FolderTable`` lists the unpacked ones.
///
/// So the same seed makes the same stream of an archive as of the folder that it unpacks to. Memory: the length of its
/// path and 20 bytes for each image, no contents.
struct ArchivedImages {
  /// Where an entry lies in the archive.
  struct Place {
    let offset: Int
    /// In bytes, as it is stored.
    let size: Int
  }

  let classNames: [String]
  var count: Int { rows.count }

  private let archive: String
  private let paths: PackedNames
  private let rows: [Row]

  fileprivate struct Row {
    let offset: UInt64
    let size: UInt32
    /// The place of the entry's path among `paths`.
    let path: UInt32
    var label: UInt32 = 0
  }

  func label(at row: Int) -> Int { Int(rows[row].label) }

  func place(at row: Int) -> Place { Place(offset: Int(rows[row].offset), size: Int(rows[row].size)) }

  /// The path of the archive and of the image in it.
  func path(at row: Int) -> String {
    "\(archive)/\(String(decoding: paths[Int(rows[row].path)], as: UTF8.self))"
  }
}

extension ArchivedImages {
  /// Takes the entries of an archive in any order.
  struct Builder {
    private let archive: String
    private var paths = PackedNames()
    private var rows: [Row] = []

    /// - Parameter archive: The path of the archive.
    init(archive: String) { self.archive = archive }

    var count: Int { rows.count }

    /// Adds the image at `path`, `CLASS/NAME` or `CLASS/FOLDER/…/NAME`; whatever is no visible image in a folder is
    /// passed over.
    /// - Throws: `OnePassError` (`badData`) for an image that is too large, or an archive of too many.
    mutating func add(_ path: [UInt8], at place: Place) throws {
      let dot = UInt8(ascii: ".")
      let parts = path.split(separator: slash).filter { !$0.elementsEqual([dot]) }
      guard parts.count >= 2, isImageName(path), parts.allSatisfy({ $0.first != dot }) else { return }
      let path = Array(parts.joined(separator: [slash]))
      guard place.size <= largestImageFile else {
        throw tooLarge("\(archive)/\(String(decoding: path, as: UTF8.self))", place.size)
      }
      guard rows.count < Int(UInt32.max), paths.append(path) else {
        throw OnePassError(.badData, "The names in \(archive) exceed 4 GiB. Pack it into shards first.")
      }
      rows.append(
        Row(offset: UInt64(place.offset), size: UInt32(place.size), path: UInt32(paths.count - 1)))
    }

    /// The images in order, each with its class.
    /// - Parameters:
    ///   - names: if given, the label of a class folder is its place in this list.
    ///   - strippingCommonFolder: whether one folder around all class folders is none of them.
    /// - Throws: `OnePassError` (`badData`) if there is no image, a class is not among `names`, or a path comes twice.
    func images(named names: [String]?, strippingCommonFolder: Bool = false) throws -> ArchivedImages {
      guard !rows.isEmpty else {
        throw OnePassError(
          .badData,
          "\(archive) holds no .jpg, .jpeg or .png file in a class folder. "
            + "Put the images of each class in a folder of their own.")
      }
      let depth = strippingCommonFolder ? commonFolders(names) : 0
      // Beside class folders may lie images that are of none.
      var rows = rows.filter { folders(of: $0) > depth }
      let found = Set(rows.map { folder(at: depth, of: $0) }).sorted { $0.lexicographicallyPrecedes($1) }
      let ranks = Dictionary(uniqueKeysWithValues: zip(found, found.indices.map(UInt32.init)))
      for index in rows.indices { rows[index].label = ranks[folder(at: depth, of: rows[index])] ?? 0 }
      rows.sort(by: isBefore)
      for (first, second) in zip(rows, rows.dropFirst())
      where paths[Int(first.path)] == paths[Int(second.path)] {
        throw OnePassError(
          .badData,
          "\(archive) holds two files of the name \(text(paths[Int(first.path)])). Write it again with one.")
      }
      if let names {
        let labels = try found.map { try label(of: text($0), among: names) }
        for index in rows.indices { rows[index].label = labels[Int(rows[index].label)] }
      }
      return ArchivedImages(
        classNames: names ?? found.map(text), archive: archive, paths: paths, rows: rows)
    }

    private func label(of name: String, among names: [String]) throws -> UInt32 {
      guard let label = names.firstIndex(of: name) else {
        throw OnePassError(
          .badData,
          "The class \(name) of \(archive) is not one of the \(names.count) classes known "
            + "(\(names.first ?? "none"), …). Use data with the same classes.")
      }
      return UInt32(label)
    }

    private func folder(at depth: Int, of row: Row) -> ArraySlice<UInt8> {
      paths[Int(row.path)].split(separator: slash, maxSplits: depth + 1)[depth]
    }

    /// How many folders the image lies in.
    private func folders(of row: Row) -> Int { paths[Int(row.path)].count { $0 == slash } }

    /// How many folders lie around all class folders.
    private func commonFolders(_ names: [String]?) -> Int {
      var depth = 0
      while let first = rows.first {
        let name = folder(at: depth, of: first)
        // One class of those asked for, and not a folder around them.
        if names?.contains(text(name)) ?? false { return depth }
        // A file may have the name of a folder beside it, and then lies in fewer.
        let isCommon = rows.allSatisfy { folders(of: $0) > depth && folder(at: depth, of: $0) == name }
        guard isCommon, rows.contains(where: { folders(of: $0) > depth + 1 }) else { return depth }
        depth += 1
      }
      return depth
    }

    /// By class, then by folder, then by name, as `sorted(os.walk(...))` lists a class.
    private func isBefore(_ a: Row, _ b: Row) -> Bool {
      if a.label != b.label { return a.label < b.label }
      let (first, second) = (paths[Int(a.path)], paths[Int(b.path)])
      let (end, otherEnd) = (first.lastIndex(of: slash) ?? 0, second.lastIndex(of: slash) ?? 0)
      if first[..<end] != second[..<otherEnd] {
        return first[..<end].lexicographicallyPrecedes(second[..<otherEnd])
      }
      return first.lexicographicallyPrecedes(second)
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
  }
}
