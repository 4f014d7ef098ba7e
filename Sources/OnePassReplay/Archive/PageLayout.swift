/// What a row of SQLite takes on disk when it is padded to whole pages: exactly so many, whatever lies beside it.
///
/// A row whose payload fills a leaf page and a number of overflow pages shares none of them with another row. The room of
/// the table is then the sum of its rows, which no order of changes alters, and the tree above them, which is bounded:
/// SQLite merges an interior page that is less than a third full. See "Database File Format", section 1.6,
/// <https://www.sqlite.org/fileformat2.html>.
struct PageLayout: Hashable, Sendable {
  let pageBytes: Int

  /// The most payload that a leaf page keeps of a row; the rest lies in overflow pages.
  private var localBytes: Int { pageBytes - 35 }
  private var overflowBytes: Int { pageBytes - 4 }

  /// The pages of a row with a blob of so many bytes.
  func pages(forBlobOf bytes: Int) -> Int {
    let payload = bytes + Self.headerBytes(forBlobOf: bytes)
    return 1 + max(0, payload - localBytes + overflowBytes - 1) / overflowBytes
  }

  /// The size to which a blob is padded so that its row fills its pages.
  func paddedBytes(forBlobOf bytes: Int) -> Int {
    let payload = localBytes + (pages(forBlobOf: bytes) - 1) * overflowBytes
    return payload - Self.headerBytes(forBlobOf: payload)
  }

  /// A row's share of the tree above it, at most: each interior page leads to `fanOut` rows or more, each page above it
  /// to as many pages.
  var treeBytesPerRow: Int { (pageBytes + fanOut - 2) / (fanOut - 1) }

  /// A third of what an interior page holds; an entry has 2 bytes for its place, 4 for the page below, and the key.
  private var fanOut: Int { (pageBytes - 12) / (3 * (2 + 4 + Self.longestKey)) }

  /// Pages that are there however few the rows are: the schema, the root, and what each level of the tree rounds up.
  static let fixedPages = 8

  /// Keys, which are positions in a stream, are below 2^35.
  private static let longestKey = 5

  /// The record's header: its own size, the key, which is not stored twice, and the blob's type.
  private static func headerBytes(forBlobOf bytes: Int) -> Int {
    var type = 12 + 2 * bytes
    var header = 3
    while type > 127 {
      type >>= 7
      header += 1
    }
    return header
  }

  /// The pages in which images of a size waste the least, among those that are read fast.
  ///
  /// A page costs a few bytes and, where it is the last one of its image, half of itself on average; reading costs time
  /// for each page.
  static func suited(toImagesOf bytes: Int) -> PageLayout {
    let sizes = [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536]
    return PageLayout(pageBytes: sizes.first { bytes <= $0 * 16 } ?? 65_536)
  }
}
