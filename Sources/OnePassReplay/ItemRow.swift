import OnePassCore

/// The facts of an item except its loss and its priority, in 32 bytes.
///
/// Rows are aligned to half a cache line, so that a draw waits for one line.
struct ItemRow: Sendable {
  /// The position in the stream.
  let arrival: Int
  /// The address of the image; 0 if it is stored elsewhere.
  let block: ImageBlocks.Address
  let label: Int32
  /// The number of draws, at most 2^32 - 1.
  private(set) var draws: UInt32
  private let byteCount: UInt32
  /// The sides of raw pixels; 0 for a file. The channels follow from the number of bytes.
  private let width, height: UInt16

  /// Creates the row of an item whose image is stored elsewhere.
  init(_ item: HeldItem, bytesElsewhere bytes: Int) {
    self.init(item, block: 0, bytes: bytes, sides: (0, 0))
  }

  /// Creates the row of an item, and copies its image to a block of the same size.
  /// - Precondition: The image ``fits``.
  init(_ item: HeldItem, image: EncodedImage, at block: ImageBlocks.Address) {
    guard let sides = Self.sides(of: image) else {
      preconditionFailure(
        "Raw pixels must have sides of 1 to 65,535 and the matching number of bytes (got \(image.byteCount) as \(image.encoding))."
      )
    }
    self.init(item, block: block, bytes: image.byteCount, sides: sides)
    image.withUnsafeBufferPointer { bytes in
      guard let source = bytes.baseAddress else { return }
      start.copyMemory(from: source, byteCount: bytes.count)
    }
  }

  private init(_ item: HeldItem, block: ImageBlocks.Address, bytes: Int, sides: (UInt16, UInt16)) {
    precondition(bytes <= Int(UInt32.max), "An image must have less than 4 GiB (got \(bytes) bytes).")
    (arrival, label, draws) = (item.arrival, item.label, item.draws)
    (self.block, byteCount) = (block, UInt32(bytes))
    (width, height) = sides
  }

  /// Creates the row of the same item with a copy of its image.
  init(copying row: ItemRow, to blocks: ImageBlocks) {
    (arrival, label, draws) = (row.arrival, row.label, row.draws)
    (block, byteCount) = (blocks.make(row.bytes), row.byteCount)
    (width, height) = (row.width, row.height)
    start.copyMemory(from: row.start, byteCount: row.bytes)
  }

  /// Returns whether a row can describe an image.
  static func fits(_ image: EncodedImage) -> Bool {
    sides(of: image) != nil && image.byteCount <= Int(UInt32.max)
  }

  private static func sides(of image: EncodedImage) -> (UInt16, UInt16)? {
    guard case .pixels(let width, let height, let channels) = image.encoding else { return (0, 0) }
    let possible = 1...Int(UInt16.max)
    guard possible.contains(width), possible.contains(height), possible.contains(channels),
      image.byteCount == width * height * channels
    else { return nil }
    return (UInt16(width), UInt16(height))
  }

  /// Counts a draw, and returns the new number of draws.
  mutating func countDraw() -> UInt32 {
    if draws < .max { draws += 1 }
    return draws
  }

  /// The number of bytes of the image.
  var bytes: Int { Int(byteCount) }

  private var encoding: EncodedImage.Encoding {
    guard width > 0 else { return .file }
    let (width, height) = (Int(width), Int(height))
    return .pixels(width: width, height: height, channels: bytes / (width * height))
  }

  private var start: UnsafeMutableRawPointer {
    guard let start = UnsafeMutableRawPointer(bitPattern: block) else {
      preconditionFailure("A stored image must have an address.")
    }
    return start
  }

  /// The image in place, valid while the loan lasts.
  func image(on loan: Loan) -> EncodedImage {
    let first = UnsafePointer(start.assumingMemoryBound(to: UInt8.self))
    return EncodedImage(lent: LentBytes(owner: loan, start: first, count: bytes), encoding: encoding)
  }

  /// Reads the block, so that later reads do not wait for main memory.
  var firstByte: Int { Int(start.load(as: UInt8.self)) }
}
