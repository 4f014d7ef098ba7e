import Foundation
import OnePassCore

/// The images in an archive of class folders, in the order of ``FolderTable``.
///
/// With the same seed, an archive and the folder that it unpacks to make the same stream. Memory: for each image its
/// path and 20 bytes.
struct ArchivedImages {
  /// The location of an entry in the archive.
  struct Place {
    let offset: Int
    /// In bytes, before compression.
    let size: Int
  }

  let classNames: [String]
  let labelsFollowNames: Bool
  /// The entries that were left out, and what was chosen.
  let report: SourceReport
  var count: Int { rows.count }

  private let archive: String
  private let paths: PackedNames
  private let rows: [Row]

  fileprivate struct Row {
    let offset: UInt64
    let size: UInt32
    /// The index of the entry's path in `paths`.
    let path: UInt32
    var label: UInt32 = 0
  }

  func label(at row: Int) -> Int { Int(rows[row].label) }

  func place(at row: Int) -> Place { Place(offset: Int(rows[row].offset), size: Int(rows[row].size)) }

  /// The path in the archive, the label and the size.
  func listed(at row: Int) -> ListedEntry {
    ListedEntry(
      name: Array(paths[Int(rows[row].path)]), label: label(at: row), bytes: Int(rows[row].size))
  }

  /// The path of the archive, followed by the image's path in it.
  func path(at row: Int) -> String {
    "\(archive)/\(String(escaping: paths[Int(rows[row].path)]))"
  }
}

extension ArchivedImages {
  /// Collects the entries of an archive in any order.
  struct Builder {
    private let archive: String
    private var paths = PackedNames()
    private var rows: [Row] = []
    /// The entries that were left out so far.
    var report = SourceReport()

    /// - Parameter archive: The path of the archive.
    init(archive: String) { self.archive = archive }

    var count: Int { rows.count }

    /// Decides about the entry at `path`: `CLASS/NAME` or `CLASS/FOLDER/…/NAME` is an image.
    /// - Returns: The path without empty components, if it is taken.
    static func judge(_ path: [UInt8]) -> Verdict<[UInt8]> {
      let dot = UInt8(ascii: ".")
      let parts = path.split(separator: slash).filter { !$0.elementsEqual([dot]) }
      if parts.dropLast().contains(where: ToolFolders.contains) { return .leaveOut(.toolFolder) }
      if parts.contains(where: { $0.first == dot }) { return .leaveOut(.hidden) }
      guard isImageName(path) else { return .leaveOut(.notAnImage(path)) }
      guard parts.count >= 2 else { return .leaveOut(.besideClasses) }
      return .take(Array(parts.joined(separator: [slash])))
    }

    /// Adds an image.
    /// - Parameter path: A path that ``judge(_:)`` has returned.
    /// - Throws: `OnePassError` (`badData`) if the image is too large or the names exceed 4 GiB.
    mutating func add(_ path: [UInt8], at place: Place) throws {
      guard place.size <= largestImageFile else {
        throw OnePassError.imageFileIsTooLarge(
          "\(archive)/\(String(escaping: path))", bytes: place.size, limit: largestImageFile)
      }
      guard rows.count < Int(UInt32.max), paths.append(path) else {
        throw OnePassError.fileNamesAreTooLong(in: archive)
      }
      rows.append(
        Row(offset: UInt64(place.offset), size: UInt32(place.size), path: UInt32(paths.count - 1)))
    }

    /// The images in order, with their classes.
    /// - Parameters:
    ///   - names: The classes in label order; the sorted names of the class folders if `nil`.
    ///   - strippingCommonFolder: Whether to ignore a folder that contains all class folders.
    /// - Throws: `OnePassError` (`badData`) if there is no image, a class is not in `names`, or a path occurs twice.
    func images(named names: [String]?, strippingCommonFolder: Bool = false) throws -> ArchivedImages {
      guard !rows.isEmpty else {
        throw OnePassError.noImages(inArchive: archive)
      }
      let depth = strippingCommonFolder ? commonFolders(names) : 0
      // Images beside the class folders belong to no class.
      var (rows, report) = (self.rows, self.report)
      rows = rows.compactMap { row in
        report.take(
          folders(of: row) > depth ? .take(row) : .leaveOut(.besideClasses), named: shown(row))
      }
      let found = ClassOrder.sorted(Set(rows.map { folder(at: depth, of: $0) }))
      let ranks = Dictionary(uniqueKeysWithValues: zip(found, found.indices.map(UInt32.init)))
      for index in rows.indices { rows[index].label = ranks[folder(at: depth, of: rows[index])] ?? 0 }
      if names == nil, let parts = PartFolders.parts(among: found.map(text)) {
        throw OnePassError.archivedFoldersAreParts(
          of: archive, found.map(text), parts.training, parts.evaluation)
      }
      rows.sort(by: isBefore)
      for (first, second) in zip(rows, rows.dropFirst())
      where paths[Int(first.path)] == paths[Int(second.path)] {
        throw OnePassError.duplicateEntry(text(paths[Int(first.path)]), in: archive)
      }
      if let names {
        let labels = try found.map { try label(of: text($0), among: names) }
        for index in rows.indices { rows[index].label = labels[Int(rows[index].label)] }
      }
      return ArchivedImages(
        classNames: names ?? found.map(text), labelsFollowNames: names == nil, report: report,
        archive: archive, paths: paths, rows: rows)
    }

    private func label(of name: String, among names: [String]) throws -> UInt32 {
      guard let label = names.firstIndex(of: name) else {
        throw OnePassError.unknownArchiveClass(name, in: archive, known: names)
      }
      return UInt32(label)
    }

    private func folder(at depth: Int, of row: Row) -> ArraySlice<UInt8> {
      paths[Int(row.path)].split(separator: slash, maxSplits: depth + 1)[depth]
    }

    /// The number of folders in the image's path.
    private func folders(of row: Row) -> Int { paths[Int(row.path)].count { $0 == slash } }

    /// The number of folders that contain all class folders.
    private func commonFolders(_ names: [String]?) -> Int {
      var depth = 0
      while let first = rows.first {
        let name = folder(at: depth, of: first)
        // The only folder is itself a class.
        if names?.contains(text(name)) ?? false { return depth }
        // A file may have the same name as a folder beside it, and then has a shorter path.
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

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(escaping: bytes) }

    private func shown(_ row: Row) -> String { text(paths[Int(row.path)]) }
  }
}
