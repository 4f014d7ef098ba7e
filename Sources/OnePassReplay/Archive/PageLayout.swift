/// The size on disk of rows of SQLite that are padded to whole pages.
///
/// A row whose payload fills a leaf page and a number of overflow pages shares no page with another row. The size of the table
/// is then the sum of its rows, in any order of changes, and the size of the tree above them. That is bounded, since SQLite merges
/// an interior page that is less than a third full.
///
/// Source: "Database File Format", section 1.6, <https://www.sqlite.org/fileformat2.html>.
struct PageLayout: Hashable, Sendable {
  let pageBytes: Int

  /// The maximum payload of a row in a leaf page. The rest is in overflow pages.
  private var localBytes: Int { pageBytes - 35 }
  private var overflowBytes: Int { pageBytes - 4 }

  /// Returns the number of pages of a row with a blob of this size.
  func pages(forBlobOf bytes: Int) -> Int {
    let payload = bytes + Self.headerBytes(forBlobOf: bytes)
    return 1 + max(0, payload - localBytes + overflowBytes - 1) / overflowBytes
  }

  /// Returns the padded size of a blob with which its row fills its pages.
  func paddedBytes(forBlobOf bytes: Int) -> Int {
    let payload = localBytes + (pages(forBlobOf: bytes) - 1) * overflowBytes
    return payload - Self.headerBytes(forBlobOf: payload)
  }

  /// An upper bound of a row's share of the tree. Each interior page has at least `fanOut` children.
  var treeBytesPerRow: Int { (pageBytes + fanOut - 2) / (fanOut - 1) }

  /// A third of the entries of an interior page. An entry has 2 bytes for its offset, 4 for the child page, and the key.
  private var fanOut: Int { (pageBytes - 12) / (3 * (2 + 4 + Self.longestKey)) }

  /// The pages of an empty table: the schema, the root, and one page of rounding for each level of the tree.
  static let fixedPages = 8

  /// The maximum size of a key in bytes. Keys are positions in a stream, below 2^35.
  private static let longestKey = 5

  /// The size of a record's header: the size itself, the type of the key (which is not stored twice), and the blob's type.
  private static func headerBytes(forBlobOf bytes: Int) -> Int {
    var type = 12 + 2 * bytes
    var header = 3
    while type > 127 {
      type >>= 7
      header += 1
    }
    return header
  }

  /// Returns the page size for images of a typical size: the smallest with at most 16 pages per image.
  ///
  /// Smaller pages waste less, since the last page of an image is half empty on average. Reading takes time per page.
  static func suited(toImagesOf bytes: Int) -> PageLayout {
    let sizes = [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536]
    return PageLayout(pageBytes: sizes.first { bytes <= $0 * 16 } ?? 65_536)
  }
}
